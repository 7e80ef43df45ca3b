"""CMUdict -> g2p.onnx, the grapheme-to-phoneme network of the bundle: how an unlisted word is said.

    python -m models.g2p --kit KIT --out g2p.onnx [--limit WORDS] [--steps N]

First every letter is given its chunk of no, one or two phones (models/aligner.py). Then a small
network learns the chunk of a letter from the letters around it and the chunks before it. One word
in fifty is held out; the errors on those are measured through the daemon's own search, on the int8
file. earshot/g2p.py says what the file holds and where the method comes from.
"""

import argparse
import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from earshot.g2p import INPUTS, SIZES, G2p
from torch import Tensor, nn
from torch.nn import functional

from models.aligner import LETTERS, align, learn, name
from models.export import annotate, compress, convert
from models.lexicon import Dictionary, Phones
from models.phones import PHONES
from models.score import edits

BEFORE, AFTER, HISTORY = 7, 7, 4
STEPS, BATCH, RATE = 3600, 2048, 4e-3
HOLD_OUT = 50  # one word in so many


def usable(dictionary: Dictionary, limit: int | None) -> dict[str, list[Phones]]:
    """Words of letters and apostrophes with their pronunciations; every n-th for about `limit`."""
    found = {
        word: [p for p in spoken if set(p) <= set(PHONES)]
        for word, spoken in dictionary.listed().items()
        if set(word) <= set(LETTERS)
    }
    words = sorted(word for word, spoken in found.items() if spoken)
    return {word: found[word] for word in words[:: max(1, len(words) // (limit or len(words)))]}


def held_out(word: str) -> bool:
    """Whether a word is for measuring only."""
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16) % HOLD_OUT == 0


@dataclass(frozen=True)
class Shape:
    """Sizes of the network, in numbers."""

    chunks: int
    letter: int = 24
    chunk: int = 32
    hidden: tuple[int, int] = (480, 320)


class Step(nn.Module):
    """One letter: from the letters around it and the chunks before it to its own chunk."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.letter = nn.Embedding(len(LETTERS) + 1, shape.letter)
        self.chunk = nn.Embedding(shape.chunks + 1, shape.chunk)
        width = (BEFORE + 1 + AFTER) * shape.letter + HISTORY * shape.chunk
        first, second = shape.hidden
        self.layers = nn.Sequential(
            nn.Linear(width, first),
            nn.ReLU(),
            nn.Linear(first, second),
            nn.ReLU(),
            nn.Linear(second, shape.chunks),
        )

    def forward(self, letters: Tensor, chunks: Tensor) -> Tensor:
        """Letters [N, BEFORE + 1 + AFTER], chunks [N, HISTORY] to log-probabilities [N, chunks]."""
        x = torch.cat([self.letter(letters).flatten(1), self.chunk(chunks).flatten(1)], 1)
        return functional.log_softmax(self.layers(x), 1)


@dataclass(frozen=True)
class Examples:
    """All words in a row, far enough apart that no window sees two of them."""

    letters: Tensor  # [positions] 0 between words
    chunks: Tensor  # [positions] the start of a word between words
    at: Tensor  # [letters] where in the row each letter stands

    def __getitem__(self, pick: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Windows of letters, chunks before, and the wanted chunk of the picked letters."""
        at = self.at[pick][:, None]
        around, before = torch.arange(-BEFORE, AFTER + 1), torch.arange(-HISTORY, 0)
        return self.letters[at + around], self.chunks[at + before], self.chunks[at[:, 0]]


def examples(words: list[str], chunks: list[list[int]], start: int) -> Examples:
    """Of words and the numbers of their chunks; `start` is the chunk before a word."""
    gap = max(BEFORE, AFTER, HISTORY)
    letters, said = [0] * gap, [start] * gap
    for word, row in zip(words, chunks, strict=True):
        letters += [*(LETTERS.index(c) + 1 for c in word), *([0] * gap)]
        said += [*row, *([start] * gap)]
    place = torch.tensor(letters)
    return Examples(place, torch.tensor(said), place.nonzero()[:, 0])


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
        letters, before, wanted = data[pick]
        loss = functional.nll_loss(network(letters, before), wanted)
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


def write(network: Step, names: list[str], path: Path) -> None:
    """The network in int8, with all that is needed to use it. Exits if torch and ONNX differ."""
    path.parent.mkdir(parents=True, exist_ok=True)
    letters = torch.randint(0, len(LETTERS) + 1, (64, BEFORE + 1 + AFTER))
    chunks = torch.randint(0, len(names) + 1, (64, HISTORY))
    convert(network, (letters, chunks), INPUTS, ["logp"], path)
    compress(path)
    sizes = zip(SIZES, (BEFORE, AFTER, HISTORY), strict=True)
    annotate(path, {"letters": LETTERS, "chunks": " ".join(names), **dict(sizes)})


def measure(path: Path, wanted: dict[str, list[Phones]], most: int = 4) -> dict[str, float]:
    """Phone and word errors in percent: of the best, and of the best of `most` (oracle)."""
    g2p, phones = G2p(path), 0
    wrong, words = np.zeros(2), np.zeros(2)
    for word, references in wanted.items():
        given = [p for p, _ in g2p.pronounce(word, most)]
        apart = [min((edits(r, p), len(r)) for r in references) for p in given]
        phones += apart[0][1]
        few = np.array([apart[0][0], min(apart)[0]])
        wrong += few
        words += few > 0
    rates = np.stack([wrong / max(phones, 1), words / max(len(wanted), 1)]).ravel() * 100
    keys = ("PER", f"PER of {most}", "WER", f"WER of {most}")
    return dict(zip(keys, rates.tolist(), strict=True))


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="the file to write, g2p.onnx")
    parser.add_argument("--limit", type=int, help="about so many words, to try it out")
    parser.add_argument("--steps", type=int, default=STEPS, help="training steps")
    options = parser.parse_args()
    run(Dictionary(options.kit), options.out, options.limit, options.steps)


def run(dictionary: Dictionary, out: Path, limit: int | None, steps: int) -> dict[str, float]:
    """Align, train, write, measure. The errors in percent."""
    words = usable(dictionary, limit)
    pairs = [(w, p) for w, spoken in words.items() if not held_out(w) for p in spoken]
    aligned = align(learn(pairs), pairs)
    kept = [(word, row) for (word, _), row in zip(pairs, aligned, strict=True) if row]
    codes = sorted({code for _, row in kept for code in row})
    number = {code: i for i, code in enumerate(codes)}
    print(f"{len(kept)} of {len(pairs)} pronunciations aligned, {len(codes)} chunks", flush=True)
    data = examples([w for w, _ in kept], [[number[c] for c in row] for _, row in kept], len(codes))
    network = train(data, Shape(len(codes)), steps)
    write(network, [name(code) for code in codes], out)
    errors = measure(out, {word: spoken for word, spoken in words.items() if held_out(word)})
    figures = ", ".join(f"{key} {value:.1f} %" for key, value in errors.items())
    print(f"{out}: {out.stat().st_size} bytes; {figures}")
    return errors


if __name__ == "__main__":
    main()
