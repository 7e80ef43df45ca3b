"""Gives what is played to whoever connects to reference.sock; the format is in reference.py.

The feeding thread leaves blocks in a bounded queue, and a thread of its own does the rest: it
resamples where anybody reads, and hands on without ever waiting for a reader. What a reader does
not take in time it loses, and is told how much with the next block that it gets.
"""

import contextlib
import logging
import selectors
import socket
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soxr

from earshot import reference
from earshot.playback.audio import RATE, Frames
from earshot.reference import Played
from earshot.units import SAMPLE_RATE

logger = logging.getLogger(__name__)

WAITING = 50  # blocks for the thread: a second
READER_BYTES = 32 * 1024  # in the kernel for a reader, who may be about as far behind as this lasts
MOST_READERS = 8
LOOK_SECONDS = 0.25  # at new readers, while nothing is played
GAP = 0.002  # seconds from which a time does not go on from the one before


class Sampler:
    """Stereo at RATE to blocks of the reference, each with the time of its first sample."""

    def __init__(self) -> None:
        self._begin(0.0)

    def _begin(self, when: float) -> None:
        self._resampler = soxr.ResampleStream(RATE, SAMPLE_RATE, 1)
        self._times: deque[tuple[int, float]] = deque()  # frame of the stretch, its time
        self._taken = self._given = 0  # frames in, samples out, of this stretch
        self._rest = np.zeros(0, np.float32)
        self._expected = when

    def accept(self, block: Frames, when: float) -> Iterator[Played]:
        """Take frames that are heard from `when` on; where there is a gap, begin anew."""
        if abs(when - self._expected) > GAP:
            self._begin(when)
        self._times.append((self._taken, when))
        self._taken += len(block)
        self._expected = when + len(block) / RATE
        mono = self._resampler.resample_chunk(block.mean(axis=1, dtype=np.float32))
        self._rest = np.concatenate([self._rest, mono])
        while len(self._rest) >= reference.BLOCK:
            whole, self._rest = np.split(self._rest, [reference.BLOCK])
            pcm = np.rint(whole.clip(-1, 1) * 32_767).astype(np.int16)
            yield Played(round(1e9 * self._time()), pcm)
            self._given += reference.BLOCK

    def _time(self) -> float:
        """When the next sample to be given leaves the device: the resampler holds some back."""
        frame = self._given * RATE // SAMPLE_RATE
        while len(self._times) > 1 and self._times[1][0] <= frame:
            self._times.popleft()
        first, when = self._times[0]
        return when + (frame - first) / RATE


class Reader:
    """One who reads: what it did not take yet of a record, and how many blocks it lost."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)  # noqa: FBT003 - takes its argument by position only
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, READER_BYTES)
        self.connection, self._rest, self._lost = connection, b"", 0

    def give(self, block: Played) -> int:
        """Hand on what it takes; how many blocks were lost. Raises OSError when it is gone."""
        self._flush()
        if self._rest:
            self._lost += 1
            return 1
        self._rest = reference.packed(Played(block.time, block.samples, self._lost))
        self._lost = 0
        self._flush()
        return 0

    def _flush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._rest:
                self._rest = self._rest[self.connection.send(self._rest) :]


class Tap:
    """Serves the reference while it is open."""

    def __init__(self, path: Path, mode: int) -> None:
        """At a free place. Raises OSError if a socket cannot be opened there."""
        self._path = path
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        path.chmod(mode)
        self._listener.listen(MOST_READERS)
        self._listener.setblocking(False)  # noqa: FBT003 - takes its argument by position only
        self._queue: deque[tuple[Frames, float]] = deque(maxlen=WAITING)
        self._arrived, self._closed = threading.Event(), False
        self._readers: list[Reader] = []
        self._sampler: Sampler | None = None
        self.lost = 0
        self._thread = threading.Thread(target=self._serve, name="reference", daemon=True)
        self._thread.start()

    @property
    def readers(self) -> int:
        """How many read."""
        return len(self._readers)

    def give(self, block: Frames, when: float) -> None:
        """Leave a block for the thread. Never waits; the oldest makes room."""
        self._queue.append((block, when))
        self._arrived.set()

    def close(self) -> None:
        """End, and take the socket away."""
        self._closed = True
        self._arrived.set()
        self._thread.join()
        for reader in self._readers:
            reader.connection.close()
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _serve(self) -> None:
        """Look for readers and give to them, in the thread."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            while not self._closed:
                if selector.select(0):
                    self._welcome()
                self._arrived.wait(LOOK_SECONDS)
                self._arrived.clear()
                while self._queue:
                    self._hand_on(*self._queue.popleft())

    def _welcome(self) -> None:
        connection, _ = self._listener.accept()
        if len(self._readers) >= MOST_READERS:
            logger.warning("a reader of the reference is refused: there are %d", MOST_READERS)
            connection.close()
            return
        self._readers.append(Reader(connection))

    def _hand_on(self, block: Frames, when: float) -> None:
        if not self._readers:
            self._sampler = None
            return
        self._sampler = self._sampler or Sampler()
        for played in self._sampler.accept(block, when):
            for reader in tuple(self._readers):
                try:
                    self.lost += reader.give(played)
                except OSError:
                    reader.connection.close()
                    self._readers.remove(reader)
