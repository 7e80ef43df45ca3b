"""Any slicing in, frames of 20 ms out; the last of them are kept, so that no first word is lost."""

from collections import deque

import numpy as np
import numpy.typing as npt

from earshot.units import VAD_FRAME, VAD_FRAME_MS

Samples = npt.NDArray[np.float32]


class Frames:
    """Cuts a stream into frames; pure."""

    def __init__(self) -> None:
        self._waiting = np.zeros(0, np.float32)

    def accept(self, samples: Samples) -> list[Samples]:
        """Take samples [N] and give the frames [VAD_FRAME] that became complete."""
        self._waiting = np.concatenate([self._waiting, samples])
        count = len(self._waiting) // VAD_FRAME
        whole, self._waiting = np.split(self._waiting, [count * VAD_FRAME])
        return list(whole.reshape(count, VAD_FRAME))

    def finish(self) -> Samples | None:
        """Give the last frame, filled up with silence; None where nothing is left."""
        if not len(self._waiting):
            return None
        rest, self._waiting = self._waiting, np.zeros(0, np.float32)
        return np.pad(rest, (0, VAD_FRAME - len(rest)))


class PreRoll:
    """The last frames of a stream, at most `milliseconds` of them."""

    def __init__(self, milliseconds: int) -> None:
        self._ring: deque[Samples] = deque(maxlen=max(1, milliseconds // VAD_FRAME_MS))

    def add(self, frame: Samples) -> None:
        """Keep a frame; the oldest goes."""
        self._ring.append(frame)

    def take(self, milliseconds: int | None = None) -> Samples:
        """Give all that is kept or the last of it, oldest first; nothing is kept after."""
        kept = np.concatenate([*self._ring]) if self._ring else np.zeros(0, np.float32)
        self._ring.clear()
        wanted = len(kept) if milliseconds is None else milliseconds // VAD_FRAME_MS * VAD_FRAME
        return kept[max(0, len(kept) - wanted) :]
