"""N-best lists of a network in training, by the search that ships.

The network's scores of an utterance go through the search with lexicon and language model of a
bundle, as they do on the device. Each text found is then said in its best way, which also tells
when: the loss wants tokens and the frames around which to look for them.

Texts that sound the same are one hypothesis, since only the language model tells them apart. For
the same reason a word is right if it may be said as the wanted one was: lists are compared with
tokens, and need no transcripts.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from earshot.bundle import MANIFEST, Bundle
from earshot.catalog import Catalog
from earshot.engine import Tuning
from earshot.grammar import LexiconGrammar, Weights
from earshot.lattice import build
from earshot.lexicon import WORD_END, Tree, read
from earshot.ngram import Ngram
from earshot.paths import alternatives
from earshot.search import Search
from earshot.settings import assemble

from models.loss import Floats, Longs
from models.paths import Choice, choose, graph
from models.phones import SYMBOLS

BLANK = 0
NAMES = [symbol.removesuffix(WORD_END) for symbol in SYMBOLS]  # of phones, by token
SPARE = 2  # texts looked at for each hypothesis wanted: some sound the same
Words = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A text, the best way to say it, and what the search adds for its language."""

    words: Words
    token: Longs  # [U]
    frame: Longs  # [U] encoder frames that emit them
    language: float  # natural log, weighted as in the search


class Known:
    """Scores that are known before the search: all contexts of all frames, one token each."""

    start_context = BLANK

    def __init__(self, internal: Floats) -> None:
        """`internal` [V, V]: what the predictor alone expects after each token, blank 0."""
        self._internal = internal
        self._logp = np.zeros((0, *internal.shape), np.float32)

    def hear(self, encoded: Floats) -> None:
        """Log-probabilities [T, V, V] after each token."""
        self._logp = encoded

    def logp(self, t: int, contexts: Longs) -> Floats:
        """Rows of the table."""
        return np.asarray(self._logp[t, contexts])

    def internal(self, contexts: Longs) -> Floats:
        """Rows of the table."""
        return self._internal[contexts]

    def advance(self, contexts: Longs, tokens: Longs) -> Longs:  # noqa: ARG002 - the protocol's
        """The token."""
        return tokens


class Lister:
    """Makes lists with what a bundle brings, save its network. Raises SystemExit for pieces."""

    def __init__(self, bundle: Bundle, count: int, beam: int) -> None:
        """`count` hypotheses at most, and the empty one; `beam` as of the search."""
        if bundle.symbols != tuple(SYMBOLS):
            message = f"{bundle.folder}: lists are made of words of phones; give a bundle of phones"
            raise SystemExit(message)
        tuning = assemble(Tuning, bundle.tuning, str(bundle.file(MANIFEST)), "tuning.")
        self._count, self._lattice = count, tuning.lattice
        self.search = replace(tuning.search, beam=beam)
        ngram = Ngram(bundle.file("words.lm"))
        rows = read(bundle.file("lexicon"), ngram.words, SYMBOLS, WORD_END)
        self._tree = Tree.build(rows, ngram.unigram)
        self._marks = np.array([symbol.endswith(WORD_END) for symbol in SYMBOLS])
        weights = Weights(self.search.lm_scale, self.search.word_bonus, self.search.nothing)
        self._grammar = LexiconGrammar(self._tree, ngram, self._marks, weights)
        self._said: dict[int, dict[Words, float]] = defaultdict(dict)
        columns = (rows.word.tolist(), rows.tokens.tolist(), rows.share.tolist())
        for word, tokens, share in zip(*columns, strict=True):
            self._said[word][tuple(t for t in tokens if t)] = share

    def __call__(self, logp: Floats, internal: Floats) -> list[Hypothesis]:
        """Best first, of log-probabilities [T, V, V] after each token; the empty text is last."""
        live = Search(Known(internal), self._grammar, Catalog.empty(len(SYMBOLS)), self.search)
        live.accept(logp)
        lattice = build(live.raw(), str, lambda frame: frame, self._lattice)
        texts = alternatives(lattice, SPARE * self._count) if lattice else ()
        weighed = logp - np.float32(self.search.ilm_scale) * internal  # as the search has them
        found: dict[Words, Hypothesis] = {}
        for text in texts:
            one = self._spoken(weighed, tuple(map(int, text.text.split())))
            if one and len(found) < self._count:
                found.setdefault(tuple(one.token.tolist()), one)
        none = np.zeros(0, np.int64)
        return [*found.values(), Hypothesis((), none, none, self._language(()))]

    def _spoken(self, logp: Floats, words: Words) -> Hypothesis | None:
        """A text in the way that fits best; None where it has more tokens than there are frames."""
        ways = graph([[tuple(NAMES[t] for t in said) for said in self._said[w]] for w in words])
        best = choose(logp, ways.token, ways)
        if best is None:
            return None
        shares = self.search.lm_scale * self._shares(words, best)
        return Hypothesis(words, best.token, best.frame, self._language(words) + shares)

    def _shares(self, words: Words, best: Choice) -> float:
        chosen = (tuple(best.token[best.word == i].tolist()) for i in range(len(words)))
        return sum(self._said[word][tokens] for word, tokens in zip(words, chosen, strict=True))

    def _language(self, words: Words) -> float:
        grammar, total = self._grammar, 0.0
        state = np.array([grammar.start_state])
        for word in words:
            score, state = grammar.language(state, np.array([word]))
            total += float(score[0])
        return total + float(grammar.final(np.array([grammar.start_node]), state)[2][0])

    def wanted(self, token: Longs) -> list[frozenset[int]]:
        """The words that each word of some tokens [U] may be; none where no lexicon says it so."""
        borders = [0, *(np.flatnonzero(self._marks[token]) + 1).tolist()]
        parts = (token[a:b].tolist() for a, b in pairwise(borders))
        return [frozenset(self._tree.words_of(part).tolist()) for part in parts]


def word_errors(wanted: Sequence[frozenset[int]], given: Words) -> int:
    """Fewest substitutions, insertions and deletions; a word is right if it is among the wanted."""
    row = list(range(len(given) + 1))
    for i, want in enumerate(wanted, 1):
        diagonal, row[0] = row[0], i
        for j, got in enumerate(given, 1):
            ways = (row[j] + 1, row[j - 1] + 1, diagonal + (got not in want))
            diagonal, row[j] = row[j], min(ways)
    return row[-1]
