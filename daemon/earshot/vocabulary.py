"""The words of a phone bundle: lexicon and language model, and those that a catalog adds."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
import numpy.typing as npt

from earshot.bundle import SPELLER, Bundle
from earshot.dictionary import Dictionary
from earshot.grammar import Grammar, LexiconGrammar, Weights
from earshot.lexicon import WORD_END, Pronunciations, Tree, read
from earshot.loop import Loop
from earshot.names import Names
from earshot.ngram import Ngram
from earshot.own import Favour, Own, grown
from earshot.p2g import P2g
from earshot.search import SearchSettings
from earshot.speller import Speller

# Given the settings of the search: what makes the grammar of each utterance.
Grammars = Callable[[SearchSettings], Callable[[], Grammar]]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a bundle knows of words, opened."""

    ngram: Ngram
    rows: Pronunciations
    tree: Tree
    marks: npt.NDArray[np.bool_]  # [tokens] that end a word
    dictionary: Dictionary
    loop: Loop | None
    """the tree with words outside it, if the bundle can spell them"""

    @classmethod
    def open(cls, bundle: Bundle) -> Self:
        """Open a phone bundle's. Raises BundleError."""
        ngram = Ngram(bundle.file("words.lm"))
        rows = read(bundle.file("lexicon"), ngram.words, list(bundle.symbols), WORD_END)
        tree = Tree.build(rows, ngram.unigram)
        marks = np.array([symbol.endswith(WORD_END) for symbol in bundle.symbols])
        dictionary = Dictionary(ngram.words, rows, bundle.symbols, bundle.file("g2p.onnx"))
        loop = None
        if bundle.holds(SPELLER):
            p2g = P2g(bundle.file(SPELLER))
            speller = Speller(p2g, bundle.symbols, tree, ngram.words, ngram.unigram)
            loop = Loop.build(tree, rows, marks, ngram.unknown, speller.spell)
        return cls(ngram, rows, tree, marks, dictionary, loop)

    def grammars(self, names: Names | None = None) -> Grammars:
        """Grammars of all words, and of those of the owner's names."""

        @lru_cache(1)  # a tree takes a while, and every utterance asks, with the same settings
        def grammars(search: SearchSettings) -> Callable[[], Grammar]:
            weights = Weights(search.lm_scale, search.word_bonus, search.nothing, search.unknown)
            tree, loop, own = self.tree, self.loop, None
            if names:
                favour = Favour(search.name_favour, search.name_bonus)
                own = Own.build(names, self.ngram, search.own, favour)
                tree, own = grown(self.rows, own, names, self.ngram, search.lm_scale)
                loop = self._loop(tree)
            return LexiconGrammar(tree, self.ngram, self.marks, weights, loop, own).fresh

        return grammars

    def _loop(self, tree: Tree) -> Loop | None:
        if self.loop is None:
            return None
        return Loop.build(tree, self.rows, self.marks, self.ngram.unknown, self.loop.spell)
