"""What a search holds and remembers, in columns: its hypotheses, and the raw lattice behind them.

A word's end opens a *boundary*; the words that led there are its arcs, all of them, not only the
best. Boundaries and arcs are the raw lattice; each boundary also knows its best way from the start.
"""

from collections.abc import Iterable
from copy import copy
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from earshot.column import Column
from earshot.grammar import NONE, PLACE

Ints = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp] | npt.NDArray[np.bool_]
_MIX = (-7046029254386353131, 2685821657736338717, -4417276706812531889)  # odd: no key is lost


class Live(NamedTuple):
    """Hypotheses of one frame, a column each [N]."""

    score: Scores
    context: Ints
    node: Ints
    state: Ints
    catalog: Ints
    bias: Scores  # earned since the last boundary
    back: Ints  # the last boundary
    begin: Ints  # frame of the first token of the word under way
    end: Ints  # frame of the last token

    def take(self, rows: Rows) -> Self:
        """Some of the rows."""
        return type(self)._make(column[rows] for column in self)

    def key(self) -> Ints:
        """Equal where the futures are equal [N]."""
        where = (self.node & PLACE) << 20 | self.context
        key = self.state * _MIX[0] ^ where * _MIX[1] ^ self.catalog * _MIX[2]
        return np.asarray(key, np.int64)


class Arcs(NamedTuple):
    """Words between boundaries, a column each [A]."""

    source: Ints
    target: Ints
    word: Ints
    begin: Ints  # frame
    end: Ints  # frame
    acoustic: Scores
    language: Scores
    bias: Scores


class RawLattice(NamedTuple):
    """All that a search remembers of an utterance, with the hypotheses that may end it."""

    frame: Ints  # of each boundary
    state: Ints  # grammar state at each boundary
    arcs: Arcs
    last: Live  # hypotheses at the end, between words
    closing: Scores  # language score of ending, for each of them
    total: Scores  # score of each boundary's best arc, from the start


def joined_live(parts: Iterable[Live]) -> Live:
    """One after the other."""
    return Live._make(np.concatenate(columns) for columns in zip(*parts, strict=True))


def joined_arcs(parts: Iterable[Arcs]) -> Arcs:
    """One after the other."""
    return Arcs._make(np.concatenate(columns) for columns in zip(*parts, strict=True))


class Memory:
    """Boundaries and arcs of an utterance; grows. Boundary 0 is the start."""

    def __init__(self, start_state: int) -> None:
        self._frame, self._state = Column(0, np.int64), Column(start_state, np.int64)
        # The best way to each boundary: from where, by which word, from when to when.
        self._way = tuple(Column(first, np.int64) for first in (0, NONE, 0, 0))
        self._total = Column(0.0, np.float64)
        self._arcs: list[Arcs] = []

    def fork(self) -> Self:
        """The same, growing on by itself."""
        other, way = copy(self), tuple(column.copy() for column in self._way)
        columns = self._frame.copy(), self._state.copy(), self._total.copy()
        other._frame, other._state, other._total = columns  # noqa: SLF001 - its own kind
        other._way, other._arcs = way, [*self._arcs]  # noqa: SLF001
        return other

    def open(
        self, frame: int, state: Ints, total: Scores, way: tuple[Ints, Ints, Ints, Ints]
    ) -> Ints:
        """New boundaries, each with its best way: parent, word, begin, end; their numbers [K]."""
        first = len(self.totals())
        self._frame.append(np.full(len(state), frame))
        self._state.append(state)
        self._total.append(total)
        for column, values in zip(self._way, way, strict=True):
            column.append(values)
        return np.arange(first, first + len(state))

    def add(self, arcs: Arcs) -> None:
        """Words that lead to boundaries."""
        self._arcs.append(arcs)

    def totals(self) -> Scores:
        """Score of each boundary from the start."""
        return self._total.values

    def words_to(self, boundary: int) -> list[tuple[int, int, int]]:
        """The best words from the start to a boundary; frames of their first and last tokens."""
        parent, word, begin, end = (column.values for column in self._way)
        words = []
        while boundary:
            words.append((int(word[boundary]), int(begin[boundary]), int(end[boundary])))
            boundary = int(parent[boundary])
        return words[::-1]

    def raw(self, last: Live, closing: Scores) -> RawLattice:
        """Everything, as flat columns."""
        none, nothing = np.zeros(0, np.int64), np.zeros(0)
        arcs = [Arcs(none, none, none, none, none, nothing, nothing, nothing), *self._arcs]
        frame, state = self._frame.values, self._state.values
        return RawLattice(frame, state, joined_arcs(arcs), last, closing, self.totals())
