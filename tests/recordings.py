"""The recordings that come with the tests: see tests/audio/README.md."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

AUDIO = Path(__file__).parent / "audio"


@dataclass(frozen=True, slots=True)
class Recording:
    """One of them."""

    path: Path
    seconds: float
    start: float
    """seconds; where speech begins"""
    end: float
    """seconds; where speech ends"""
    text: str

    def samples(self) -> npt.NDArray[np.float32]:
        """Samples [N] at 16 kHz."""
        found: npt.NDArray[np.float32] = soundfile.read(self.path, dtype="float32")[0]
        return found

    def speech(self) -> npt.NDArray[np.float32]:
        """Samples [N] without what is before and after the speech."""
        return self.samples()[round(self.start * 16_000) : round(self.end * 16_000)]


def recordings() -> list[Recording]:
    """All of them, in the order of the manifest."""
    with (AUDIO / "manifest.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [_recording(row) for row in rows]


def _recording(row: dict[str, str]) -> Recording:
    seconds, start, end = (float(row[time]) for time in ("seconds", "start", "end"))
    return Recording(AUDIO / row["path"], seconds, start, end, row["text"])


def recording(name: str) -> Recording:
    """The one of this name, without suffix."""
    return next(r for r in recordings() if r.path.stem == name)


def similarity(heard: npt.NDArray[np.float32], spoken: npt.NDArray[np.float32]) -> float:
    """How well `spoken` is found somewhere in `heard`: 1 is exactly, wherever and however loud."""
    size = 1 << (len(heard) + len(spoken)).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(spoken, size))
    products = np.fft.irfft(spectrum, size)[: len(heard)]
    energy = np.concatenate([[0.0], np.cumsum(heard.astype(np.float64) ** 2)])
    ends = np.minimum(np.arange(len(heard)) + len(spoken), len(heard))
    under = np.sqrt(np.maximum(energy[ends] - energy[: len(heard)], 1e-6))
    return float(np.max(products / under) / np.linalg.norm(spoken))
