"""The pure whole: samples in, events out. No I/O, threads or clock; time is a count of samples.

    frames ▶ vad ▶ (while somebody speaks) utterance ▶ end-pointer

Everything happens frame by frame of 20 ms, so any slicing of the audio gives the same events.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from earshot.endpointers import EndPointSettings, Progress, decide, explain, rules
from earshot.events import (
    Cancelled,
    Committed,
    Decision,
    EndPoint,
    EndPointKind,
    Event,
    Partial,
    SpeechStarted,
    Word,
)
from earshot.frames import Frames, PreRoll
from earshot.units import SAMPLES_PER_MS, VAD_FRAME
from earshot.utterance import Utterance
from earshot.vad import Gate, Vad, VadSettings

Samples = npt.NDArray[np.float32]
Begin = Callable[[int], Utterance]  # makes the utterance that begins at a sample


class Recogniser:
    """One stream of audio, from its first sample on."""

    def __init__(self, begin: Begin, vad: VadSettings, endpoint: EndPointSettings) -> None:
        self._begin, self._rules = begin, rules(endpoint)
        self._frames, self._vad, self._preroll = Frames(), Vad(vad), PreRoll(vad.preroll_ms)
        self._at = 0  # samples heard, in whole frames
        self._speech_end = 0  # end of the last frame with speech
        self._number = 0  # of the utterance
        self._utterance: Utterance | None = None
        self._start = 0
        self._words: tuple[Word, ...] = ()

    def accept(self, samples: Samples) -> list[Event]:
        """Hear samples [N] in -1..1, and say what happened."""
        frames = self._frames.accept(_tamed(samples))
        return [event for frame in frames for event in self._frame(frame)]

    def finish(self) -> list[Event]:
        """The audio is over: end the utterance under way."""
        rest = self._frames.finish()
        events = self._frame(rest) if rest is not None else []
        if self._utterance is None and self._vad.state is Gate.STARTING:
            events += self._open()  # a word cut off at its very beginning
        if self._utterance is None:
            return events
        return events + self._end(
            self._utterance, explain("end of audio", self._progress(self._utterance))
        )

    def cancel(self, reason: str) -> list[Event]:
        """Give up the utterance under way."""
        if self._utterance is None:
            return []
        self._utterance = None
        return [Cancelled(self._at, self._number, reason)]

    def _frame(self, frame: Samples) -> list[Event]:
        self._at += VAD_FRAME
        if self._vad.accept(frame):
            self._speech_end = self._at
        utterance = self._utterance
        if utterance is None:
            self._preroll.add(frame)
            return self._open() if self._vad.state is Gate.SPEAKING else []
        events = self._hear(utterance, frame)
        decision = decide(self._progress(utterance), self._rules)
        return events + (self._end(utterance, decision) if decision else [])

    def _open(self) -> list[Event]:
        """Begin an utterance with what was kept."""
        before = self._preroll.take()
        self._number += 1
        self._start, self._words = self._at - len(before), ()
        self._utterance = self._begin(self._start)
        started = SpeechStarted(self._at, self._number, self._start)
        return [started, *self._hear(self._utterance, before)]

    def _hear(self, utterance: Utterance, samples: Samples) -> list[Event]:
        """Let the utterance go on; a partial where its words changed."""
        if not utterance.accept(samples):
            return []
        words = utterance.words()
        if [w.text for w in words] == [w.text for w in self._words]:
            return []
        self._words = words
        return [Partial(self._at, self._number, words, utterance.heard)]

    def _progress(self, utterance: Utterance) -> Progress:
        def since(sample: int) -> float:
            return max(0.0, (self._at - sample) / SAMPLES_PER_MS)

        quiet = since(max(self._speech_end, self._start))
        pause = since(utterance.last_token)
        return Progress(len(self._words), quiet, pause, since(self._start))

    def _end(self, utterance: Utterance, decision: Decision) -> list[Event]:
        """Say what was understood, or that nothing was."""
        self._utterance = None
        found = utterance.finish()
        if not found.words and found.command is None:
            return [Cancelled(self._at, self._number, decision.rule)]
        version = 1
        kind = EndPointKind.FINAL
        end = min(self._at, found.words[-1].end) if found.words else self._speech_end
        ended = EndPoint(self._at, self._number, version, kind, decision, end, found)
        return [ended, Committed(self._at, self._number, version)]


def _tamed(samples: Samples) -> Samples:
    """What is no number is silence and what is too loud is cut: one would stay in every state."""
    return np.clip(np.nan_to_num(samples, nan=0.0), -1.0, 1.0).astype(np.float32, copy=False)
