"""One utterance: samples in, words so far, and at the end a result. Pure; made by the engine.

samples ▶ features ▶ windows ▶ encoder ▶ search ▶ lattice

The encoder hears in chunks, so where a silence begins the last words may still wait for theirs. A
fork of the utterance then hears them at once, with silence behind: what it says is announced.
"""
# ruff: noqa: SLF001 - a fork is of its own kind

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from earshot.attention import Encodes
from earshot.catalog import Catalog
from earshot.effort import ALL, Effort
from earshot.encoder import Windows
from earshot.ending import CadenceNetwork, Ending
from earshot.endpointers import Evidence
from earshot.events import Arc, Result, Word
from earshot.explain import Index, explained
from earshot.features import Features
from earshot.grammar import Grammar
from earshot.lattice import LatticeSettings, build, result
from earshot.loop import written
from earshot.search import Search, SearchSettings
from earshot.transducer import Scorer
from earshot.units import ENCODER_FRAME, FEATURE_BINS, FEATURE_HOP_MS, samples

Samples = npt.NDArray[np.float32]
Frames = npt.NDArray[np.float32]
NO_FRAMES = np.zeros((0, FEATURE_BINS), np.float32)
SPOKEN_MS = 60  # of speech, from which the speaker goes on
KEPT = 7  # chunks of encoded frames behind the last: as much as a cadence network reads
AHEAD_MS = 100  # of silence, after which what the encoder still waits for is heard at once
TAIL = 24  # feature frames of silence at the end, so that the last tokens come out


class Judges(Protocol):
    """Who hears an utterance beside the search, and has the last word."""

    @property
    def last_token(self) -> int:
        """Encoder frame of the last token that was heard, whether or not the search took it."""

    def fork(self) -> tuple[Self, Scorer]:
        """One that hears on by itself, and the scorer through which it hears."""

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
        ending: Ending | None = None,
        cadence: CadenceNetwork | None = None,
        understood: Callable[[Result], Result] | None = None,
    ) -> None:
        """Begin at sample `start`; `delay` samples lie between a sound and its token.

        `understood` adds to a result what it means.
        """
        self._understood = understood
        self._judge, self._index, self._ending, self._scorer = judge, index, ending, scorer
        self._start, self._delay, self._samples = start, delay, 0
        self._encoder, self._grammar, self._lattice_settings = encoder, grammar, settings[1]
        self._features, self._windows = Features(), Windows(encoder.window, encoder.shift)
        self._state = encoder.start()
        self._ahead: Utterance | None = None  # a fork that has heard what is left, then silence
        self._still = False  # since it was made or would have been
        self._cadence, self._sounded = cadence, 0.0  # how the last words sounded
        self._heard: list[tuple[Frames, Frames]] = []  # the last windows, and their frames
        self._search = Search(scorer, grammar, catalog, settings[0])
        self._full, self._effort = settings[0], ALL

    def effort(self, effort: Effort) -> None:
        """Hear on with so much of it."""
        if effort is not self._effort:
            beam = max(1, round(effort.beam * self._full.beam))
            self._search.widen(replace(self._full, beam=beam))
            self._effort = effort

    def accept(self, audio: Samples) -> bool:
        """Hear samples [N]; whether the search went on."""
        self._samples += len(audio)
        frames = self._features.accept(audio)
        if self._ending:
            self._ending.hear(frames)
        return self._hear(self._windows.accept(frames))

    def _hear(self, windows: list[Frames]) -> bool:
        for window in windows:
            encoded, self._state = self._encoder.step(window, self._state)
            self._search.accept(encoded)
            if self._cadence:
                self._heard = [*self._heard[-KEPT:], (window[: self._encoder.shift], encoded)]
        return bool(windows)

    @property
    def heard(self) -> int:
        """Up to which sample the words so far hold the audio."""
        return self._start + self._search.frame * ENCODER_FRAME

    @property
    def last_token(self) -> int:
        """Sample at which the last token was taken by whoever hears, or the start."""
        beside = self._judge.last_token if self._judge else 0
        ahead = self._ahead.last_token if self._ahead else 0
        return max(ahead, self._position(max(self._search.last_token, beside)))

    @property
    def spoken(self) -> bool:
        """Whether the best hypothesis has a word."""
        search = self._ahead._search if self._ahead else self._search
        return search.spoken

    def words(self) -> tuple[Word, ...]:
        """The best words so far, without confidence (0): that takes a lattice."""
        timed = ((*written(spelt), begin, end) for spelt, begin, end in self._search.words())
        return tuple(
            Word(text, self._position(b), self._position(e + 1), 0.0, phones)
            for text, phones, b, e in timed
        )

    def evidence(self) -> Evidence | None:
        """What tells whether the speaker is done; None where no network listens for that."""
        if self._ending is None:
            return None
        self._look_ahead(self._ending.still_ms)
        complete = (self._ahead or self)._search.complete
        e = self._ending
        return Evidence(e.final, e.speech, e.still_ms, e.over, complete, self._sounded)

    def _look_ahead(self, still_ms: int) -> None:
        """Hear what the encoder still waits for, once in each silence; it may be the last."""
        if not still_ms:
            self._ahead, self._still, self._sounded = None, False, 0.0
        elif still_ms >= AHEAD_MS and not self._still and self._effort.ahead:
            quiet = max(0, TAIL - still_ms // FEATURE_HOP_MS)  # some was heard already
            self._ahead, self._still = self._forked(quiet), True
            self._sounded = self._ahead._cadence_at(self._samples - samples(still_ms))
        elif self._ahead and self._search.frame * ENCODER_FRAME >= self._ahead._samples:
            self._ahead = None  # the search has heard more by now

    def _forked(self, quiet: int = TAIL) -> Self:
        """An utterance that has heard what is left, then `quiet` frames; this one goes on."""
        other = copy(self)
        judge, scorer = self._judge.fork() if self._judge else (None, copy(self._scorer))
        parts = judge, self._search.fork(scorer), copy(self._windows)
        other._judge, other._search, other._windows = parts
        other._hear(other._windows.finish(NO_FRAMES, quiet))  # features not begun are of silence
        return other

    def _cadence_at(self, end: int) -> float:
        """How complete the words sounded that ended after so many samples; 0 where none tells."""
        if self._cadence is None:
            return 0.0
        heard, encoded = map(np.concatenate, zip(*self._heard, strict=True))
        first = self._search.frame - len(encoded)
        return self._cadence.odds(encoded, heard, end // ENCODER_FRAME - first)

    def so_far(self) -> Result:
        """What `finish` would say if nothing but silence came; the utterance goes on."""
        return (self._ahead or self._forked())._read()

    def finish(self) -> Result:
        """Hear what is left, and say what was understood. The utterance is over."""
        self._hear(self._windows.finish(self._features.finish(), TAIL))
        self._features = Features()  # of what comes behind the end
        return self._read()

    def speaks(self, audio: Samples) -> bool | None:
        """Whether the speaker goes on in samples [N] after `finish`; None where no network tells.

        The detector goes on hearing speech for a while, and in noise for as long as that lasts.
        """
        if self._ending is None:
            return None
        self._ending.hear(self._features.accept(audio))
        return self._ending.spoken_ms >= SPOKEN_MS

    def _read(self) -> Result:
        """Read the lattice."""
        settings = self._lattice_settings
        raw = self._search.raw()
        lattice = build(raw, self._grammar.spelling, self._position, settings)
        found = result(lattice, settings.alternatives)
        if self._index:
            found = explained(found, self._index)
        if self._understood:
            found = self._understood(found)
        if self._judge is None:
            return found
        return self._judge.judged(found, float((raw.last.score + raw.closing).max(initial=-np.inf)))

    def reread(self, found: Result, best: Sequence[Arc]) -> Result:
        """What else there is to say of a result whose words are another path of its lattice."""
        if self._index:
            found = explained(found, self._index, best)
        return self._understood(found) if self._understood else found

    def _position(self, frame: int) -> int:
        """Sample at which an encoder frame begins, less the delay of its tokens.

        Frames of the silence that `finish` adds are at the end of what was heard.
        """
        at = min(frame * ENCODER_FRAME - self._delay, self._samples)
        return self._start + max(0, at)
