"""How any word is said: by the lexicon, and by the network for spelling where it has no answer."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from earshot.errors import INSTALL, BundleError, LimitError, RequestError
from earshot.g2p import G2p
from earshot.lexicon import WORD_END, Pronunciations, padded

GUESSES = 2  # pronunciations of a word that the lexicon lacks
MOST_KEPT = 50_000  # guessed words that are not guessed again
MOST_GUESSED = 1_000  # such words at once: some seconds


class Dictionary:
    """The words of a phone bundle and all others."""

    def __init__(
        self, words: Sequence[str], rows: Pronunciations, symbols: Sequence[str], g2p: Path
    ) -> None:
        """`words` are those that the numbers of `rows` name; `symbols` [V] those of the tokens."""
        self._words, self._rows, self.symbols = words, rows, symbols
        self.token = {symbol: i for i, symbol in enumerate(symbols)}
        self._path = g2p
        self._guesses: dict[str, list[tuple[list[int], float]]] = {}

    @cached_property
    def _number(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self._words)}

    @cached_property
    def _order(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The rows by word, and the words in this order."""
        order = np.argsort(self._rows.word, kind="stable")
        return order, self._rows.word[order]

    @cached_property
    def _g2p(self) -> G2p:
        return G2p(self._path)

    def knows(self, word: str) -> bool:
        """Whether the lexicon lists a word."""
        return word in self._number

    def said(self, words: Sequence[str], source: str) -> Pronunciations:
        """All pronunciations of words, which the rows name by their place among `words`; by word.

        Raises RequestError for a word that nobody could say, LimitError for too many that no
        lexicon lists; `source` names where they stand.
        """
        asked = np.array([self._number.get(word, -1) for word in words], np.int64)
        order, known = self._order
        first, after = np.searchsorted(known, asked), np.searchsorted(known, asked, "right")
        if (lacking := int((after == first).sum())) > MOST_GUESSED:
            raise LimitError(source, lacking, MOST_GUESSED, "words outside the lexicon")
        spoken: list[tuple[int, list[int], float]] = []
        for i, word in enumerate(words):
            rows = order[first[i] : after[i]]
            tokens, share = self._rows.tokens[rows].tolist(), self._rows.share[rows].tolist()
            spoken += [(i, t, s) for t, s in zip(tokens, share, strict=True)]
            if not len(rows):
                spoken += [(i, t, s) for t, s in self._guessed(word, source)]
        return Pronunciations(
            np.array([i for i, _, _ in spoken], np.int64),
            padded([tokens for _, tokens, _ in spoken]),
            np.array([share for _, _, share in spoken], np.float32),
        )

    def _guessed(self, word: str, source: str) -> list[tuple[list[int], float]]:
        """Tokens and log share of the likeliest pronunciations, kept: a catalog asks again."""
        if word not in self._guesses:
            if len(self._guesses) >= MOST_KEPT:
                self._guesses.clear()
            self._guesses[word] = self._guess(word, source)
        return self._guesses[word]

    def _guess(self, word: str, source: str) -> list[tuple[list[int], float]]:
        try:
            found = self._g2p.pronounce(word, GUESSES)
        except RequestError as error:
            message = f"{source}: {error}"
            raise RequestError(message) from None
        whole = np.logaddexp.reduce([logp for _, logp in found])
        try:
            return [
                ([*(self.token[p] for p in phones[:-1]), self.token[phones[-1] + WORD_END]],
                 float(logp - whole))
                for phones, logp in found
            ]  # fmt: skip
        except KeyError as error:
            message = f"{self._path}: says {error}, which is no token of the bundle; {INSTALL}"
            raise BundleError(message) from None
