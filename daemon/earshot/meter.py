"""Shows what is heard to whoever watches, and costs next to nothing while nobody does.

recogniser ▶ Meter.take (in the thread that recognises) ▶ a ring for each watcher (event loop)

A look is made of a frame only if somebody watches.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from earshot.errors import EarshotError
from earshot.looks import Frame, Look
from earshot.outbox import Waiting

Reading = tuple[Look, ...]
LOOKS = 5  # in a reading: 100 ms
MOST = 50  # readings kept for one who does not take them: 5 s


class Ring(Waiting[Reading]):
    """Readings for one who is never sent away for being slow: the oldest are lost."""

    def __init__(self) -> None:
        super().__init__(deque(maxlen=MOST))

    def put(self, reading: Reading) -> None:
        """Take a reading."""
        self._waiting.append(reading)
        self._news.set()


class Meter:
    """Hands readings to all that watch. Belongs to one event loop, but for `take`."""

    def __init__(self) -> None:
        self._rings: tuple[Ring, ...] = ()  # replaced whole: another thread looks at it
        self._looks: list[Look] = []  # of the next reading; belongs to that thread
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def watch(self) -> Iterator[Ring]:
        """Subscribe to the readings."""
        self._loop, ring = asyncio.get_running_loop(), Ring()
        self._rings += (ring,)
        try:
            yield ring
        finally:
            self._rings = tuple(one for one in self._rings if one is not ring)

    def close(self, error: EarshotError) -> None:
        """Tell all that watch why there is no more to see."""
        for ring in self._rings:
            ring.close(error)

    def take(self, frame: Frame) -> None:
        """See a frame; called in the thread that recognises."""
        if not self._rings or self._loop is None:
            self._looks.clear()
            return
        self._looks.append(Look.at_frame(frame))
        if len(self._looks) >= LOOKS:
            reading = tuple(self._looks)
            self._looks.clear()
            self._loop.call_soon_threadsafe(self._hand_out, reading)

    def _hand_out(self, reading: Reading) -> None:
        for ring in self._rings:
            ring.put(reading)
