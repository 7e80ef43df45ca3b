"""Where a training is, and a line about it now and then."""

import time
from collections.abc import Sequence
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
    """A line of progress now and then, about parts of a loss that have names."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
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
        mean = torch.stack(self.parts).mean(0).tolist()
        parts = " ".join(
            f"{name} {value:.3f}" for name, value in zip(self.names, mean, strict=True)
        )
        print(
            f"step {progress.step} epoch {progress.epoch} {stage} rate {rate:.1e} {parts} "
            f"{self.heard / (self.spoken - self.began):.0f}x real time",
            flush=True,
        )
        self.parts = []
