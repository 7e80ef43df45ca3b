"""Units of playback; behind the decoder all audio has this form."""

import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.float32]  # [N, CHANNELS], in -1..1 unless said otherwise

RATE = 48_000  # Hz, what nearly every sound device runs at
CHANNELS = 2
BLOCK_MS = 20  # as long as what is mixed at a time; 10 ms would cost twice the wake-ups
BLOCK = BLOCK_MS * RATE // 1_000  # frames a block
BLOCK_SECONDS = BLOCK_MS / 1_000


def amplitude(decibel: float) -> float:
    """Decibel as a factor."""
    return float(10 ** (decibel / 20))


def silence(frames: int) -> Frames:
    """So many frames of nothing."""
    return np.zeros((frames, CHANNELS), np.float32)
