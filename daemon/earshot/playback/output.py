"""Where blocks go: what every output is, and the pretended one."""

import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from earshot.playback.audio import BLOCK_SECONDS, RATE, Frames


class Written(NamedTuple):
    """What became of a block, in seconds."""

    when: float
    """CLOCK_MONOTONIC when its first frame leaves the output"""
    missed: float
    """how long the output had nothing to play before it"""


class Output(Protocol):
    """A sound device or what stands for one. All may raise DeviceError: the device is gone."""

    description: str
    buffer: float
    """seconds that it keeps"""

    def due(self) -> float:
        """Seconds until it has room for a block; below nought, since when it has had room."""

    def write(self, block: Frames) -> Written:
        """Take a block, for which there is room."""

    def close(self) -> None:
        """Let go, without waiting for what was not played. Never raises."""


class NullOutput:
    """Plays to nobody, as fast as a device does and with its buffer; its clock never drifts.

    Where it has nothing to play it is silent until the next block comes, as a device is.
    """

    def __init__(self, buffer_ms: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.description = "nowhere, at the pace of a sound device"
        self.buffer = buffer_ms / 1_000
        self._clock = clock
        self._began, self._frames = clock(), 0  # since it last had nothing to play

    def due(self) -> float:
        """Seconds until it has room for a block."""
        return self._dry - self._clock() - (self.buffer - BLOCK_SECONDS)

    def write(self, block: Frames) -> Written:
        """Take a block."""
        when, missed = self._dry, 0.0
        if (now := self._clock()) > when:
            missed = now - when if self._frames else 0.0
            self._began, self._frames, when = now, 0, now
        self._frames += len(block)
        return Written(when, missed)

    def close(self) -> None:
        """Do nothing."""

    @property
    def _dry(self) -> float:
        """When it will have nothing to play."""
        return self._began + self._frames / RATE
