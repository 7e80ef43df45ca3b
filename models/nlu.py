"""What sentences mean: intents and slots from the tables of the kit, in one small file.

    python -m models.nlu --kit KIT --out build/nlu [--bytes 300000] [--devel]

Writes nlu.bin for the bundle, and twin.npz: the same model as a dictionary of float weights by name
(models.nlu_plain), which `models.understood` compares with it. Both are log-linear (earshot.nlu):

    sentences ▶ cues ▶ FTRL, dense ───────────────────────────────────────────────▶ twin.npz
                     ▶ FTRL with L1 ▶ pruned to size ▶ FTRL on what is left ▶ few bits ▶ nlu.bin

With --devel, the devel sentences are held out as well and tested on: all that is set here and in
earshot.cues was chosen so. Without, they are trained on, and the test sentences are tested on.
"""

import argparse
import lzma
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from earshot.cues import Paths, bag, places, table
from earshot.nlu import FILE, Nlu
from earshot.nlu import Floats as Following
from earshot.packed import KEY_BITS, Keys, Table, cut

from models import nlu_plain
from models.ftrl import Learnt, Model, Pairs, Rate, Texts, trained
from models.nlu_plain import Cue, Plain
from models.nlu_texts import Example, examples, meanings

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
TWIN = "twin.npz"
SEEDS = 20_000  # tried before a key gets another bit
LEAST_BITS = 27  # of a key
ROUNDS = 30  # of the search for codes
RESERVED = 7_000  # bytes for names, and for tags after each other
NEAR = 200  # pairs
KEY, CODE = 2.0, 3.8  # bits of a key beside those that are written out, and of a weight


class Plan(NamedTuple):
    """How a table is trained and made small."""

    least: int  # times that a pair is seen
    l1: float
    epochs: int
    again: int  # epochs on what is left
    drop: float  # share of the features that these do not see each time
    share: float  # of the bytes
    codes: int


PLANS = {
    "whole": Plan(1, 1.0, 4, 3, 0.2, 0.55, 16),
    "word": Plan(2, 1.0, 3, 2, 0.0, 0.45, 16),
}


@dataclass(frozen=True, slots=True)
class Taught:
    """What is learnt from: sentences as cues for the intent, words as cues for the tag."""

    whole: Texts
    word: Texts

    @classmethod
    def of(cls, sentences: Sequence[Example]) -> "Taught":
        """Of sentences; only those whose slots are known teach tags."""
        ours = meanings()
        intent = {name: i for i, name in enumerate(ours.intents)}
        tag = {name: i for i, name in enumerate(("", *ours.slots))}
        bags = [bag(Paths.of_words(one.words)).keys for one in sentences]
        wanted = np.array([intent[one.intent] for one in sentences])
        whole = Texts(_starts(bags), np.concatenate(bags), wanted, len(intent))
        known = [one for one in sentences if one.tags]
        rows = [places(table(one.words), intent[one.intent]) for one in known]
        tags = np.array([tag[name] for one in known for name in one.tags or ()])
        return cls(whole, Texts(_starts(rows), np.concatenate(rows), tags, len(tag)))


def _starts(parts: Iterable[Keys]) -> Ints:
    return np.append(0, np.cumsum([len(part) for part in parts]))


class Course(NamedTuple):
    """How weights are trained."""

    epochs: int
    l1: float = 0.0
    drop: float = 0.0


def fitted(name: str, texts: Texts, pairs: Pairs, model: Model, course: Course) -> None:
    """Train on with some weights, and tell the losses."""
    every = trained(texts, pairs, Rate(course.l1, 0.0, course.drop), course.epochs, model)
    losses = " ".join(f"{loss:.3f}" for loss, _ in every)
    kept = int((model[0].weight != 0).sum())
    print(f"{name}: {len(pairs.column)} pairs, {kept} kept, loss {losses}", flush=True)


def blank(texts: Texts, pairs: Pairs) -> Model:
    """Weights before any training."""
    return Learnt.nothing(len(pairs.column)), Learnt.nothing((texts.columns + 1) * texts.columns)


def pruned(texts: Texts, pairs: Pairs, weight: Floats, most: int) -> Flags:
    """Which pairs to keep in `most` bytes: those that move the scores of the sentences most."""
    seen = np.bincount(pairs.found(texts.keys.ravel()) + 1, minlength=len(pairs.keys) + 1)[1:]
    matter = np.abs(weight) * np.sqrt(seen[pairs.row])
    order = np.argsort(-matter, kind="stable")
    few, many = 0, int((weight != 0).sum())
    middle = many  # all of them may fit
    while many - few > NEAR:
        fits = size(pairs.kept(_first(order, middle))) <= most
        few, many = (middle, many) if fits else (few, middle)
        middle = (few + many) // 2
    return _first(order, many if many <= NEAR else few)


def _first(order: Ints, count: int) -> Flags:
    keep = np.zeros(len(order), np.bool_)
    keep[order[:count]] = True
    return keep


def size(pairs: Pairs) -> float:
    """Bytes of a table, nearly."""
    rows = len(pairs.keys)
    if not rows:
        return 0
    keys = rows * (KEY + LEAST_BITS - math.log2(rows)) / 8
    parts = (np.diff(pairs.first), pairs.column)
    small = (len(lzma.compress(part.astype(np.uint8).tobytes(), preset=9)) for part in parts)
    return keys + sum(small) + len(pairs.column) * CODE / 8


def coded(weight: Floats, count: int) -> tuple[Ints, Floats]:
    """The nearest of few codes for each weight, and the codes (Lloyd's way)."""
    codes = np.quantile(weight, (np.arange(count) + 0.5) / count)
    for _ in range(ROUNDS):
        code = np.searchsorted((codes[1:] + codes[:-1]) / 2, weight)
        number = np.bincount(code, minlength=count)
        codes = np.where(
            number > 0, np.bincount(code, weight, count) / np.maximum(number, 1), codes
        )
        codes.sort()
    code = np.searchsorted((codes[1:] + codes[:-1]) / 2, weight)
    return code.astype(np.int64), codes.astype(np.float32)


def seeded(keys: Keys) -> tuple[int, int]:
    """A seed and a number of bits by which no two keys become one."""
    for bits in range(LEAST_BITS, KEY_BITS):
        for seed in range(SEEDS >> max(0, len(keys) >> 14)):
            if len(np.unique(cut(keys, seed, bits))) == len(keys):
                return seed, bits
    message = f"{len(keys)} keys, and no seed tells them apart"
    raise ValueError(message)


def tabled(pairs: Pairs, weight: Floats, codes: int) -> Table:
    """A table of the daemon."""
    seed, bits = seeded(pairs.keys)
    short = cut(pairs.keys, seed, bits)
    order = np.argsort(short)
    count = np.diff(pairs.first)[order]
    first = np.append(0, np.cumsum(count))
    at = np.repeat(pairs.first[order] - first[:-1], count) + np.arange(len(weight))
    code, values = coded(weight, codes)
    return Table(seed, bits, short[order], first, pairs.column[at], code[at], values)


def square(weight: Floats, tags: int) -> Following:
    """Weights of a tag after another, or after none (the last row)."""
    return weight.astype(np.float64).reshape(tags + 1, tags)


def small(name: str, texts: Texts, most: int) -> tuple[Table, Following]:
    """Train a table that takes `most` bytes; and the weights of one tag after another."""
    plan = PLANS[name]
    pairs = texts.pairs(plan.least)
    model = blank(texts, pairs)
    fitted(f"{name}, sparse", texts, pairs, model, Course(plan.epochs, plan.l1))
    keep = pruned(texts, pairs, model[0].weight, most)
    pairs, model = pairs.kept(keep), (Learnt(*(one[keep] for one in model[0])), model[1])
    fitted(f"{name}, pruned", texts, pairs, model, Course(plan.again, drop=plan.drop))
    return tabled(pairs, model[0].weight, plan.codes), square(model[1].weight, texts.columns)


def dense(name: str, texts: Texts, cues: Iterator[Cue]) -> tuple[nlu_plain.Weights, Following]:
    """Train all weights, and give them by name."""
    plan = PLANS[name]
    pairs = texts.pairs(plan.least)
    model = blank(texts, pairs)
    fitted(f"{name}, twin", texts, pairs, model, Course(plan.epochs))
    weights = nlu_plain.named(cues, pairs, model[0].weight)
    return weights, square(model[1].weight, texts.columns)


def twin(taught: Taught, sentences: Sequence[Example]) -> Plain:
    """The model without compression."""
    ours = meanings()
    number = {name: i for i, name in enumerate(ours.intents)}
    bags = (cue for one in sentences for cue in nlu_plain.bag(one.words))
    rows = (
        cue
        for one in sentences if one.tags
        for row in nlu_plain.places(one.words, number[one.intent])
        for cue in row
    )  # fmt: skip
    whole, _ = dense("whole", taught.whole, bags)
    word, following = dense("word", taught.word, rows)
    return Plain(ours.intents, ours.slots, whole, word, following)


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True, help="folder of the data kit")
    parser.add_argument("--out", type=Path, required=True, help="folder for what comes out")
    parser.add_argument("--bytes", type=int, default=300_000, help="of nlu.bin, at most")
    parser.add_argument("--devel", action="store_true", help="hold the devel sentences out")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    sentences, _ = examples(options.kit, devel=options.devel)
    taught, ours = Taught.of(sentences), meanings()
    print(f"{len(sentences)} sentences, {len(taught.word.start) - 1} with slots")
    room = options.bytes - RESERVED
    whole, _ = small("whole", taught.whole, int(room * PLANS["whole"].share))
    word, following = small("word", taught.word, int(room * PLANS["word"].share))
    found = Nlu(ours.intents, ours.slots, whole, word, following)
    found.write(options.out / FILE)
    if (size_now := (options.out / FILE).stat().st_size) > options.bytes:
        message = f"{options.out / FILE}: {size_now} bytes, more than {options.bytes}"
        raise SystemExit(message)
    twin(taught, sentences).write(options.out / TWIN)
    for name in (FILE, TWIN):
        print(f"{options.out / name}: {(options.out / name).stat().st_size} bytes")


if __name__ == "__main__":
    main()
