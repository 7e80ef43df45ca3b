"""Two clocks never run alike: how fast the echo wanders off, seen in what the canceller learns.

A microphone and a loudspeaker of different devices differ by up to a hundred millionths. The
canceller follows, but always behind: at 100 of them, where it takes 30 dB away otherwise, it takes
12. So the response of now is compared with that of a second ago; by how much it moved is the
drift, and what is played is read so much faster or slower.
"""

import numpy as np

from earshot.canceller import HOP, Spectra

LOOKS = 60  # hops from one look to the next, about a second
FINER = 8  # places between two samples
WIDEST = 3  # samples, that an echo may wander in this time
ALIKE = 0.7  # least correlation of two responses that are one, moved
CAUTION = 0.4  # share of what is seen that is corrected at once
FASTEST = 500e-6  # no clocks differ by more


class Drift:
    """Look by look; `rate` is how many samples an echo comes later with each sample."""

    def __init__(self) -> None:
        self.rate = 0.0
        self._since, self._wandered = 0, 0.0  # position, and how much later the echo came there
        self._before: Spectra | None = None
        self._hops = 0

    def forget(self) -> None:
        """The response was moved otherwise."""
        self._before, self._hops = None, 0

    def later(self, position: int) -> float:
        """By how many samples the echo comes later, by what is known now, than at first."""
        return self._wandered + self.rate * (position - self._since)

    def follow(self, response: Spectra, position: int) -> None:
        """Take the response [PARTS, HOP + 1] after another hop, at whose end we are."""
        self._hops += 1
        if self._hops < LOOKS:
            return
        self._hops = 0
        before, self._before = self._before, response.copy()
        if before is None:
            return
        moved = _moved(before, response)
        if moved is not None:
            self._wandered, self._since = self.later(position), position
            rate = self.rate + CAUTION * moved / (LOOKS * HOP)
            self.rate = min(FASTEST, max(-FASTEST, rate))


def _moved(before: Spectra, now: Spectra) -> float | None:
    """By how many samples a response is later; None where it is not the same one."""
    cross = (now * np.conj(before)).sum(0)
    power = np.sqrt(_power(before) * _power(now))
    size = 2 * HOP * FINER
    likeness = np.roll(np.fft.irfft(cross, size), WIDEST * FINER)[: 2 * WIDEST * FINER + 1]
    peak = int(likeness.argmax())
    if not 0 < peak < len(likeness) - 1 or likeness[peak] * size / 2 < ALIKE * power:
        return None
    left, top, right = (float(one) for one in likeness[peak - 1 : peak + 2])
    bend = left - 2 * top + right
    return (peak + (0.5 * (left - right) / bend if bend else 0.0)) / FINER - WIDEST


def _power(response: Spectra) -> float:
    return float(np.square(np.abs(response)).sum())
