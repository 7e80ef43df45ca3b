"""Kit texts and book tables -> neural.onnx, the language model of the re-ranker.

    python -m models.neural_lm --kit KIT --lm words.lm --out build/neural_lm [--steps 6000]

The network (models/neural_network.py) sees the last words and what kind of text it is, nothing
else: so paths of a lattice that have these words in common are one, and re-ranking is exact on the
lattice. It learns all words of the device's language model and its classes. Words of the book
tables come without what is before them, so that place is blank, as it is now and then elsewhere.

What is drawn at a step depends on the number of the step alone: a training that is stopped goes on
from its checkpoint as if it had not been. One thread is enough for it, in bfloat16 where the
processor computes in that.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from earshot.ngram import Ngram
from earshot.word_list import WordList
from torch import Tensor

from models import neural_texts as texts
from models.classes import CLASSES
from models.neural_network import NeuralLm, Shape
from models.neural_texts import BOOKS, Ints, Numbers, Rows, Triples

MARKS = ("<s>", "</s>", *CLASSES, "<unk>", "<blank>")
BATCH, RATE, WARM, COOL = 1024, 1.5e-3, 200, 0.5
BLANK = 0.1  # share of contexts whose far end is blank
TABLES = "tables"
# Share of each source in what is drawn: what is written as people please takes longest to learn.
SHARES = {
    BOOKS: 0.36, TABLES: 0.2, "read": 0.14, "prose": 0.03, "assistant": 0.05, "requests": 0.06,
    "home": 0.03, "calls": 0.02, "values": 0.02, "contacts": 0.02, "spelling": 0.01,
    "phrases": 0.01, "single": 0.01, "spelt": 0.01, "plain": 0.01, "orders": 0.01,
}  # fmt: skip
KINDS = ("books", "read", "requests")
KIND = {BOOKS: 0, TABLES: 0, "prose": 0, "read": 1, "plain": 1}  # all else is requests
HELD = 400  # sentences of a source that are looked at
LINE, CHECKPOINT = 60.0, 240.0  # seconds


class Draws:
    """What is learnt at each step."""

    def __init__(self, rows: Mapping[str, Rows], tables: Triples, shape: Shape) -> None:
        self._rows = {name: one for name, one in rows.items() if len(one.at)}
        self._tables, self._context = tables, shape.context
        known = {**dict.fromkeys(self._rows, 1), TABLES: len(tables.borders)}
        names = [name for name in SHARES if known.get(name)]
        shares = np.array([SHARES[name] for name in names])
        self._shares = dict(zip(names, shares / shares.sum(), strict=True))

    def batch(self, step: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Contexts [size, C], their kinds [size] and the words after them [size]."""
        dice = np.random.default_rng([1, step])
        counts = dice.multinomial(size, list(self._shares.values()))
        parts = []
        for name, count in zip(self._shares, counts, strict=True):
            if name == TABLES:
                parts.append(self._triples(dice, count))
                continue
            rows = self._rows[name]
            at = rows.at[dice.integers(0, len(rows.at), count)]
            parts.append(windows(rows, at, self._context))
        both = torch.from_numpy(np.concatenate(parts).astype(np.int64))
        context, wanted = both[:, :-1], both[:, -1]
        blank = torch.from_numpy(np.flatnonzero(dice.random(size) < BLANK))
        context[blank, : self._context - 2] = MARKS.index("<blank>")
        kinds = [kind_of(name) for name in self._shares]
        return context, torch.from_numpy(np.repeat(kinds, counts)), wanted

    def _triples(self, dice: np.random.Generator, count: int) -> Numbers:
        borders, before = self._tables.borders, ((0, 0), (self._context - 2, 0))
        found = self._tables.numbers[np.searchsorted(borders, dice.random(count) * borders[-1])]
        rows = np.pad(found, before, constant_values=MARKS.index("<blank>"))
        rows[found[:, 0] == MARKS.index("<s>"), : self._context - 2] = MARKS.index("<s>")
        return rows


def kind_of(source: str) -> int:
    """The number of the kind of a source."""
    return KIND.get(source, len(KINDS) - 1)


def windows(rows: Rows, at: Ints, context: int) -> Numbers:
    """The words before places [N], and the words there: [N, C + 1]."""
    return np.asarray(rows.numbers[at[:, None] + np.arange(-context, 1)], np.uint16)


def vocabulary(lm: Path) -> dict[str, float]:
    """Words by number: marks, then those of a language model, the commonest first; natural logs."""
    ngram = Ngram(lm)
    logp = dict(zip(ngram.words, ngram.unigram.tolist(), strict=False))
    words = WordList.of_model(ngram.words, ngram.unigram).words
    return {**dict.fromkeys(MARKS, 0.0), **{word: logp[word] for word in words}}


def perplexities(network: NeuralLm, held: Mapping[str, Rows]) -> dict[str, float]:
    """Perplexity of held-out words, by source."""
    found = {}
    for name, rows in held.items():
        if len(rows.at):
            both = torch.from_numpy(windows(rows, rows.at, network.shape.context).astype(np.int64))
            kind = torch.full((len(both),), kind_of(name))
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
                losses = network.eval().loss(both[:, :-1], kind, both[:, -1])
            network.train()
            found[name] = float(losses.mean().exp())
    return found


def rate(step: int, steps: int) -> float:
    """The learning rate: it rises, stays, and falls to nothing in the last part."""
    return RATE * min(1.0, (step + 1) / WARM, (steps - step) / (COOL * steps))


@dataclass
class Run:
    """A training under way."""

    network: NeuralLm
    optimisers: tuple[torch.optim.Optimizer, torch.optim.Optimizer]
    out: Path
    steps: int
    step: int = 0

    @property
    def checkpoint(self) -> Path:
        """Where it is kept."""
        return self.out / "run.pt"

    def save(self) -> None:
        """Keep all that is needed to go on."""
        state = {
            "shape": asdict(self.network.shape),
            "network": self.network.state_dict(),
            "optimisers": [one.state_dict() for one in self.optimisers],
            "step": self.step,
        }
        torch.save(state, self.checkpoint.with_suffix(".new"))
        self.checkpoint.with_suffix(".new").replace(self.checkpoint)

    def resume(self) -> None:
        """Go on where the last one stopped, if there was one."""
        if self.checkpoint.exists():
            state = torch.load(self.checkpoint, weights_only=True)
            self.network.load_state_dict(state["network"])
            for one, known in zip(self.optimisers, state["optimisers"], strict=True):
                one.load_state_dict(known)
            self.step = state["step"]
            print(f"goes on at step {self.step}", flush=True)


def train(run: Run, draws: Draws, held: Mapping[str, Rows]) -> None:
    """Cross entropy, AdamW; a line a minute."""
    spoken = kept = time.monotonic()
    losses: list[Tensor] = []
    while run.step < run.steps:
        for one in run.optimisers:
            one.zero_grad()
            one.param_groups[0]["lr"] = rate(run.step, run.steps)
        torch.manual_seed(run.step)  # of what is dropped
        context, kind, wanted = draws.batch(run.step, BATCH)
        with torch.autocast("cpu", torch.bfloat16):
            loss = run.network.loss(context, kind, wanted).mean()
        loss.backward()
        for one in run.optimisers:
            one.step()
        run.step += 1
        losses.append(loss.detach())
        if (now := time.monotonic()) - spoken > LINE or run.step == run.steps:
            words = BATCH * len(losses) / (now - spoken)
            mean = float(torch.stack(losses).mean())
            print(
                f"step {run.step} of {run.steps}: loss {mean:.3f}, {words:.0f} words/s", flush=True
            )
            spoken, losses = now, []
        if now - kept > CHECKPOINT or run.step == run.steps:
            run.save()
            kept = time.monotonic()
            print(f"  held out: {told(perplexities(run.network, held))}", flush=True)


def told(figures: Mapping[str, float]) -> str:
    """Figures in a line."""
    return ", ".join(f"{name} {value:.0f}" for name, value in figures.items())


def begin(options: argparse.Namespace, size: int) -> Run:
    """Make a network, or read the one that is under way."""
    torch.manual_seed(0)
    network = NeuralLm(Shape(size, len(KINDS), hidden=options.hidden))
    dense = [value for name, value in network.named_parameters() if name != "embed.weight"]
    optimisers = (
        torch.optim.SparseAdam([network.embed.weight], RATE, betas=(0.9, 0.98)),
        torch.optim.AdamW(dense, RATE, betas=(0.9, 0.98), weight_decay=0.01, fused=True),
    )
    run = Run(network, optimisers, options.out, options.steps)
    run.resume()
    return run


def sources(
    learnt: Mapping[str, Sequence[list[str]]], number: Mapping[str, int], context: int
) -> dict[str, Rows]:
    """Number the sentences of each source."""
    return {name: texts.rows_of(rows, number, context) for name, rows in learnt.items()}


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--lm", type=Path, required=True, help="words.lm of the device")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=6_000, help=f"of {BATCH} words")
    parser.add_argument("--hidden", type=int, default=1024)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    common = vocabulary(options.lm)
    words, text = list(common), "".join(f"{word}\t{logp:.2f}\n" for word, logp in common.items())
    (options.out / "words.txt").write_text(text, encoding="utf8")
    run = begin(options, len(words))
    learnt, held = texts.split(texts.all_texts(options.kit))
    context = run.network.shape.context
    number = {word: i for i, word in enumerate(words)}
    rows = sources(learnt, number, context)
    some = {name: one[:HELD] for name, one in held.items()}
    for name, one in rows.items():
        print(f"  {name}: {len(learnt[name])} sentences, {len(one.at)} words", flush=True)
    draws = Draws(rows, texts.triples(options.kit, number), run.network.shape)
    train(run, draws, sources(some, number, context))


if __name__ == "__main__":
    main()
