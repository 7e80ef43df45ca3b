"""Who speaks in the rows that end-pointers learn from, and who talks on beside them.

A television is one voice that goes on and on and says ever new things: of the same few words over
and over a network would learn that they come again.
"""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from models.augment import Floats
from models.data import Corpus

WORDS = 4  # of a recording, from which it is talk


class Talkers:
    """The recordings of a corpus, to draw from."""

    def __init__(self, corpus: Corpus, weights: Mapping[str, float]) -> None:
        """`weights`: of the recordings of a set where they are not 1."""
        self._corpus = corpus
        weight = np.array([weights.get(name, 1.0) for name in corpus.corpus])
        self._share = weight / weight.sum()

    def recording(self, dice: np.random.Generator) -> int:
        """Draw who is listened to."""
        return int(dice.choice(len(self._share), p=self._share))

    def talk(self, length: int, dice: np.random.Generator) -> Floats:
        """Frames [length, 80] of one speaker, from somewhere on, without the silence between."""
        some, have = list[Floats](), 0
        of = self._talkers[int(dice.integers(len(self._talkers)))]
        version = int(dice.integers(len(self._corpus.versions)))
        while have < 2 * length:
            one = of[int(dice.integers(len(of)))]
            start, end = self._corpus.times(one, version)
            stop = min(int(end[-1]), self._corpus.length(one, version))
            some.append(self._corpus.frames(one, version, int(start[0]), stop))
            have += len(some[-1])
        begin = int(dice.integers(have - length + 1))
        return np.concatenate(some)[begin : begin + length]

    @cached_property
    def _talkers(self) -> list[list[int]]:
        """Recordings by speaker; all of them are one where nobody says several words."""
        corpus, found = self._corpus, dict[tuple[str, str], list[int]]()
        for number, who in enumerate(zip(corpus.corpus, corpus.speaker, strict=True)):
            if corpus.opens(number, 0).sum() >= WORDS:
                found.setdefault(who, []).append(number)
        return list(found.values()) or [list(range(len(corpus.corpus)))]
