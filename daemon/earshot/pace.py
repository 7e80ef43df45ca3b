"""How far the recogniser is behind one stream of audio, by the clock.

While a stream is waited for, nothing of it waits. Since it was last waited for, so much time has
passed and so much of it was recognised; the difference is how long the next of it has been waiting,
if it comes at the pace at which it is spoken. So nothing needs to be known of the queues on the way
(of the feed, of gRPC), and a stream that comes faster than it can be spoken is never behind while
it is recognised faster than that.

A live source is paced by nature. A client may send a recording as fast as it can, or in pieces so
small that it is the way that takes its time: it counts as paced when it is waited for, having sent
about as much as somebody speaks meanwhile.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from earshot.units import SAMPLES_PER_MS

WAITED_MS = 20.0  # between two pieces: shorter, and it is only the loop that was busy
HEAD_START_MS = 1_500.0  # that a paced client may have sent at once
PROOF_MS = 1_000.0  # of audio, before it is known whether it is one
PAUSE_MS = 1_000.0  # without audio: a client that did not send, and may go on at its pace
SMOOTH_MS = 1_000.0  # of audio over which the share is averaged


class Pace:
    """Of one stream. Belongs to one event loop."""

    def __init__(self, *, live: bool, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds."""
        self._clock = clock
        self._began = self._since = self._idle = self._turn = clock() * 1_000
        self._run = self._all = 0.0  # milliseconds recognised: since it was waited for, at all
        self.live, self.paced = live, live
        self.busy = False
        """whether some of it is there to be recognised"""
        self.queue_ms = 0.0
        """how long the next of it had been waiting, when the last was recognised"""
        self.share = 0.0
        """of real time that recognition takes, as an average of the last second"""

    @contextmanager
    def hearing(self) -> Iterator[None]:
        """While a piece that is there is recognised."""
        self._arrived()
        self.busy = True
        try:
            yield
        finally:
            self.busy = False

    def _arrived(self) -> None:
        now = self._turn = self._now()
        waited = now - self._idle
        if waited < WAITED_MS and self._all:
            return
        if not self._all or waited >= PAUSE_MS:
            self._began += waited
        if not self.live:
            self.paced = self._as_spoken(now - self._began)
        self._since, self._run = now, 0.0

    def _as_spoken(self, passed: float) -> bool:
        """Whether so much came as somebody speaks in the time that passed."""
        return self._all >= PROOF_MS and passed / 2 <= self._all <= passed + HEAD_START_MS

    def recognised(self, samples: int) -> None:
        """So many samples more were, since the last time."""
        now, audio = self._now(), samples / SAMPLES_PER_MS
        if audio:
            weight = min(1.0, audio / SMOOTH_MS)
            self.share += weight * ((now - self._turn) / audio - self.share)
        self._run += audio
        self._all += audio
        self._idle = self._turn = now
        self.queue_ms = max(0.0, now - self._since - self._run)

    def _now(self) -> float:
        return self._clock() * 1_000
