"""Time-synchronous beam search of a transducer; all hypotheses of a frame lie in arrays.

A hypothesis is (predictor context, grammar node and state, catalog state): those that agree in all
of them have the same future, so the best stands for all (recombination). Each frame every
hypothesis either stays (blank) or takes one token, as the network was trained and as sherpa-onnx
decodes.

A word's end opens a *boundary*; the words that led there are its arcs, all of them, not only the
best: boundaries and arcs are the raw lattice (word-conditioned tree search, Ortmanns, Ney and
Aubert, 1997). Inside a word only the best history is kept, and of two hypotheses that meet between
words at different boundaries only the better: they end in the same word, so little is lost.
"""

from copy import copy
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from earshot.catalog import Catalog
from earshot.grammar import NONE, NOTHING, OWN, UNKNOWN, Grammar
from earshot.loop import Spelling
from earshot.memory import Arcs, Ints, Live, Memory, RawLattice, Rows, Scores, joined_live
from earshot.transducer import Scorer

CHANCE = 3.0  # natural log; what context may add to a word beyond what its look-ahead promised


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
    nothing: float = NOTHING
    """natural log; language score of hearing no word, which no text can tell: lower, and noises are
    taken for words (models.noises counts them); higher, and single words get lost"""
    unknown: float = UNKNOWN
    """natural log; language score of a word outside the lexicon, where the bundle can spell one:
    lower, and such words come out as known ones; higher, and known ones as unknown
    (models.unknown counts both)"""
    own: float = OWN
    """natural log; language score of a name of the owner's that the language model lacks"""
    name_bonus: float = 0.5
    """natural log; what each phone of a name of the owner's earns where such names are expected"""
    phrase_bonus: float = 1.0
    """natural log; what each token of a phrase earns that may stand anywhere"""
    name_favour: float = 1.0
    """natural log; what a word of such a name earns, beside others that sound like it"""
    attend: bool = True
    """whether the network attends to the owner's names, where the bundle has what that takes"""
    extend_width: float = 6.0
    """natural log; a hypothesis whose tokens together are this unlikely beside the best stays"""
    lattice_width: float = 8.0
    """natural log; arcs this much worse than the best into a boundary are dropped"""


class Ended(NamedTuple):
    """Hypotheses that have just ended a word, with what their arcs need, a column each [W]."""

    live: Live
    word: Ints
    language: Scores
    begin: Ints
    end: Ints

    def take(self, rows: Rows) -> Self:
        """Some of the rows."""
        rest = (column[rows] for column in self[1:])
        return type(self)._make([self.live.take(rows), *rest])


def _one(value: int) -> Ints:
    """A column of one row."""
    return np.array([value], np.int64)


def best_of_each(key: Ints, score: Scores) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The best row of each key [K], and for each row which of them stands for it [N]."""
    order = np.lexsort((-score, key))
    sorted_key = key[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = sorted_key[1:] != sorted_key[:-1]
    group = np.empty(len(order), np.intp)
    group[order] = np.cumsum(first) - 1
    return order[first], group


class Search:
    """The search of one utterance: encoded chunks in, words so far and a raw lattice out."""

    def __init__(
        self, scorer: Scorer, grammar: Grammar, catalog: Catalog, settings: SearchSettings
    ) -> None:
        self._scorer, self._grammar = scorer, grammar
        self._catalog, self._settings = catalog, settings
        self._memory = Memory(grammar.start_state)
        context, node, state = scorer.start_context, grammar.start_node, grammar.start_state
        self._live = Live(
            np.zeros(1), _one(context), _one(node), _one(state),
            _one(0), np.zeros(1), _one(0), _one(NONE), _one(0),
        )  # fmt: skip
        self.frame = 0  # encoder frames heard
        self._complete: float | None = None  # asked for far more often than the search goes on

    def accept(self, encoded: npt.NDArray[np.float32]) -> None:
        """Hear encoder frames [T, J]."""
        self._scorer.hear(encoded)
        self._complete = None
        for t in range(len(encoded)):
            self._step(t)
            self.frame += 1

    def widen(self, settings: SearchSettings) -> None:
        """Go on as wide as these settings say, or as narrow."""
        self._settings = settings

    def fork(self, scorer: Scorer) -> Self:
        """The same search, going on by itself with the scorer of a fork."""
        other = copy(self)
        other._scorer, other._memory = scorer, self._memory.fork()  # noqa: SLF001 - its own kind
        return other

    @property
    def complete(self) -> float:
        """Natural log of the chance that all ends here: of what hypotheses say, by their share."""
        if self._complete is None:
            live = self._live
            may, _, score = self._grammar.final(live.node, live.state)
            ended = np.logaddexp.reduce(live.score[may] + score[may], initial=-np.inf)
            self._complete = float(ended - np.logaddexp.reduce(live.score))
        return self._complete

    @property
    def last_token(self) -> int:
        """Frame of the best hypothesis' last token; 0 before the first."""
        return int(self._live.end[self._live.score.argmax()])

    @property
    def spoken(self) -> bool:
        """Whether the best hypothesis has a word."""
        return bool(self.words())

    def words(self) -> list[tuple[Spelling, int, int]]:
        """Words of the best hypothesis, each with the frames of its first and last token.

        A word under way counts where the grammar would let it end here, as word pieces do.
        """
        best = self._live.take(np.array([self._live.score.argmax()]))
        words = self._memory.words_to(int(best.back[0]))
        _, under_way, _ = self._grammar.final(best.node, best.state)
        if under_way[0] != NONE:
            words.append((int(under_way[0]), int(best.begin[0]), int(best.end[0])))
        return [(self._grammar.spelling(word), begin, end) for word, begin, end in words]

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
        grown, ended = self._extended(live.take(rows), logp, row[rows], stay.score)
        self._recombine(stay, grown, ended)

    def _extended(
        self, live: Live, logp: npt.NDArray[np.float32], row: Ints, others: Scores
    ) -> tuple[Live, Ended]:
        """Hypotheses [N], whose contexts are rows of logp, by every token their nodes allow.

        Those that have no chance beside each other and the `others` go before they cost anything.
        """
        parent, token, child, gain = self._grammar.children(live.node)
        score = live.score[parent] + logp[row[parent], token] + gain
        keep = np.flatnonzero(score > self._floor(np.concatenate([others, score])) - CHANCE)
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

    def _floor(self, score: Scores) -> float:
        """The score above which the beam has room, and that is near enough to the best."""
        room, floor = self._settings.beam, float(score.max() - self._settings.width)
        if len(score) <= room:
            return floor
        return max(floor, float(np.partition(score, len(score) - room)[-room]))

    def _ended(self, old: Live, new: Live, token: Ints, child: Ints) -> Ended:
        """Extensions that end a word; their boundaries are opened if the search keeps them."""
        row, word, onward, gain = self._grammar.words(old.node, token, child)
        old, new = old.take(row), new.take(row)
        language, state = self._grammar.language(new.state, word)
        marked, now = self._grammar.marked, np.full(len(row), self.frame)
        times = new.begin, now if marked else old.end
        earned = self._grammar.favour(new.state, word)
        new = new._replace(
            score=new.score + gain + language + earned,
            bias=new.bias + earned,
            node=self._grammar.enter(onward, token[row]),
            state=state,
            begin=np.full(len(row), NONE) if marked else now,
        )
        return Ended(new, word, language.astype(np.float64), *times)

    def _recombine(self, stay: Live, grown: Live, ended: Ended) -> None:
        """The best of each future, of those in the beam; words among them open boundaries."""
        score = np.concatenate([stay.score, grown.score, ended.live.score])
        keep = score > score.max() - self._settings.width
        room = self._settings.beam
        if len(score) > room:
            among = np.zeros(len(score), np.bool_)
            among[np.argpartition(-score, room)[:room]] = True  # whatever is equally good
            keep &= among
        stays, grows, ends = np.split(keep, np.cumsum([len(stay.score), len(grown.score)]))
        every = joined_live([stay.take(stays), grown.take(grows), self._opened(ended.take(ends))])
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
        self._memory.add(Arcs._make(column[near] for column in arcs))
        return new.take(best)._replace(back=numbers, bias=np.zeros(len(best)))

    def raw(self) -> RawLattice:
        """The raw lattice as if all ended here; words under way are taken for complete."""
        live = self._live
        left = self._catalog.final(live.catalog)  # phrases that were begun and go no further
        live = live._replace(score=live.score - left, bias=live.bias - left)
        may, word, score = self._grammar.final(live.node, live.state)
        if not may.any():  # all are inside a word: what was complete before it stands
            live = live.take(best_of_each(live.back, live.score)[0])
            live = live._replace(node=np.full(len(live.node), self._grammar.start_node))
            may, word, score = self._grammar.final(live.node, live.state)
        live, word, closing = live.take(may), word[may], score[may].astype(np.float64)
        under_way = word != NONE
        part = live.take(under_way)
        language, state = self._grammar.language(part.state, word[under_way])
        part = part._replace(score=part.score + language, state=state)
        ended = Ended(part, word[under_way], language.astype(np.float64), part.begin, part.end)
        opened = self._opened(ended)
        between = live.take(~under_way)
        closing = np.concatenate([closing[~under_way], np.zeros(len(opened.score))])
        return self._memory.raw(joined_live([between, opened]), closing)
