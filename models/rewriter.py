"""The network that rewrites letters as phones (models/g2p.py) or phones as letters (models/p2g.py).

It learns the chunk of a symbol from the symbols around it and the chunks before it. What the file
holds and where the method comes from is told in earshot/rewriter.py.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from earshot.rewriter import SIZES
from torch import Tensor, nn
from torch.nn import functional

from models.export import annotate, compress, convert

BEFORE, AFTER, HISTORY = 7, 7, 4
STEPS, BATCH, RATE = 3600, 2048, 4e-3
HOLD_OUT = 50  # one row in so many


def held_out(text: str) -> bool:
    """Whether a word is for measuring only."""
    return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(), 16) % HOLD_OUT == 0


@dataclass(frozen=True)
class Shape:
    """Sizes of the network, in numbers."""

    symbols: int
    chunks: int
    symbol: int = 24
    chunk: int = 32
    hidden: tuple[int, int] = (480, 320)
    dropout: float = 0.0


class Step(nn.Module):
    """One symbol: from the symbols around it and the chunks before it to its own chunk."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.symbol = nn.Embedding(shape.symbols + 1, shape.symbol)
        self.chunk = nn.Embedding(shape.chunks + 1, shape.chunk)
        width = (BEFORE + 1 + AFTER) * shape.symbol + HISTORY * shape.chunk
        first, second = shape.hidden
        self.layers = nn.Sequential(
            nn.Linear(width, first),
            nn.ReLU(),
            nn.Dropout(shape.dropout),
            nn.Linear(first, second),
            nn.ReLU(),
            nn.Dropout(shape.dropout),
            nn.Linear(second, shape.chunks),
        )

    def forward(self, symbols: Tensor, chunks: Tensor) -> Tensor:
        """Symbols [N, BEFORE + 1 + AFTER], chunks [N, HISTORY] to log-probabilities [N, chunks]."""
        x = torch.cat([self.symbol(symbols).flatten(1), self.chunk(chunks).flatten(1)], 1)
        return functional.log_softmax(self.layers(x), 1)


@dataclass(frozen=True)
class Examples:
    """All rows one after the other, far enough apart that no window sees two of them."""

    symbols: Tensor  # [positions] 0 between rows
    chunks: Tensor  # [positions] the start of a row between rows
    at: Tensor  # [symbols] where each symbol stands

    def __getitem__(self, pick: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Windows of symbols, chunks before, and the wanted chunk of the picked symbols."""
        at = self.at[pick][:, None]
        around, before = torch.arange(-BEFORE, AFTER + 1), torch.arange(-HISTORY, 0)
        return self.symbols[at + around], self.chunks[at + before], self.chunks[at[:, 0]]


def examples(
    rows: Sequence[Sequence[int]], chunks: Sequence[Sequence[int]], start: int
) -> Examples:
    """Of symbols numbered from 1 on and their chunks from 0 on; `start` is the chunk before."""
    gap = max(BEFORE, AFTER, HISTORY)
    given, written = [0] * gap, [start] * gap
    for row, wanted in zip(rows, chunks, strict=True):
        given += [*row, *([0] * gap)]
        written += [*wanted, *([start] * gap)]
    place = torch.tensor(given)
    return Examples(place, torch.tensor(written), place.nonzero()[:, 0])


def picks(count: int, steps: int) -> tuple[Tensor, ...]:
    """Numbers of examples for each step: all in another order, again and again."""
    rounds = range(1 + steps * BATCH // count)
    order = torch.cat([torch.randperm(count) for _ in rounds])
    return torch.split(order[: steps * BATCH], BATCH)


def train(data: Examples, shape: Shape, steps: int) -> Step:
    """Teacher-forced cross entropy, AdamW, one rise and one fall of the learning rate."""
    torch.manual_seed(0)
    network = Step(shape)
    optimiser = torch.optim.AdamW(network.parameters(), RATE, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, steps, pct_start=0.15)
    started, losses = time.monotonic(), []
    for step, pick in enumerate(picks(len(data.at), steps), 1):
        symbols, before, wanted = data[pick]
        loss = functional.nll_loss(network(symbols, before), wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        if step % max(1, steps // 12) == 0 or step == steps:
            seconds = time.monotonic() - started
            print(f"{step}/{steps}: loss {np.mean(losses):.4f}, {seconds:.0f} s", flush=True)
            losses.clear()
    return network.eval()


def write(network: Step, given: str, facts: Mapping[str, str], path: Path) -> None:
    """The network in int8, with all that is needed to use it. Exits if torch and ONNX differ.

    `given` names its symbols; `facts` are what the metadata tell beside its sizes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    symbols = torch.randint(0, network.shape.symbols + 1, (64, BEFORE + 1 + AFTER))
    chunks = torch.randint(0, network.shape.chunks + 1, (64, HISTORY))
    convert(network, (symbols, chunks), [given, "chunks"], ["logp"], path)
    compress(path)
    annotate(path, {**facts, **dict(zip(SIZES, (BEFORE, AFTER, HISTORY), strict=True))})
