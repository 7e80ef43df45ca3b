"""How a word that no dictionary lists is said: from letters to phones, by a small network.

The network and its search are those of earshot/rewriter.py. The file's metadata also has `letters`:
number 0 is outside of the word, these follow from 1 on.
"""

import unicodedata
from itertools import product
from pathlib import Path

from earshot.errors import LimitError, RequestError
from earshot.rewriter import Rewriter, Symbols, add, best
from earshot.saying import unmarked

MOST_LETTERS = 100  # of one request; the longest word of CMUdict has 34
BEAM = 8  # paths kept a letter; on words held out 24 find no better best and hardly better four
APOSTROPHES = str.maketrans("\u2018\u2019\u02bc", "'''")  # as texts and telephones write it


def parts(word: str, letters: str) -> list[str]:
    """Parts of a word at spaces and hyphens, in small letters without accents. Or RequestError."""
    plain = unmarked(word.casefold().translate(APOSTROPHES))
    found = "".join(" " if unicodedata.category(c) == "Pd" else c for c in plain).split()
    for character in "".join(found):
        if character not in letters:
            message = f"{word!r}: {character!r} is not a letter to say; spell it as it is spoken"
            raise RequestError(message)
    found = [part for part in found if any(map(str.isalpha, part))]
    if not found:
        message = f"{word!r}: there is nothing to say; give a word of at least one letter"
        raise RequestError(message)
    if sum(map(len, found)) > MOST_LETTERS:
        raise LimitError(word[:12] + "…", sum(map(len, found)), MOST_LETTERS, "letters")
    return found


class G2p:
    """A grapheme-to-phoneme network."""

    def __init__(self, path: Path, beam: int = BEAM) -> None:
        """Open a g2p.onnx. Raises BundleError if it is damaged or of another kind."""
        self._rewriter = Rewriter(path, beam, "letters")
        self._letters = self._rewriter.facts["letters"]

    def pronounce(self, word: str, count: int = 1) -> list[tuple[Symbols, float]]:
        """The `count` likeliest pronunciations, best first, and their natural log-probabilities.

        Raises RequestError for other characters than letters and for a word without any.
        """
        found: dict[Symbols, float] = {(): 0.0}
        for part in parts(word, self._letters):
            longer: dict[Symbols, float] = {}
            said = self._rewriter.rewrite([self._letters.index(c) + 1 for c in part], count)
            for (head, before), (tail, logp) in product(found.items(), said.items()):
                add(longer, head + tail, before + logp)
            found = best(longer, count)
        return list(found.items())
