"""Time-synchronous beam search of a transducer; all hypotheses of a frame lie in arrays.

A hypothesis is (predictor context, grammar node and state, catalog state): those that agree in all
of them have the same future, so the best stands for all (recombination). Each frame every hypothesis
either stays (blank) or takes one token, as the network was trained and as sherpa-onnx decodes.

A word's end opens a *boundary*; the words that led there are its arcs, all of them, not only the
best: boundaries and arcs are the raw lattice (word-conditioned tree search, Ortmanns, Ney and
Aubert, 1997). Inside a word only the best history is kept, and of two hypotheses that meet between
words at different boundaries only the better: they end in the same word, so little is lost.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from earshot.catalog import Catalog
from earshot.grammar import NONE, Grammar
from earshot.transducer import Scorer

Ints = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]
_MIX = np.array(
    [-7046029254386353131, 2685821657736338717, -4417276706812531889], np.int64
)  # odd: no key is lost


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """How wide to search. A bundle brings its own tuned values."""

    beam: int = 100
    """hypotheses kept a frame"""
    width: float = 12.0
    """natural log; a hypothesis this much worse than the best is dropped"""
    lm_scale: float = 0.6
    """weight of the language model"""
    ilm_scale: float = 0.4
    """weight of the network's own language model, taken away"""
    word_bonus: float = 0.0
    """natural log, a word"""
    extend_width: float = 6.0
    """natural log; a hypothesis whose tokens together are this unlikely beside the best stays"""
    lattice_width: float = 8.0
    """natural log; arcs this much worse than the best into a boundary are dropped"""


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

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Self:
        """Some of the rows."""
        return type(self)(*(column[rows] for column in self))

    def key(self) -> Ints:
        """Equal where the futures are equal [N]."""
        k = self.state * _MIX[0] ^ (self.node << 20 | self.context) * _MIX[1]
        return k ^ self.catalog * _MIX[2]


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


class Ended(NamedTuple):
    """Hypotheses that have just ended a word, with what their arcs need, a column each [W]."""

    live: Live
    word: Ints
    language: Scores
    begin: Ints
    end: Ints

    def take(self, rows: npt.NDArray[np.bool_]) -> Self:
        """Some of the rows."""
        return type(self)(self.live.take(rows), *(column[rows] for column in self[1:]))


def _joined(parts: list[Live]) -> Live:
    return Live(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def best_of_each(key: Ints, score: Scores) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The best row of each key [K], and for each row which of them stands for it [N]."""
    order = np.lexsort((-score, key))
    sorted_key = key[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = sorted_key[1:] != sorted_key[:-1]
    group = np.empty(len(order), np.intp)
    group[order] = np.cumsum(first) - 1
    return order[first], group


class Column:
    """A column that grows, without copying it each time."""

    def __init__(self, first: float, kind: type[np.int64 | np.float64]) -> None:
        self._room = np.full(256, first, kind)
        self._size = 1

    def append(self, values: npt.NDArray[Any]) -> None:
        """Add values [K]."""
        size = self._size + len(values)
        if size > len(self._room):
            self._room = np.concatenate([self._room, np.empty(size, self._room.dtype)])
        self._room[self._size : size] = values
        self._size = size

    @property
    def values(self) -> npt.NDArray[Any]:
        """All so far."""
        return self._room[: self._size]


class Memory:
    """Boundaries and arcs of an utterance; grows. Boundary 0 is the start."""

    def __init__(self, start_state: int) -> None:
        self._frame, self._state = Column(0, np.int64), Column(start_state, np.int64)
        # The best way to each boundary: from where, by which word, from when to when.
        self._way = tuple(Column(first, np.int64) for first in (0, NONE, 0, 0))
        self._total = Column(0.0, np.float64)
        self._arcs: list[Arcs] = []

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
        """The best words from the start to a boundary, with the frames of their first and last tokens."""
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
        return RawLattice(
            self._frame.values,
            self._state.values,
            Arcs(*(np.concatenate(c) for c in zip(*arcs, strict=True))),
            last,
            closing,
            self.totals(),
        )


class Search:
    """The search of one utterance: encoded chunks in, words so far and a raw lattice out."""

    def __init__(
        self, scorer: Scorer, grammar: Grammar, catalog: Catalog, settings: SearchSettings
    ) -> None:
        self._scorer, self._grammar, self._catalog, self._settings = (
            scorer,
            grammar,
            catalog,
            settings,
        )
        self._memory = Memory(grammar.start_state)
        one = lambda value: np.array([value], np.int64)  # noqa: E731 - a column of one row
        self._live = Live(
            np.zeros(1), one(scorer.start_context), one(grammar.start_node), one(grammar.start_state),
            one(0), np.zeros(1), one(0), one(NONE), one(0),
        )  # fmt: skip
        self.frame = 0  # encoder frames heard

    def accept(self, encoded: npt.NDArray[np.float32]) -> None:
        """Hear encoder frames [T, J]."""
        self._scorer.hear(encoded)
        for t in range(len(encoded)):
            self._step(t)
            self.frame += 1

    @property
    def last_token(self) -> int:
        """Frame of the best hypothesis' last token; 0 before the first."""
        return int(self._live.end[self._live.score.argmax()])

    def words(self) -> list[tuple[str, int, int]]:
        """Complete words of the best hypothesis so far, with the frames of their first and last tokens."""
        best = self._live.back[self._live.score.argmax()]
        spelling = self._grammar.spelling
        return [(spelling(w), begin, end) for w, begin, end in self._memory.words_to(int(best))]

    def _step(self, t: int) -> None:
        """One frame: all stay, and those whose tokens are likely enough are extended."""
        live = self._live
        contexts, row = np.unique(live.context, return_inverse=True)
        logp = self._scorer.logp(t, contexts)
        blank = logp[row, 0]
        stay = live._replace(score=live.score + blank)
        best = stay.score.max()
        emits = live.score + np.log1p(-np.exp(np.minimum(blank, -1e-6)))
        rows = np.flatnonzero(emits > best - self._settings.extend_width)
        if not len(rows):
            self._live = stay
            return
        logp = logp - np.float32(self._settings.ilm_scale) * self._scorer.internal(contexts)
        floor = best - self._settings.width
        grown, ended = self._extended(live.take(rows), logp, row[rows], floor)
        self._recombine(stay, grown, ended)

    def _extended(
        self, live: Live, logp: npt.NDArray[np.float32], row: Ints, floor: float
    ) -> tuple[Live, Ended]:
        """Hypotheses [N], whose contexts are rows of logp, by every token their nodes allow."""
        parent, token, child, gain = self._grammar.children(live.node)
        score = live.score[parent] + logp[row[parent], token] + gain
        keep = np.flatnonzero(score > floor)
        parent, token, child, score = parent[keep], token[keep], child[keep], score[keep]
        catalog, bonus = self._catalog.step(live.catalog[parent], token)
        old = live.take(parent)
        new = old._replace(
            score=score + bonus, context=self._scorer.advance(old.context, token), catalog=catalog,
            bias=old.bias + bonus, begin=np.where(old.begin == NONE, self.frame, old.begin),
            end=np.full(len(parent), self.frame),
        )  # fmt: skip
        ends = self._grammar.ends_word(old.node, token)
        inside = np.flatnonzero(~ends)
        grown = new.take(inside)._replace(node=self._grammar.enter(child[inside], token[inside]))
        return grown, self._ended(old.take(ends), new.take(ends), token[ends], child[ends])

    def _ended(self, old: Live, new: Live, token: Ints, child: Ints) -> Ended:
        """Extensions that end a word; their boundaries are opened if the search keeps them."""
        row, word, onward, gain = self._grammar.words(old.node, token, child)
        language, state = self._grammar.language(new.state[row], word)
        inside = (
            onward != child[row]
        )  # a word-end mark belongs to the word it ends, a piece to the next
        old, new = old.take(row), new.take(row)
        times = new.begin, np.where(inside, self.frame, old.end)
        new = new._replace(
            score=new.score + gain + language, state=state, node=self._grammar.enter(onward, token[row]),
            begin=np.where(inside, NONE, self.frame),
        )  # fmt: skip
        return Ended(new, word, language.astype(np.float64), *times)

    def _recombine(self, stay: Live, grown: Live, ended: Ended) -> None:
        """The best of each future, of those in the beam; words among them open boundaries."""
        score = np.concatenate([stay.score, grown.score, ended.live.score])
        floor = score.max() - self._settings.width
        room = self._settings.beam
        if len(score) > room:
            floor = max(floor, -np.partition(-score, room)[room])
        opened = self._opened(ended.take(ended.live.score > floor))
        every = _joined([stay.take(stay.score > floor), grown.take(grown.score > floor), opened])
        self._live = every.take(best_of_each(every.key(), every.score)[0])

    def _opened(self, ended: Ended) -> Live:
        """Open a boundary for each different future and add all words that lead to it."""
        new = ended.live
        if not len(new.score):
            return new
        best, group = best_of_each(new.key(), new.score)
        way = (new.back[best], ended.word[best], ended.begin[best], ended.end[best])
        gained = new.score - self._memory.totals()[new.back]
        numbers = self._memory.open(self.frame, new.state[best], new.score[best], way)
        arcs = Arcs(
            new.back, numbers[group], ended.word, ended.begin, ended.end,
            gained - ended.language - new.bias, ended.language, new.bias,
        )  # fmt: skip
        near = np.flatnonzero(new.score > new.score[best][group] - self._settings.lattice_width)
        self._memory.add(Arcs(*(column[near] for column in arcs)))
        return new.take(best)._replace(back=numbers, bias=np.zeros(len(best)))

    def raw(self) -> RawLattice:
        """The raw lattice as if the utterance ended here; words under way are taken for complete."""
        may, word, closing = self._grammar.final(self._live.node, self._live.state)
        live, word, closing = self._live.take(may), word[may], closing[may].astype(np.float64)
        under_way = word != NONE
        part = live.take(under_way)
        language, state = self._grammar.language(part.state, word[under_way])
        part = part._replace(score=part.score + language, state=state)
        ended = Ended(part, word[under_way], language.astype(np.float64), part.begin, part.end)
        opened = self._opened(ended)
        between = live.take(~under_way)
        closing = np.concatenate([closing[~under_way], np.zeros(len(opened.score))])
        return self._memory.raw(_joined([between, opened]), closing)
