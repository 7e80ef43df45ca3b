"""What there is to see of the audio, every 20 ms. A look holds no samples: nobody hears a level.

Levels are in dB of full scale: 0 is the loudest that samples can say, LEAST_DB the softest told.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from earshot.vad import Gate

Samples = npt.NDArray[np.float32]
LEAST_DB = -100.0  # softer than 16-bit samples can say
_LEAST = 10 ** (LEAST_DB / 20)


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as the recogniser heard it, shown in its thread."""

    samples: Samples  # [VAD_FRAME] in -1..1
    at: int  # samples heard, its own included
    speech: bool  # what the voice-activity detector says of it
    gate: Gate
    done: float  # probability that the speaker is done; 0 where nothing tells, or nobody speaks
    utterance: int  # under way; 0: none


Observe = Callable[[Frame], None]


@dataclass(frozen=True, slots=True)
class Look:
    """What may be told of a frame; the fields are those of Frame."""

    at: int
    peak_db: float
    rms_db: float
    speech: bool
    gate: Gate
    done: float
    utterance: int

    @classmethod
    def at_frame(cls, f: Frame) -> Self:
        """Look at a frame."""
        peak, rms = levels(f.samples)
        return cls(f.at, peak, rms, f.speech, f.gate, f.done, f.utterance)


def levels(samples: Samples) -> tuple[float, float]:
    """Peak and root mean square of samples [N] in -1..1, in dB of full scale."""
    power = float(np.dot(samples, samples)) / len(samples)
    return decibels(float(np.abs(samples).max())), decibels(power**0.5)


def decibels(amplitude: float) -> float:
    """Tell an amplitude in 0..1 in dB of full scale."""
    return 20 * float(np.log10(max(amplitude, _LEAST)))
