"""How an unknown word is written, of the tokens that were heard."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from earshot.lexicon import WORD_END, Tree
from earshot.loop import Spelling, Unknown
from earshot.p2g import P2g

SPELLINGS = 8  # of one word; the first that is no known word is taken
REMEMBERED = 1000  # words


class Speller:
    """Knows the words of the lexicon, and spells all others by a network."""

    def __init__(
        self,
        p2g: P2g,
        symbols: Sequence[str],
        tree: Tree,
        words: Sequence[str],
        unigram: npt.NDArray[np.float32],
    ) -> None:
        """`words` by number, with their natural log-probabilities; the tree says how some are said.

        `symbols` are those of the tokens.
        """
        self._p2g, self._tree, self._words, self._unigram = p2g, tree, words, unigram
        self._phones = [symbol.removesuffix(WORD_END) for symbol in symbols]
        self._known = frozenset(words[number] for number in tree.word)
        self._remembered = lru_cache(REMEMBERED)(self._spelt)

    def spell(self, tokens: Sequence[int]) -> Spelling:
        """The word of the lexicon that is said like this, or an unknown one.

        What is in the lexicon and sounds otherwise is not the word that was heard: of the likely
        spellings the first that is no known word is taken.
        """
        return self._remembered(tuple(tokens))

    def _spelt(self, tokens: tuple[int, ...]) -> Spelling:
        found = self._tree.words_of(tokens)
        if len(found):
            return self._words[int(found[self._unigram[found].argmax()])]
        phones = tuple(self._phones[token] for token in tokens)
        spellings = [text for text, _ in self._p2g.spell(phones, SPELLINGS)]
        fresh = (text for text in spellings if text not in self._known)
        return Unknown(next(fresh, spellings[0]), phones)
