"""One utterance: samples in, words so far, and at the end a result. Pure; made by the engine.

samples ▶ features ▶ windows ▶ encoder ▶ search ▶ lattice
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from earshot.attention import Encodes
from earshot.catalog import Catalog
from earshot.encoder import Windows
from earshot.events import Result, Word
from earshot.explain import Index, explained
from earshot.features import Features
from earshot.grammar import Grammar
from earshot.lattice import LatticeSettings, build, result
from earshot.loop import written
from earshot.search import Search, SearchSettings
from earshot.transducer import Scorer
from earshot.units import ENCODER_FRAME

Samples = npt.NDArray[np.float32]
TAIL = 24  # feature frames of silence at the end, so that the last tokens come out


class Judges(Protocol):
    """Who hears an utterance beside the search, and has the last word."""

    @property
    def last_token(self) -> int:
        """Encoder frame of the last token that was heard, whether or not the search took it."""

    def judged(self, found: Result, score: float) -> Result:
        """What to make of a result; `score` is that of the best hypothesis, -inf for none."""


class Utterance:
    """The way of one utterance from its first sample to its lattice."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of the way, in their order
        self,
        start: int,
        encoder: Encodes,
        scorer: Scorer,
        grammar: Grammar,
        catalog: Catalog,
        settings: tuple[SearchSettings, LatticeSettings],
        delay: int,
        judge: Judges | None = None,
        index: Index | None = None,
    ) -> None:
        """Begin at sample `start`; `delay` samples lie between a sound and its token."""
        self._judge, self._index = judge, index
        self._start, self._delay, self._samples = start, delay, 0
        self._encoder, self._grammar, self._lattice_settings = encoder, grammar, settings[1]
        self._features, self._windows = Features(), Windows(encoder.window, encoder.shift)
        self._state = encoder.start()
        self._search = Search(scorer, grammar, catalog, settings[0])

    def accept(self, samples: Samples) -> bool:
        """Hear samples [N]; whether the search went on."""
        self._samples += len(samples)
        return self._hear(self._windows.accept(self._features.accept(samples)))

    def _hear(self, windows: list[npt.NDArray[np.float32]]) -> bool:
        for window in windows:
            encoded, self._state = self._encoder.step(window, self._state)
            self._search.accept(encoded)
        return bool(windows)

    @property
    def heard(self) -> int:
        """Up to which sample the words so far hold the audio."""
        return self._start + self._search.frame * ENCODER_FRAME

    @property
    def last_token(self) -> int:
        """Sample at which the last token was taken by whoever hears, or the start."""
        beside = self._judge.last_token if self._judge else 0
        return self._position(max(self._search.last_token, beside))

    def words(self) -> tuple[Word, ...]:
        """The best words so far, without confidence (0): that takes a lattice."""
        timed = ((*written(spelt), begin, end) for spelt, begin, end in self._search.words())
        return tuple(
            Word(text, self._position(b), self._position(e + 1), 0.0, phones)
            for text, phones, b, e in timed
        )

    def finish(self) -> Result:
        """Hear what is left, and say what was understood. The utterance is over."""
        self._hear(self._windows.finish(self._features.finish(), TAIL))
        settings = self._lattice_settings
        raw = self._search.raw()
        lattice = build(raw, self._grammar.spelling, self._position, settings)
        found = result(lattice, settings.alternatives)
        if self._index:
            found = explained(found, self._index)
        if self._judge is None:
            return found
        return self._judge.judged(found, float((raw.last.score + raw.closing).max(initial=-np.inf)))

    def _position(self, frame: int) -> int:
        """Sample at which an encoder frame begins, less the delay of its tokens.

        Frames of the silence that `finish` adds are at the end of what was heard.
        """
        at = min(frame * ENCODER_FRAME - self._delay, self._samples)
        return self._start + max(0, at)
