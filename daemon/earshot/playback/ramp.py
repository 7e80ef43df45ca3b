"""A gain that never jumps."""

import numpy as np
import numpy.typing as npt

from earshot.playback.audio import RATE


class Ramp:
    """A factor that moves evenly to where it is wanted, so that nothing clicks."""

    def __init__(self, value: float) -> None:
        self._value = self.target = value
        self._step = 0.0  # a frame

    @property
    def settled(self) -> bool:
        """Whether it is where it is wanted."""
        return self._value == self.target

    @property
    def silent(self) -> bool:
        """Whether nothing is to be heard, and nothing will be."""
        return self._value == self.target == 0.0

    def to(self, target: float, milliseconds: float) -> None:
        """Move to `target` within a time, from wherever it is."""
        self.target = target
        self._step = (target - self._value) / max(1.0, milliseconds * RATE / 1_000)

    def take(self, frames: int) -> npt.NDArray[np.float32] | float:
        """Factors of the next frames, [frames, 1], or one for all."""
        if self.settled:
            return self._value
        low, high = sorted((self._value, self.target))
        values = (self._value + self._step * np.arange(1, frames + 1)).clip(low, high)
        left = self.target - float(values[-1])
        self._value = self.target if abs(left) < abs(self._step) / 2 else float(values[-1])
        factors: npt.NDArray[np.float32] = values[:, np.newaxis].astype(np.float32)
        return factors
