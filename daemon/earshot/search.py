"""Time-synchronous beam search of a transducer; all hypotheses of a frame lie in arrays.

A hypothesis is (predictor context, grammar node and state, catalog state): those that agree in all
of them have the same future, so the best stands for all (recombination). Each frame every hypothesis
either stays (blank) or takes one token, as the network was trained and as sherpa-onnx decodes.

A word's end opens a *boundary*; the words that led there are its arcs, all of them, not only the
best: boundaries and arcs are the raw lattice (word-conditioned tree search, Ortmanns, Ney and
Aubert, 1997). Inside a word only the best history is kept. Where two hypotheses meet between words, a
*link* remembers that the words of the one may stand for those of the other, at a cost.
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from earshot.catalog import Catalog
from earshot.grammar import NONE, Grammar
from earshot.transducer import Scorer

Ints = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]
_MIX = np.array([-7046029254386353131, 2685821657736338717, -4417276706812531889], np.int64)  # odd: no key is lost


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
    blank_sure: float = 0.02
    """a frame in which no hypothesis gives tokens more probability than this extends none"""
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


class Links(NamedTuple):
    """What led to `loser` may lead to `winner`, at a cost in acoustic score, a column each [L]."""

    loser: Ints
    winner: Ints
    cost: Scores


class RawLattice(NamedTuple):
    """All that a search remembers of an utterance, with the hypotheses that may end it."""

    frame: Ints  # of each boundary
    state: Ints  # grammar state at each boundary
    arcs: Arcs
    links: Links
    last: Live  # hypotheses at the end, between words
    closing: Scores  # language score of ending, for each of them
    total: Scores  # score of each boundary's best arc, from the start


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


class Memory:
    """Boundaries, arcs and links of an utterance; grows."""

    def __init__(self, start_state: int) -> None:
        self._frame, self._state = [np.zeros(1, np.int64)], [np.array([start_state], np.int64)]
        self._parent, self._word, self._total = [np.zeros(1, np.int64)], [np.array([NONE])], [np.zeros(1)]
        self._arcs: list[Arcs] = []
        self._links: list[Links] = []
        self._count = 1

    def open(self, frame: int, state: Ints, total: Scores, parent: Ints, word: Ints) -> Ints:
        """New boundaries, each with its best way back; their numbers [K]."""
        numbers = np.arange(self._count, self._count + len(state))
        self._count += len(state)
        self._frame.append(np.full(len(state), frame))
        for column, values in ((self._state, state), (self._total, total), (self._parent, parent), (self._word, word)):
            column.append(values)
        return numbers

    def add(self, arcs: Arcs) -> None:
        """Words that lead to boundaries."""
        self._arcs.append(arcs)

    def link(self, links: Links) -> None:
        """Boundaries whose futures met."""
        self._links.append(links)

    def totals(self) -> Scores:
        """Score of each boundary from the start."""
        if len(self._total) > 1:
            self._total = [np.concatenate(self._total)]
        return self._total[0]

    def words_to(self, boundary: int) -> list[int]:
        """The best words from the start to a boundary."""
        self._parent, self._word = [np.concatenate(self._parent)], [np.concatenate(self._word)]
        words = []
        while boundary:
            words.append(int(self._word[0][boundary]))
            boundary = int(self._parent[0][boundary])
        return words[::-1]

    def raw(self, last: Live, closing: Scores) -> RawLattice:
        """Everything, as flat columns."""
        none, nothing = np.zeros(0, np.int64), np.zeros(0)
        arcs = [Arcs(none, none, none, none, none, nothing, nothing, nothing), *self._arcs]
        links = [Links(none, none, nothing), *self._links]
        return RawLattice(
            np.concatenate(self._frame),
            np.concatenate(self._state),
            Arcs(*(np.concatenate(c) for c in zip(*arcs, strict=True))),
            Links(*(np.concatenate(c) for c in zip(*links, strict=True))),
            last,
            closing,
            self.totals(),
        )


class Search:
    """The search of one utterance: encoded chunks in, words so far and a raw lattice out."""

    def __init__(self, scorer: Scorer, grammar: Grammar, catalog: Catalog, settings: SearchSettings) -> None:
        self._scorer, self._grammar, self._catalog, self._settings = scorer, grammar, catalog, settings
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

    def words(self) -> list[str]:
        """Complete words of the best hypothesis so far."""
        best = self._live.back[self._live.score.argmax()]
        return [self._grammar.spelling(word) for word in self._memory.words_to(int(best))]

    def _step(self, t: int) -> None:
        """One frame: all stay, and where a token is likely enough all are extended."""
        live = self._live
        contexts, row = np.unique(live.context, return_inverse=True)
        logp = self._scorer.logp(t, contexts)
        stay = live._replace(score=live.score + logp[row, 0])
        if np.log1p(-self._settings.blank_sure) <= logp[:, 0].min():
            self._live = stay
            return
        floor = stay.score.max() - self._settings.width
        grown, ended = self._extended(live, logp - self._internal(contexts), row, floor)
        self._recombine([stay.take(stay.score > floor), grown, ended])

    def _internal(self, contexts: Ints) -> npt.NDArray[np.float32]:
        return np.float32(self._settings.ilm_scale) * self._scorer.internal(contexts)

    def _extended(self, live: Live, logp: npt.NDArray[np.float32], context_row: Ints, floor: float) -> tuple[Live, Live]:
        """Every hypothesis by every token its node allows: those inside a word, those at its end."""
        row, token, child, gain = self._grammar.children(live.node)
        score = live.score[row] + logp[context_row[row], token] + gain
        keep = np.flatnonzero(score > floor)
        row, token, child, score = row[keep], token[keep], child[keep], score[keep]
        catalog, bonus = self._catalog.step(live.catalog[row], token)
        old = live.take(row)
        begin = np.where(old.begin == NONE, self.frame, old.begin)
        new = old._replace(
            score=score + bonus, context=self._scorer.advance(old.context, token), catalog=catalog,
            bias=old.bias + bonus, begin=begin, end=np.full(len(row), self.frame),
        )  # fmt: skip
        ends = self._grammar.ends_word(old.node, token)
        inside = ~ends
        grown = new.take(inside)._replace(node=self._grammar.enter(child[inside], token[inside]))
        return grown, self._ended(old.take(ends), new.take(ends), token[ends], child[ends])

    def _ended(self, old: Live, new: Live, token: Ints, child: Ints) -> Live:
        """Extensions that end a word, behind new boundaries."""
        row, word, onward, gain = self._grammar.words(old.node, token, child)
        language, state = self._grammar.language(new.state[row], word)
        inside = onward != child[row]  # a word-end mark belongs to the word it ends, a piece to the next
        end = np.where(inside, self.frame, old.end[row])
        new = new.take(row)
        begin = new.begin
        new = new._replace(
            score=new.score + gain + language, state=state, node=self._grammar.enter(onward, token[row]),
            begin=np.where(inside, NONE, self.frame),
        )  # fmt: skip
        return self._bounded(new, word, language, (begin, end))

    def _bounded(self, new: Live, word: Ints, language: npt.NDArray[np.float32], times: tuple[Ints, Ints]) -> Live:
        """Open a boundary for each different future and add all words that lead to it."""
        if not len(word):
            return new
        best, group = best_of_each(new.key(), new.score)
        memory = self._memory
        numbers = memory.open(self.frame, new.state[best], new.score[best], new.back[best], word[best])
        near = np.flatnonzero(new.score > new.score[best][group] - self._settings.lattice_width)
        gained = new.score - memory.totals()[new.back]
        arcs = Arcs(new.back, numbers[group], word, *times, gained - language - new.bias, language.astype(np.float64), new.bias)
        memory.add(Arcs(*(column[near] for column in arcs)))
        kept = new.take(best)
        return kept._replace(back=numbers, bias=np.zeros(len(best)))

    def _recombine(self, parts: list[Live]) -> None:
        """The best of each future, at most `beam` of them."""
        every = _joined(parts)
        best, group = best_of_each(every.key(), every.score)
        self._link(every, best, group)
        score = every.score[best]
        near = score > score.max() - self._settings.width
        best, score = best[near], score[near]
        if len(best) > self._settings.beam:
            best = best[np.argpartition(-score, self._settings.beam)[: self._settings.beam]]
        self._live = every.take(best)

    def _link(self, every: Live, best: npt.NDArray[np.intp], group: npt.NDArray[np.intp]) -> None:
        """Remember the losers between words."""
        winner = best[group]
        lost = (every.begin == NONE) & (every.back != every.back[winner])
        lost &= every.score > every.score[winner] - self._settings.lattice_width
        rows = np.flatnonzero(lost)
        if len(rows):
            total = self._memory.totals()
            ahead = every.score - total[every.back]  # what each has spent since its boundary
            loser, won = every.back[rows], every.back[winner[rows]]
            self._memory.link(Links(loser, won, ahead[rows] - ahead[winner[rows]]))

    def raw(self) -> RawLattice:
        """The raw lattice as if the utterance ended here."""
        live = self._live
        may, word, closing = self._grammar.final(live.node, live.state)
        if not may.any():
            return self._memory.raw(live.take(may), closing[may].astype(np.float64))
        live, word, closing = live.take(may), word[may], closing[may]
        under_way = np.flatnonzero(word != NONE)
        if len(under_way):
            live = self._finished(live, word, under_way)
        return self._memory.raw(live, closing.astype(np.float64))

    def _finished(self, live: Live, word: Ints, rows: npt.NDArray[np.intp]) -> Live:
        """Words under way are taken for complete."""
        part = live.take(rows)
        language, state = self._grammar.language(part.state, word[rows])
        part = part._replace(score=part.score + language, state=state)
        numbers = self._memory.open(self.frame, state, part.score, part.back, word[rows])
        gained = part.score - self._memory.totals()[part.back]
        arcs = Arcs(part.back, numbers, word[rows], part.begin, part.end, gained - language - part.bias, language.astype(np.float64), part.bias)
        self._memory.add(arcs)
        score, back = live.score.copy(), live.back.copy()
        score[rows], back[rows] = part.score, numbers
        return live._replace(score=score, back=back)
