"""A recogniser that understands loud and quiet: every 100 ms of loudness is one more "word".

It keeps the contract of the real one: pure, any slicing gives the same events, positions are
counts of samples. Three quiet blocks end an utterance. A block louder than POISON raises, as a
defect would.
"""

import time
from copy import copy

import numpy as np
import numpy.typing as npt
from earshot.effort import ALL, Effort
from earshot.events import (
    Alternative,
    Arc,
    Cancelled,
    Committed,
    Decision,
    EndPoint,
    EndPointKind,
    Event,
    Lattice,
    Partial,
    Result,
    SpeechStarted,
    Word,
)
from earshot.looks import Frame, Observe
from earshot.units import VAD_FRAME
from earshot.vad import Gate

BLOCK = 1_600  # samples
LOUD = 0.1
POISON = 0.99
QUIET_BLOCKS = 3

Samples = npt.NDArray[np.float32]


def loud(seconds: float) -> Samples:
    """Samples that the fake takes for speech."""
    return np.full(round(seconds * 16_000), 0.5, np.float32)


def quiet(seconds: float) -> Samples:
    """Samples that the fake takes for silence."""
    return np.zeros(round(seconds * 16_000), np.float32)


def s16le(samples: Samples) -> bytes:
    """Samples as the bytes a client sends."""
    return (samples * 32_767).astype("<i2").tobytes()


class FakeRecogniser:
    """`delay` seconds of work a block, to be as slow as a test needs it; `says`: what it hears."""

    def __init__(self, delay: float = 0.0, says: str = "word") -> None:
        self._delay, self._says = delay, says.split()
        self._effort = ALL
        self._rest: Samples = np.zeros(0, np.float32)
        self._at, self._number, self._quiet = 0, 0, 0
        self._words: tuple[Word, ...] = ()
        self._open = False
        self._observe: Observe | None = None

    def accept(self, samples: Samples) -> list[Event]:
        self._rest = np.concatenate([self._rest, samples])
        events: list[Event] = []
        while len(self._rest) >= BLOCK:
            block, self._rest = self._rest[:BLOCK], self._rest[BLOCK:]
            events += self._block(float(np.abs(block).max()))
            self._show(block)
        return events

    def finish(self) -> list[Event]:
        if not self._open:
            return []
        return self._end("end of audio")

    def cancel(self, reason: str) -> list[Event]:
        if not self._open:
            return []
        self._open, self._words = False, ()
        return [Cancelled(self._at, self._number, reason)]

    def effort(self, effort: Effort) -> None:
        self._effort = effort

    def anew(self, at: int, utterances: int) -> "FakeRecogniser":
        fresh = copy(self)
        fresh._rest, fresh._words, fresh._open = self._rest[:0], (), False
        fresh._at, fresh._number, fresh._quiet = at, utterances, 0
        return fresh

    def observed(self, observe: Observe) -> "FakeRecogniser":
        fresh = copy(self)
        fresh._observe = observe
        return fresh

    def _show(self, block: Samples) -> None:
        if self._observe is None:
            return
        for first in range(0, BLOCK, VAD_FRAME):
            frame = block[first : first + VAD_FRAME]
            at, speech = self._at - BLOCK + first + VAD_FRAME, bool(np.abs(frame).max() > LOUD)
            gate, done = (Gate.SPEAKING, 0.25) if self._open else (Gate.QUIET, 0.0)
            self._observe(Frame(frame, at, speech, gate, done, self._number * self._open))

    def _block(self, level: float) -> list[Event]:
        time.sleep(self._delay * self._effort.cost)
        if level > POISON:
            message = "a defect in the recogniser"
            raise ArithmeticError(message)
        start, self._at = self._at, self._at + BLOCK
        if level < LOUD:
            self._quiet += 1
            done = self._open and self._quiet >= QUIET_BLOCKS
            return self._end("pause") if done else []
        self._quiet = 0
        events: list[Event] = []
        if not self._open:
            self._open, self._number = True, self._number + 1
            events.append(SpeechStarted(self._at, self._number, start))
        text = self._says[len(self._words) % len(self._says)]
        self._words += (Word(text, start, self._at, 0.0),)
        return [*events, Partial(self._at, self._number, self._words, self._at)]

    def _end(self, rule: str) -> list[Event]:
        words, self._words, self._open = self._words, (), False
        result = _result(words)
        decision = Decision(rule, (("silence_ms", 100.0 * self._quiet),))
        kind, end = EndPointKind.FINAL, words[-1].end
        point = EndPoint(self._at, self._number, 1, kind, decision, end, result)
        return [point, Committed(self._at, self._number, 1)]


def _result(words: tuple[Word, ...]) -> Result:
    sure = tuple(Word(w.text, w.start, w.end, 0.9) for w in words)
    nodes = (words[0].start, *(w.end for w in words))
    arcs = tuple(
        Arc(i, i + 1, w.text, w.start, w.end, -1.0, -2.0, 0.0, 0.9) for i, w in enumerate(words)
    )
    text = " ".join(w.text for w in words)
    best = (Alternative(text, -3.0), Alternative(text + " or so", -4.0))
    return Result(sure, 0.9, best, Lattice(nodes, arcs))
