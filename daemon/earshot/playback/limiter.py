"""Keeps a mix of streams from clipping: it turns down ahead of a peak, and slowly up again.

Everything is reckoned in decibel, so that a release of so many decibel a second is a running
minimum of a tilted line, and a block takes no loop. The gain a peak needs is held for LOOK frames
and averaged over as many, while the sound is delayed by LOOK: so it is down when a peak comes out.
"""

import numpy as np
import numpy.typing as npt

from earshot.playback.audio import RATE, Frames, silence

Floats = npt.NDArray[np.float64]

CEILING = 0.98  # of full scale; -0.2 dB
LOOK = RATE * 4 // 1_000  # frames: 4 ms, too short to be heard as a pump
RELEASE = 60.0 / RATE  # dB a frame: 60 dB a second


class Limiter:
    """Gives what it is given, LOOK frames later and never above CEILING."""

    def __init__(self) -> None:
        self._delayed = silence(LOOK)
        self._need: Floats = np.zeros(2 * LOOK)  # dB, of the frames before
        self._reduction = 0.0  # dB, where the release stands

    def process(self, block: Frames) -> Frames:
        """Take a block [N, CHANNELS] of any level; a block [N, CHANNELS] within the ceiling."""
        joined = np.concatenate([self._delayed, block])
        out: Frames = joined[: len(block)]
        self._delayed = joined[len(block) :]
        need = self._needed(block)
        history = np.concatenate([self._need, need])
        self._need = history[len(block) :]
        if not history.any():
            return out
        held = _lowest(history, LOOK + 1)
        sums = np.concatenate([[0.0], held.cumsum()])
        gain = (sums[LOOK + 1 :] - sums[: -(LOOK + 1)]) / (LOOK + 1)
        turned = out * (10.0 ** (gain / 20)).astype(np.float32)[:, np.newaxis]
        # Rounding of float32 may end a hair above.
        limited: Frames = np.clip(turned, -CEILING, CEILING)
        return limited

    def _needed(self, block: Frames) -> Floats:
        """The gain in dB that each frame needs, with the release of those before it."""
        level = np.abs(block)
        if self._reduction == 0.0 and level.max(initial=0.0) <= CEILING:
            return np.zeros(len(block))
        peak = np.maximum(level[:, 0], level[:, 1])
        need: Floats = np.minimum(0.0, 20 * np.log10(CEILING / np.maximum(peak, CEILING)))
        tilt = RELEASE * np.arange(1, len(block) + 1)
        lowest = np.minimum.accumulate(np.concatenate([[self._reduction], need - tilt]))[1:]
        need = np.minimum(0.0, lowest + tilt)
        self._reduction = float(need[-1]) if len(need) else self._reduction
        return need


def _lowest(values: Floats, width: int) -> Floats:
    """The least of every `width` values in a row, by windows of double the width each time."""
    reach = 1
    while 2 * reach <= width:
        values, reach = np.minimum(values[:-reach], values[reach:]), 2 * reach
    return np.minimum(values[: len(values) - (width - reach)], values[width - reach :])
