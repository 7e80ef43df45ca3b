"""The model of `earshot.nlu` without compression: a dictionary from names of cues to float weights.

It says what compression costs (`models.understood`), and what the hashed model should do: both have
the same cues, here with names instead of keys.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, pairwise
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from earshot import cues
from earshot.nlu import Tags, merged, normal, tagged

from models.ftrl import Pairs

Floats = npt.NDArray[np.float64]
Cue = tuple[int, str, str]  # kind, and one or two parts of words
Weights = dict[Cue, list[tuple[int, float]]]
FULL = (1 << 64) - 1
# The constants of earshot.cues.key.
KIND, LEFT, RIGHT, LAST = (
    0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93,
)  # fmt: skip
EDGE, NOTHING = "<edge>", ""


@cache
def parts(word: str) -> tuple[str, str, str, str]:
    """What a word is known by, in the order of `earshot.cues.numbers`."""
    shape = cues.NUMERAL if word in cues.NUMERALS else word
    return word, shape, "^" + shape[: cues.LETTERS], shape[-cues.LETTERS :] + "$"


def _number(part: str) -> int:
    if part.isdecimal():  # an intent
        return int(part)
    return cues.EDGE if part == EDGE else zlib.crc32(part.encode())  # 0 of nothing


def key_of(cue: Cue) -> int:
    """The key of a cue, by Python's own numbers."""
    kind, left, right = cue
    mixed = (1 + kind * KIND + _number(left) * LEFT) & FULL
    mixed ^= mixed >> 29
    mixed = (mixed + _number(right)) * RIGHT & FULL
    mixed = (mixed ^ (mixed >> 31)) * LAST & FULL
    return mixed ^ (mixed >> 33)


def bag(words: Sequence[str]) -> set[Cue]:
    """Cues of a text for the intent."""
    shapes = [parts(word)[cues.SHAPE] for word in words]
    found: set[Cue] = {(cues.ALWAYS, NOTHING, NOTHING)}
    found |= {(kind, parts(word)[which], NOTHING) for word in words for kind, which in cues.SINGLE}
    if words:
        found |= {(cues.FIRST, shapes[0], NOTHING), (cues.LAST, shapes[-1], NOTHING)}
    found |= {(cues.PAIR, a, b) for a, b in pairwise(shapes)}
    found |= {(cues.SKIP, a, b) for a, b in zip(shapes, shapes[2:], strict=False)}
    return found


def places(words: Sequence[str], intent: int) -> Iterator[list[Cue]]:
    """Cues of each word of a text for its tag."""
    edge = (EDGE,) * 4
    padded = [edge, edge, *map(parts, words), edge, edge]
    for at in range(2, len(words) + 2):
        found = [
            (cues.TAG_KINDS + kind, *_two([padded[at + step][which] for step, which in cue]))
            for kind, cue in enumerate(cues.TAGGED)
        ]
        found += [
            (cues.WITH_INTENT + k, str(intent), padded[at + one[0]][one[1]] if one else NOTHING)
            for k, one in enumerate(cues.INTENDED)
        ]
        yield found


def _two(found: list[str]) -> tuple[str, str]:
    return found[0], found[1] if len(found) > 1 else NOTHING


@dataclass(frozen=True, slots=True)
class Plain:
    """The model."""

    intents: tuple[str, ...]
    slots: tuple[str, ...]
    whole: Weights
    word: Weights
    following: Floats

    def meant(self, words: Sequence[str]) -> Floats:
        """Natural log P(intent) [I]."""
        scores = np.zeros(len(self.intents))
        _add(scores, self.whole, bag(words))
        return merged(normal(scores), self.intents)

    def tagged(self, words: Sequence[str], intent: int) -> Tags:
        """The likeliest tags."""
        own = np.zeros((1, len(words), len(self.slots) + 1))
        for at, found in enumerate(places(words, intent)):
            _add(own[0, at], self.word, found)
        return tagged(own, np.array([len(words)]), self.following)[0]

    def write(self, path: Path) -> None:
        """Write names, columns of one byte, and weights of four."""
        arrays = {"following": self.following.astype(np.float32)}
        for name, weights in (("whole", self.whole), ("word", self.word)):
            cue = "\n".join("\t".join(map(str, one)) for one in weights)
            pairs = list(chain.from_iterable(weights.values()))
            arrays[f"{name}_names"] = np.frombuffer(cue.encode(), np.uint8)
            arrays[f"{name}_count"] = np.array([len(one) for one in weights.values()], np.uint8)
            arrays[f"{name}_column"] = np.array([column for column, _ in pairs], np.uint8)
            arrays[f"{name}_weight"] = np.array([weight for _, weight in pairs], np.float32)
        np.savez(path, intents=self.intents, slots=self.slots, **arrays)  # type: ignore[arg-type]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote."""
        with np.load(path) as found:
            return cls(
                tuple(map(str, found["intents"])),
                tuple(map(str, found["slots"])),
                _table(found, "whole"),
                _table(found, "word"),
                found["following"].astype(np.float64),
            )


def _table(found: Mapping[str, npt.NDArray[np.generic]], name: str) -> Weights:
    lines = bytes(found[f"{name}_names"]).decode().split("\n")
    pairs = zip(found[f"{name}_column"].tolist(), found[f"{name}_weight"].tolist(), strict=True)
    counts = found[f"{name}_count"].tolist()
    weights: Weights = {}
    for line, count in zip(lines, counts, strict=True):
        kind, left, right = line.split("\t")
        weights[int(kind), left, right] = [next(pairs) for _ in range(count)]
    return weights


def _add(scores: Floats, weights: Weights, found: Iterable[Cue]) -> None:
    for cue in found:
        for column, weight in weights.get(cue, ()):
            scores[column] += weight


def named(found: Iterable[Cue], pairs: Pairs, weight: npt.NDArray[np.float32]) -> Weights:
    """Weights by name, of all cues that have a row."""
    known = {key: row for row, key in enumerate(pairs.keys.tolist())}
    columns, values, first = pairs.column.tolist(), weight.tolist(), pairs.first.tolist()
    weights: Weights = {}
    for cue in found:
        if cue not in weights and (row := known.get(key_of(cue))) is not None:
            span = slice(first[row], first[row + 1])
            kept = [(c, w) for c, w in zip(columns[span], values[span], strict=True) if w]
            if kept:
                weights[cue] = kept
    return weights
