"""A lattice ⇄ a parcel: what leaves the device for a re-ranker, in as few bytes as possible.

Arcs whose posterior is small go first. The scores of those that stay are pushed towards the
start, so that what leaves a node sums to one: where there is one way, its score need not be told.
Times are not told at all. Then, by tables of what to expect (earshot.coder):

    nodes - 2, names had a part?, language of all words?
    for each node but the last: arcs that leave it - 1; for each of these, by target:
        target: from the one before, of the first arc from the node itself - 1
        word:   one of those in the parcel so far, or one by its number in the list, or one spelt
        share:  of what leaves the node, in steps of STEP natural logs; if there is another way
        bias in BIAS_STEP, if names had a part anywhere
        language score in LANGUAGE_STEP, if asked for, and always of what is spelt or biased: of
        names, only the device knows how likely they are

So no parcel can hold a circle or a way back; whatever else bytes may hold is refused.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from earshot.coder import Reader, Table, Writer
from earshot.errors import LimitError, RequestError
from earshot.events import Lattice
from earshot.generated.v1.rescoring_pb2 import Parcel
from earshot.thinning import Thin, ThinSettings, thinned
from earshot.word_list import WordList

# Natural logs. Steps of 0.5 change the best paths of librispeech_dev so much that its WER is 22.2 %
# instead of 21.8 %; those of 0.25 leave it at 21.9 %, for 3 % more bytes.
STEP, LANGUAGE_STEP, BIAS_STEP = 0.25, 0.5, 0.25
AHEAD = 8  # steps that a language score may be above 0
MOST_ARCS, MOST_BYTES, MOST_LETTERS = 2_048, 8_192, 200
_PARCEL, _WORD = "a parcel", "a word"
_NODES, _WAYS = Table.falling(0.93, 48), Table.falling(0.5, 12)
_FIRST, _NEXT = Table.falling(0.55, 16), Table.falling(0.6, 16)
_SHARE, _LANGUAGE = Table.falling(0.915, 48), Table.falling(0.95, 48)
_BIAS, _SAID = Table.falling(0.8, 32, 12.0), Table.of([5, 3])


class ParcelArc(NamedTuple):
    """An arc as a parcel has it. Scores are natural logs."""

    source: int
    target: int
    word: str
    score: float
    """of all that the device knew; what leaves a node sums to one"""
    language: float | None
    """of that, what the device's language model said; None where it is not told"""
    bias: float
    """of that, what names added"""


@dataclass(frozen=True, slots=True)
class Opened:
    """A parcel as it is read. Node 0 is the one start, the last the one end; arcs by source."""

    nodes: int
    arcs: tuple[ParcelArc, ...]


class Packed(NamedTuple):
    """A parcel, and for each arc of it the place of the arc among those of the lattice."""

    parcel: Parcel
    arcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ParcelSettings:
    """How much of a lattice is sent."""

    least: float = 0.004
    """posterior; arcs below are not sent"""
    arcs_a_second: float = 22.0
    """of audio; no more than these, the likeliest"""
    language: bool = False
    """send what the language model of the device says of every word"""


def pack(lattice: Lattice, words: WordList, settings: ParcelSettings | None = None) -> Packed:
    """Make a parcel. Raises RequestError for a lattice without words, LimitError for a long one."""
    given = settings or ParcelSettings()
    thin = thinned(lattice, ThinSettings(given.least, given.arcs_a_second, MOST_ARCS))
    writer, said = Writer(), _Said(words)
    biased = any(round(lattice.arcs[i].bias / BIAS_STEP) for i in thin.arcs)
    writer.number(thin.nodes - 2, _NODES)
    writer.even(biased, 2)
    writer.even(given.language, 2)
    for arcs in thin.leaving():
        writer.number(len(arcs) - 1, _WAYS)
        _write_node(writer, said, thin, arcs, (lattice, biased, given.language))
    parcel = Parcel(word_list=words.fingerprint, packed=writer.data(), spelt=said.spelt)
    if (size := len(parcel.packed)) > MOST_BYTES:
        raise LimitError(_PARCEL, size, MOST_BYTES, "bytes")
    return Packed(parcel, thin.arcs)


def _write_node(
    writer: Writer,
    said: "_Said",
    thin: Thin,
    arcs: Sequence[int],
    known: tuple[Lattice, bool, bool],
) -> None:
    """Write the arcs that leave a node."""
    lattice, biased, language = known
    before, table = thin.source[arcs[0]] + 1, _FIRST
    for i in arcs:
        arc = lattice.arcs[thin.arcs[i]]
        writer.number(thin.target[i] - before, table)
        before, table = thin.target[i], _NEXT
        spelt = said.write(writer, arc.word)
        if len(arcs) > 1:
            writer.number(round(-thin.share[i] / STEP), _SHARE)
        bias = round(arc.bias / BIAS_STEP)
        if biased:
            writer.number(_folded(bias), _BIAS)
        if language or spelt or bias:
            writer.number(max(0, round(-arc.language / LANGUAGE_STEP) + AHEAD), _LANGUAGE)


def unpack(parcel: Parcel, words: WordList) -> Opened:
    """Read a parcel.

    Raises RequestError for one that is none or of another list, LimitError for one over a limit.
    """
    if parcel.word_list not in {0, words.fingerprint}:
        message = "the words are numbered by another list; send them spelt (word_list 0)"
        raise RequestError(message)
    if (size := len(parcel.packed)) > MOST_BYTES:
        raise LimitError(_PARCEL, size, MOST_BYTES, "bytes")
    reader = Reader(parcel.packed)
    said = _Said(words if parcel.word_list else WordList(), list(parcel.spelt))
    last = reader.number(_NODES) + 1
    told = bool(reader.even(2)), bool(reader.even(2))
    arcs: list[ParcelArc] = []
    for node in range(last):
        ways = reader.number(_WAYS) + 1
        if (count := len(arcs) + ways) > MOST_ARCS:
            raise LimitError(_PARCEL, count, MOST_ARCS, "arcs")
        arcs += _read_node(reader, said, node, ways, told)
    reader.finish()
    said.finish()
    _connected(arcs, last)
    return Opened(last + 1, tuple(arcs))


def _read_node(
    reader: Reader, said: "_Said", node: int, ways: int, told: tuple[bool, bool]
) -> list[ParcelArc]:
    """Read the arcs that leave a node, and make their shares sum to one."""
    found: list[ParcelArc] = []
    before, table = node + 1, _FIRST
    biased, language = told
    for _ in range(ways):
        before += reader.number(table)
        table = _NEXT
        word, spelt = said.read(reader)
        share = -STEP * reader.number(_SHARE) if ways > 1 else 0.0
        bias = BIAS_STEP * _unfolded(reader.number(_BIAS)) if biased else 0.0
        known = None
        if language or spelt or bias:
            known = LANGUAGE_STEP * (AHEAD - reader.number(_LANGUAGE))
        found.append(ParcelArc(node, before, word, share, known, bias))
    whole = math.log(sum(math.exp(arc.score) for arc in found) or 1.0)
    return [arc._replace(score=arc.score - whole) for arc in found]


def _connected(arcs: Sequence[ParcelArc], last: int) -> None:
    """Raise RequestError unless every node is reached, and no arc leads beyond the end."""
    if any(arc.target > last for arc in arcs):
        message = "an arc leads to a node that is none; pack the lattice again"
        raise RequestError(message)
    if len({arc.target for arc in arcs}) != last:
        message = "no arc leads to some node; pack the lattice again"
        raise RequestError(message)


def _folded(value: int) -> int:
    """A number of either sign as one that is not below 0."""
    return 2 * value if value >= 0 else -2 * value - 1


def _unfolded(value: int) -> int:
    return -(value + 1) // 2 if value % 2 else value // 2


class _Said:
    """The words of a parcel so far."""

    def __init__(self, words: WordList, spelt: list[str] | None = None) -> None:
        self._list, self.spelt = words, spelt or []
        self._place: dict[str, int] = {}
        self._words: list[str] = []
        self._taken = 0

    def write(self, writer: Writer, word: str) -> bool:
        """Write a word; whether it is spelt."""
        known = self._list.number.get(word)
        if self._words:
            writer.one(int(word not in self._place), _SAID)
        if word in self._place:
            writer.even(self._place[word], len(self._words))
            return known is None
        writer.one(len(self._list.words) if known is None else known, self._list.table)
        if known is None:
            if len(word) > MOST_LETTERS:
                raise LimitError(_WORD, len(word), MOST_LETTERS, "letters")
            self.spelt.append(word)
        self._note(word)
        return known is None

    def read(self, reader: Reader) -> tuple[str, bool]:
        """Read a word, and whether it is spelt. Raises RequestError where it is missing."""
        if self._words and not reader.one(_SAID):
            word = self._words[reader.even(len(self._words))]
            return word, word not in self._list.number
        number = reader.one(self._list.table)
        spelt = number == len(self._list.words)
        word = self._next() if spelt else self._list.words[number]
        self._note(word)
        return word, spelt

    def _next(self) -> str:
        """The next of the spelt words."""
        if self._taken == len(self.spelt):
            message = "a word is said to be spelt, but is not there; pack the lattice again"
            raise RequestError(message)
        word = self.spelt[self._taken]
        self._taken += 1
        if len(word) > MOST_LETTERS:
            raise LimitError(_WORD, len(word), MOST_LETTERS, "letters")
        if word in self._place or word in self._list.number or not word.strip():
            message = "a word is spelt that needs no spelling; pack the lattice again"
            raise RequestError(message)
        return word

    def _note(self, word: str) -> None:
        self._place[word] = len(self._words)
        self._words.append(word)

    def finish(self) -> None:
        """Raise RequestError if a spelt word was not asked for."""
        if self._taken != len(self.spelt):
            message = "more words are spelt than the lattice has; pack the lattice again"
            raise RequestError(message)
