"""What is being played, for whoever takes its echo out of what is heard: mono, 16 kHz, with times.

The player gives it on a Unix stream socket beside its own, in records of a fixed size:

    4 bytes    MAGIC
    uint32     blocks that this reader lost right before this one, because it was slow
    int64      CLOCK_MONOTONIC, in nanoseconds, when the first sample leaves the sound device
    BLOCK      samples, int16; all numbers little-endian

While nothing is played, nothing comes. The time is estimated from how much the device has in its
buffer; what lies behind it (a sound server, an amplifier, the air) comes on top.
"""

import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from earshot.units import samples

Pcm = npt.NDArray[np.int16]

NAME = "reference.sock"  # beside the sockets of daemon and player
BLOCK_MS = 10
BLOCK = samples(BLOCK_MS)  # samples a record
MAGIC = b"EAR1"
_HEAD = struct.Struct("<4sIq")
RECORD = _HEAD.size + 2 * BLOCK  # bytes
_LOST_MOST = 2**32 - 1
_AT_ONCE = 64 * RECORD  # bytes read at a time


@dataclass(frozen=True, slots=True)
class Played:
    """Samples [BLOCK] that leave the device at `time`, in nanoseconds of CLOCK_MONOTONIC."""

    time: int
    samples: Pcm
    lost: int = 0
    """blocks that are missing right before this one"""


def packed(block: Played) -> bytes:
    """A block as a record."""
    head = _HEAD.pack(MAGIC, min(block.lost, _LOST_MOST), block.time)
    return head + block.samples.astype("<i2").tobytes()


def unpacked(record: bytes) -> Played | None:
    """The block of a record; None if it is none."""
    magic, lost, at = _HEAD.unpack_from(record)
    if magic != MAGIC:
        return None
    return Played(at, np.frombuffer(record, "<i2", BLOCK, _HEAD.size).astype(np.int16), lost)


class Reference:
    """Reads what the player gives, and never waits; without a player there is just nothing.

    Not for several threads at once.
    """

    def __init__(self, path: Path, retry_seconds: float = 1.0) -> None:
        """From the socket at `path`, which is looked for at most every `retry_seconds`."""
        self._path, self._retry = path, retry_seconds
        self._socket: socket.socket | None = None
        self._rest = b""
        self._next_try = 0.0

    @property
    def connected(self) -> bool:
        """Whether there is a player."""
        return self._socket is not None

    def take(self) -> list[Played]:
        """Give all blocks that have come since the last time, in order."""
        if self._socket is None and not self._connect():
            return []
        data = self._rest + self._arrived()
        whole = len(data) - len(data) % RECORD
        self._rest = data[whole:]
        found = [unpacked(data[at : at + RECORD]) for at in range(0, whole, RECORD)]
        blocks = [block for block in found if block is not None]
        if len(blocks) < len(found):  # somebody else's socket
            self.close()
        return blocks

    def close(self) -> None:
        """Let the player go; another `take` looks for one again."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._rest = None, b""
        self._next_try = time.monotonic() + self._retry

    def _connect(self) -> bool:
        """Whether a player answers."""
        if time.monotonic() < self._next_try:
            return False
        candidate = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        candidate.setblocking(False)  # noqa: FBT003 - takes its argument by position only
        try:
            candidate.connect(str(self._path))
        except OSError:
            candidate.close()
            self._next_try = time.monotonic() + self._retry
            return False
        self._socket, self._rest = candidate, b""
        return True

    def _arrived(self) -> bytes:
        """Read what has come; the player is let go at its end, and what it sent last is given."""
        parts: list[bytes] = []
        while self._socket is not None:
            try:
                part = self._socket.recv(_AT_ONCE)
            except BlockingIOError:
                break
            except OSError:
                part = b""
            if not part:
                self.close()
                break
            parts.append(part)
        return b"".join(parts)
