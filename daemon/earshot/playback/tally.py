"""How punctual playback is: counts, and a histogram of lateness that never grows."""

import math
import threading
from dataclasses import dataclass

import numpy as np

LEAST, DECADES, STEPS = 1e-6, 9, 40  # seconds; a bucket is 6 % wider than the one before


class Histogram:
    """Times from a microsecond to a quarter of an hour, each known to 6 %."""

    def __init__(self) -> None:
        self._counts = np.zeros(DECADES * STEPS + 1, np.int64)
        self.most = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.most = max(self.most, seconds)
        place = math.ceil(STEPS * math.log10(max(seconds, LEAST) / LEAST))
        self._counts[min(place, len(self._counts) - 1)] += 1

    def quantile(self, share: float) -> float:
        """Seconds that such a share of all do not exceed; 0 of none."""
        if not (total := int(self._counts.sum())):
            return 0.0
        place = int(np.searchsorted(self._counts.cumsum(), math.ceil(share * total)))
        return float(min(LEAST * 10 ** (place / STEPS), self.most))


@dataclass(frozen=True, slots=True)
class Counts:
    """What a tally has counted; times in seconds."""

    blocks: int
    xruns: int
    longest_run: int
    underruns: int
    missed: float
    slack: float
    p50: float
    p99: float
    p999: float
    most: float


class Tally:
    """Counted by the feeding thread, read by any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lateness = Histogram()
        self._blocks = self._xruns = self._run = self._longest = self._underruns = 0
        self._missed = self._slack = 0.0

    def count(self, late: float | None, slack: float, missed: float) -> None:
        """A block: how late (None while a buffer is filled first), and what was missed before it.

        `slack` is how late it may be, all in seconds. What the output missed, the block was late.
        """
        with self._lock:
            self._blocks, self._slack = self._blocks + 1, slack
            if missed:
                self._missed += missed
                self._underruns += 1
                late = slack + missed
            if late is None:
                return
            self._lateness.add(max(0.0, late))
            self._run = self._run + 1 if late > slack else 0
            self._xruns += late > slack
            self._longest = max(self._longest, self._run)

    @property
    def counts(self) -> Counts:
        """All of it."""
        with self._lock:
            return Counts(
                self._blocks,
                self._xruns,
                self._longest,
                self._underruns,
                self._missed,
                self._slack,
                self._lateness.quantile(0.5),
                self._lateness.quantile(0.99),
                self._lateness.quantile(0.999),
                self._lateness.most,
            )
