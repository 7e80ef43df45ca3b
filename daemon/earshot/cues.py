"""What an utterance is understood by: features of its words, as keys of 64 bits.

A word is known by four numbers: itself, itself with all numerals taken as one, its first letters,
and its last. What was misheard often still begins or ends as what was said. A cue is a kind and one
or two of these numbers; its key is a hash of them, so nothing has to be looked up by name.

For the intent, cues have no place: they count by how often the words are expected at all. In a
lattice that is a sum over its paths, which is worked out arc by arc, and a plain text is a lattice
of one path. What is expected more than once counts once.

For the tags, each word has cues of its own and of its neighbours.
"""

import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from earshot.events import Lattice
from earshot.grammar import spread
from earshot.wording import CARDINALS, ORDINALS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]
LETTERS = 4  # of a beginning or an end
LEAST = 0.005  # posterior of an arc that counts
NUMERAL = "#"
NUMERALS = frozenset(CARDINALS) | ORDINALS.keys()
EDGE = 1  # stands for the word before the first or after the last
WORD, SHAPE, HEAD, TAIL = range(4)  # the numbers of a word
NOTHING = 4  # the place of a number that is 0
_KIND, _LEFT, _RIGHT, _LAST = (
    np.uint64(one)
    for one in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93)
)

# Cues for the intent: kind, and the number of the word.
ALWAYS = 0
SINGLE = ((1, SHAPE), (2, HEAD), (3, TAIL))
FIRST, LAST, PAIR, SKIP = 4, 5, 6, 7
# Cues for the tag of a word: the kind is the place in the list; steps from the word, and a number.
Beside = tuple[int, int]
TAGGED: tuple[tuple[Beside, ...], ...] = (
    ((0, WORD),), ((0, SHAPE),), ((0, HEAD),), ((0, TAIL),), ((-1, WORD),), ((1, WORD),),
    ((-2, SHAPE),), ((2, SHAPE),), ((-1, SHAPE), (0, SHAPE)), ((0, SHAPE), (1, SHAPE)),
    ((-1, SHAPE), (1, SHAPE)), ((-2, SHAPE), (-1, SHAPE)), ((1, SHAPE), (2, SHAPE)),
    ((-1, HEAD),), ((1, TAIL),),
)  # fmt: skip
TAG_KINDS = 32  # where the kinds of these begin
WITH_INTENT = 64  # and of cues that hold only together with an intent
INTENDED: tuple[Beside | None, ...] = (None, (0, SHAPE), (-1, SHAPE), (1, SHAPE))


@lru_cache(maxsize=16_384)
def numbers(word: str) -> tuple[int, int, int, int]:
    """The four numbers of a word."""
    shape = NUMERAL if word in NUMERALS else word
    parts = (word, shape, "^" + shape[:LETTERS], shape[-LETTERS:] + "$")
    whole, shaped, head, tail = (zlib.crc32(part.encode("utf8", "replace")) for part in parts)
    return whole, shaped, head, tail


def key(kind: Ints, left: Ints, right: Ints) -> Keys:
    """Keys of cues: a hash of all three."""
    mixed = kind.view(np.uint64) * _KIND + left.view(np.uint64) * _LEFT + np.uint64(1)
    mixed = mixed ^ (mixed >> np.uint64(29))
    mixed = (mixed + right.view(np.uint64)) * _RIGHT
    mixed = (mixed ^ (mixed >> np.uint64(31))) * _LAST
    return np.asarray(mixed ^ (mixed >> np.uint64(33)), np.uint64)


class Bag(NamedTuple):
    """Cues of an utterance, and how often each is expected, at most once."""

    keys: Keys
    expected: Floats


class Paths(NamedTuple):
    """Words as a graph: arcs sorted by source, with the chance that each is on the path taken."""

    number: Ints  # [A, 4]
    source: Ints
    target: Ints
    chance: Floats
    share: Floats  # given that the path comes by its source
    end: int  # the last node

    @classmethod
    def of_words(cls, words: Sequence[str]) -> Self:
        """One path."""
        place, sure = np.arange(len(words)), np.ones(len(words))
        return cls(table(words), place, place + 1, sure, sure, len(words))

    @classmethod
    def of_lattice(cls, lattice: Lattice) -> Self:
        """All paths of a lattice that is sorted by source, less what is hardly likely."""
        arcs = [arc for arc in lattice.arcs if arc.posterior >= LEAST]
        source = np.array([arc.source for arc in arcs], np.int64)
        target = np.array([arc.target for arc in arcs], np.int64)
        chance = np.array([arc.posterior for arc in arcs], np.float64)
        leaving = np.bincount(source, chance, len(lattice.nodes))
        end = len(lattice.nodes) - 1
        return cls(
            table([arc.word for arc in arcs]), source, target, chance, chance / leaving[source], end
        )

    def onward(self, arcs: Ints) -> tuple[Ints, Ints]:
        """Each of some arcs with each that follows it: the place among them, and the follower."""
        first = np.searchsorted(self.source, self.target[arcs])
        return spread(first, np.searchsorted(self.source, self.target[arcs], "right") - first)


def table(words: Sequence[str]) -> Ints:
    """The numbers [N, 4] of words."""
    return np.array([numbers(word) for word in words], np.int64).reshape(-1, 4)


def bag(paths: Paths) -> Bag:
    """Cues for the intent, with how often they are expected."""
    chance, shape = paths.chance, paths.number[:, SHAPE]
    left, right = paths.onward(np.arange(len(paths.source)))
    pair = chance[left] * paths.share[right]
    before, third = paths.onward(right)
    begin, end = paths.source == 0, paths.target == paths.end
    # Kind, one number, another, and how often both are expected.
    found: list[tuple[int, Ints, Ints | None, Floats]] = [
        (ALWAYS, np.zeros(1, np.int64), None, np.ones(1)),
        *((kind, paths.number[:, which], None, chance) for kind, which in SINGLE),
        (FIRST, shape[begin], None, chance[begin]),
        (LAST, shape[end], None, chance[end]),
        (PAIR, shape[left], shape[right], pair),
        (SKIP, shape[left[before]], shape[third], pair[before] * paths.share[third]),
    ]
    sizes = [len(one) for _, one, _, _ in found]
    kinds = np.repeat([kind for kind, *_ in found], sizes)
    lefts = np.concatenate([one for _, one, _, _ in found])
    rights = np.concatenate([np.zeros_like(a) if b is None else b for _, a, b, _ in found])
    keys, which = np.unique(key(kinds, lefts, rights), return_inverse=True)
    count = np.bincount(which, np.concatenate([count for *_, count in found]), len(keys))
    return Bag(keys, np.minimum(count, 1.0))


def _columns(side: int) -> tuple[Ints, Ints]:
    """Steps and numbers of one side of all cues of a word; those that have none take NOTHING."""
    every = [*TAGGED, *((None, beside) for beside in INTENDED)]
    found = [cue[side] if len(cue) > side else None for cue in every]
    return (
        np.array([one[0] if one else 0 for one in found]),
        np.array([one[1] if one else NOTHING for one in found]),
    )


_LEFTS, _RIGHTS = _columns(0), _columns(1)
_KINDS = np.array(
    [TAG_KINDS + kind for kind in range(len(TAGGED))]
    + [WITH_INTENT + kind for kind in range(len(INTENDED))]
)


def places(number: Ints, intent: int) -> Keys:
    """Cues [N, K] of each word for its tag, given the numbers [N, 4] of all and the intent."""
    padded = np.full((len(number) + 4, 5), EDGE, np.int64)
    padded[2:-2, :4] = number
    padded[:, NOTHING] = 0
    at = np.arange(2, len(number) + 2)[:, None]
    left, right = (padded[at + step, which] for step, which in (_LEFTS, _RIGHTS))
    left[:, len(TAGGED) :] = intent
    return key(_KINDS, left, right)
