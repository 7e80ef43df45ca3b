"""How a word that no dictionary lists is said: a network from letters to phones, and its search.

Every letter yields a chunk of no, one or two phones. The network gives the log-probability of each
chunk from the letters around and the chunks just before, so a pronunciation is a path through the
word, letter by letter. Method: a window of letters as in NETtalk (Sejnowski and Rosenberg, 1987),
with the output before as context, as in joint-sequence models (Bisani and Ney, 2008).

The file describes itself by its metadata: `letters` (number 0 is outside of the word, these follow
from 1 on), `chunks` (parted by spaces; phones joined by "+", "_" for none; the number after the
last is the start of a word), `before` and `after` (letters seen each way), `history` (chunks seen).
"""

import unicodedata
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from earshot.errors import INSTALL, BundleError, LimitError, RequestError
from earshot.networks import metadata, open_network

Phones = tuple[str, ...]
Ints = npt.NDArray[np.int64]
# What was said so far and the last chunks, newest last, to their natural log-probability. The
# letters to come are the same for all, so two paths that agree in both are one.
Paths = dict[tuple[Phones, tuple[int, ...]], float]

MOST_LETTERS = 100  # of one request; the longest word of CMUdict has 34
BEAM = 8  # paths kept a letter; on words held out 24 find no better best and hardly better four
INPUTS = ["letters", "chunks"]
SIZES = ("before", "after", "history")
NOTHING = "_"
APOSTROPHES = str.maketrans("\u2018\u2019\u02bc", "'''")  # as texts and telephones write it


def parts(word: str, letters: str) -> list[str]:
    """Parts of a word at spaces and hyphens, in small letters without accents. Or RequestError."""
    marked = unicodedata.normalize("NFKD", word.casefold().translate(APOSTROPHES))
    plain = "".join(c for c in marked if not unicodedata.combining(c))
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


def _add(total: dict[Any, float], key: object, logp: float) -> None:
    """One more way to the same: their probabilities add up."""
    total[key] = float(np.logaddexp(total.get(key, -np.inf), logp))


def _best(total: dict[Phones, float], count: int) -> dict[Phones, float]:
    """The likeliest pronunciations, best first."""
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0]))[:count])


class G2p:
    """A grapheme-to-phoneme network."""

    def __init__(self, path: Path, beam: int = BEAM) -> None:
        """Open a g2p.onnx. Raises BundleError if it is damaged or of another kind."""
        self._session, self._beam = open_network(path), beam
        facts = metadata(self._session)
        try:
            self._before, self._after, self._history = (int(facts[size]) for size in SIZES)
            self._letters, names = facts["letters"], facts["chunks"].split()
        except (KeyError, ValueError) as error:
            message = f"{path}: not a network for spelling ({error}); {INSTALL}"
            raise BundleError(message) from None
        self._chunks = [() if name == NOTHING else tuple(name.split("+")) for name in names]

    def pronounce(self, word: str, count: int = 1) -> list[tuple[Phones, float]]:
        """The `count` likeliest pronunciations, best first, and their natural log-probabilities.

        Raises RequestError for other characters than letters and for a word without any.
        """
        found: dict[Phones, float] = {(): 0.0}
        for part in parts(word, self._letters):
            longer: dict[Phones, float] = {}
            pairs = product(found.items(), self._said(part, count).items())
            for (head, before), (tail, logp) in pairs:
                _add(longer, head + tail, before + logp)
            found = _best(longer, count)
        return list(found.items())

    def _said(self, part: str, count: int) -> dict[Phones, float]:
        numbers = [self._letters.index(c) + 1 for c in part]
        row = np.array([*[0] * self._before, *numbers, *[0] * self._after], np.int64)
        width = max(self._beam, 2 * count)  # at least two, as one path says nothing at all
        paths: Paths = {((), (len(self._chunks),) * self._history): 0.0}
        for i in range(len(part)):
            paths = self._step(row[i : i + self._before + 1 + self._after], paths, width)
        total: dict[Phones, float] = {}
        for (phones, _), logp in paths.items():
            if phones:
                _add(total, phones, logp)
        return _best(total, count)

    def _step(self, window: Ints, paths: Paths, width: int) -> Paths:
        """One letter further: the likeliest paths, after those that now agree became one."""
        keys = list(paths)
        last = np.array([chunks for _, chunks in keys], np.int64)
        feed = {INPUTS[0]: np.tile(window, (len(keys), 1)), INPUTS[1]: last}
        score = self._session.run(None, feed)[0] + np.array(list(paths.values()))[:, None]
        likely = np.argsort(-score, axis=None)[: 4 * width]  # more than stay, as some become one
        merged: Paths = {}
        for flat in likely.tolist():
            path, chunk = divmod(flat, score.shape[1])
            phones, chunks = keys[path]
            _add(merged, (phones + self._chunks[chunk], (*chunks[1:], chunk)), score[path, chunk])
        return dict(sorted(merged.items(), key=lambda item: -item[1])[:width])
