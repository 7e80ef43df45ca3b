"""What was played, by position, and when: blocks with times in, any stretch of samples out."""

import math
from collections import deque

import numpy as np
import numpy.typing as npt

from earshot.reference import BLOCK, Played
from earshot.units import SAMPLE_RATE, samples

Samples = npt.NDArray[np.float32]

LENGTH = samples(8_000)  # kept: a player is at most some seconds ahead
SLACK = samples(20)  # times are estimates: by so much they may be out in a stream without gaps
SIDE = 8  # samples on either side that one between is made of
STEPS = 64  # places between two samples that are told apart
NEVER = -(2**62)  # a position
NOTES = 16  # times of which the median counts
NANOSECONDS = 1_000_000_000 // SAMPLE_RATE  # a sample; without a remainder


class Clock:
    """When the sample at position 0 of a stream was or will be, by the times of some others."""

    def __init__(self) -> None:
        self._notes: deque[int] = deque(maxlen=NOTES)

    def note(self, position: int, time: int) -> None:
        """The sample at a position is at a time, in nanoseconds."""
        self._notes.append(time - position * NANOSECONDS)

    def forget(self) -> None:
        """Positions count from elsewhere."""
        self._notes.clear()

    @property
    def zero(self) -> int | None:
        """In nanoseconds; None where no time is known."""
        if not self._notes:
            return None
        return sorted(self._notes)[len(self._notes) // 2]

    @property
    def earliest(self) -> int | None:
        """The same, of times that may be too late but not too early."""
        return min(self._notes, default=None)


class Tape:
    """The last LENGTH samples of what is played; where nothing is known there is silence."""

    def __init__(self) -> None:
        self._ring = np.zeros(LENGTH, np.float32)
        self._clock = Clock()
        self.end = 0  # position behind the last sample that is known
        self.sounds_until = NEVER  # position behind the last sample that is not silent

    @property
    def zero(self) -> int | None:
        """When position 0 is played, in nanoseconds; None before anything is."""
        return self._clock.zero

    def write(self, block: Played) -> None:
        """Take what is played next, or later, or instead of what was to be played."""
        position = self._place(block)
        block_samples = block.samples.astype(np.float32) / np.float32(32_768)
        if position > self.end:
            self._put(self.end, np.zeros(min(position - self.end, LENGTH), np.float32))
        self._put(position, block_samples)
        self.end = position + len(block_samples)
        self.sounds_until = min(self.sounds_until, self.end)
        loud = np.flatnonzero(block_samples)
        if len(loud):
            self.sounds_until = position + int(loud[-1]) + 1
        self._clock.note(position, block.time)

    def read(self, first: int, count: int) -> Samples:
        """Samples [count] from a position on; silence before the tape and behind its end."""
        found = np.zeros(count, np.float32)
        begin, end = max(first, self.end - LENGTH, 0), min(first + count, self.end)
        if begin < end:
            found[begin - first : end - first] = self._ring[np.arange(begin, end) % LENGTH]
        return found

    def read_between(self, first: float, count: int) -> Samples:
        """The same from between two samples on, interpolated (a windowed sinc)."""
        whole = math.floor(first)
        step = round((first - whole) * STEPS)
        if not step:
            return self.read(whole, count)
        near = self.read(whole - SIDE + 1, count + 2 * SIDE - 1)
        return np.convolve(near, _BETWEEN[step], "valid")

    def _place(self, block: Played) -> int:
        """Where a block belongs: behind the last one, unless its time says something else."""
        follows = self.end + min(block.lost, LENGTH // BLOCK) * BLOCK
        zero = self._clock.zero
        if zero is None:
            return follows
        gap = (block.time - zero) // NANOSECONDS - follows
        if abs(gap) <= SLACK:
            return follows
        if abs(gap) < LENGTH:
            return max(0, follows + gap)
        self._clock.forget()  # played after a long silence, or by another clock
        return follows + LENGTH

    def _put(self, position: int, samples_: Samples) -> None:
        self._ring[np.arange(position, position + len(samples_)) % LENGTH] = samples_


def _between() -> Samples:
    """Filters [STEPS + 1, 2 SIDE], for np.convolve: one for each place between two samples."""
    place = np.arange(STEPS + 1)[:, None] / STEPS
    away = np.arange(1 - SIDE, SIDE + 1) - place
    window = np.cos(np.pi * away / (2 * (SIDE + 1))) ** 2
    return np.asarray((np.sinc(away) * window)[:, ::-1], np.float32)


_BETWEEN = _between()
