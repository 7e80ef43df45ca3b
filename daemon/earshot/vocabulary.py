"""The words of a phone bundle: lexicon and language model, and those that a catalog adds."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
import numpy.typing as npt

from earshot.bundle import SPELLER, Bundle
from earshot.dictionary import Dictionary
from earshot.grammar import Grammar, LexiconGrammar, Own, Weights
from earshot.lexicon import WORD_END, Pronunciations, Tree, read
from earshot.loop import Loop
from earshot.names import Names
from earshot.ngram import Ngram
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
        rows = _with_names(self.rows, names, self.ngram.words) if names else self.rows

        @lru_cache(1)  # a tree takes a while, and every utterance asks, with the same settings
        def grammars(search: SearchSettings) -> Callable[[], Grammar]:
            weights = Weights(
                search.lm_scale, search.word_bonus, search.nothing, search.unknown, search.own
            )
            tree, loop, own = self.tree, self.loop, None
            if names:
                own = _own(names, self.ngram, search.name_favour)
                known = np.append(self.ngram.unigram, np.full(len(names.words), search.own))
                tree = Tree.build(rows, known.astype(np.float32))
                loop = self._loop(tree)
            return LexiconGrammar(tree, self.ngram, self.marks, weights, loop, own).fresh

        return grammars

    def _loop(self, tree: Tree) -> Loop | None:
        if self.loop is None:
            return None
        return Loop.build(tree, self.rows, self.marks, self.ngram.unknown, self.loop.spell)


def _numbers(names: Names, known: list[str]) -> dict[str, int]:
    """Words by number; those of names follow the unknown word."""
    found = {word: i for i, word in enumerate(known)}
    return found | {word: len(known) + 1 + i for i, word in enumerate(names.words)}


def _with_names(rows: Pronunciations, names: Names, known: list[str]) -> Pronunciations:
    """The lexicon, and how names are said. What it has already comes once more: that is as well."""
    number = _numbers(names, known)
    longest = max([rows.tokens.shape[1], *(len(tokens) for _, tokens in names.spoken)])
    tokens = np.zeros((len(names.spoken), longest), np.int64)
    for row, (_, said) in zip(tokens, names.spoken, strict=True):
        row[: len(said)] = said
    before = np.pad(rows.tokens, ((0, 0), (0, longest - rows.tokens.shape[1])))
    word = np.array([number[word] for word, _ in names.spoken], np.int64)
    return Pronunciations(
        np.concatenate([rows.word, word]),
        np.concatenate([before, tokens]),
        np.append(rows.share, np.zeros(len(word), np.float32)),
    )


def _own(names: Names, ngram: Ngram, favour: float) -> Own:
    """What the grammar needs to know of names."""
    number = _numbers(names, ngram.words)
    column = np.zeros(ngram.unknown + 1 + len(names.words), np.float32)
    column[[number[word] for word, _ in names.spoken]] = favour
    return Own(names.words, column)
