"""Where a training is, and a line about it now and then."""

import time
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass
class Progress:
    """Where the run is; saved and loaded whole."""

    step: int = 0
    epoch: int = 0
    position: int = 0  # row of the epoch
    audio: float = 0.0  # seconds heard
    cpu: float = field(default=0.0, compare=False)  # seconds of the first process


class Log:
    """A line of progress now and then."""

    def __init__(self) -> None:
        self.began = self.spoken = time.monotonic()
        self.parts: list[Tensor] = []
        self.heard = 0.0  # seconds

    def add(self, parts: Tensor, heard: float) -> None:
        """Take the parts of a step's loss and the seconds it heard."""
        self.parts.append(parts)
        self.heard += heard

    def line(self, progress: Progress, stage: str, rate: float) -> None:
        """Print the mean since the last line."""
        self.spoken = time.monotonic()
        frames, ctc, transducer = torch.stack(self.parts).mean(0).tolist()
        print(
            f"step {progress.step} epoch {progress.epoch} {stage} rate {rate:.1e} "
            f"frames {frames:.3f} ctc {ctc:.3f} transducer {transducer:.3f} "
            f"{self.heard / (self.spoken - self.began):.0f}x real time",
            flush=True,
        )
        self.parts = []
