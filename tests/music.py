"""Music for tests, made here: tones in the formats that players meet, and files that are none."""

from pathlib import Path

import numpy as np
import soundfile

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def tone(seconds: float, rate: int, channels: int = 2, hertz: float = 440.0) -> Floats:
    """A tone at half of full scale [N, channels]."""
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return np.repeat(wave[:, np.newaxis], channels, axis=1)


FORMATS = {
    "tone.mp3": (44_100, 2, "MPEG_LAYER_III"),
    "tone.ogg": (48_000, 2, "VORBIS"),
    "tone.flac": (96_000, 2, "PCM_24"),
    "stereo.wav": (44_100, 2, "PCM_16"),
    "eight.wav": (22_050, 1, "PCM_U8"),
    "floats.wav": (48_000, 6, "FLOAT"),
}


def record(folder: Path, name: str, seconds: float, hertz: float = 440.0) -> Path:
    """Write a tone in the format of a name."""
    rate, channels, subtype = FORMATS[name]
    path = folder / name
    soundfile.write(path, tone(seconds, rate, channels, hertz), rate, subtype=subtype)
    return path


def spoilt(folder: Path) -> dict[Path, str]:
    """Files that cannot be played, and a part of the reason."""
    folder.mkdir(exist_ok=True)
    empty, text, bare = folder / "empty.wav", folder / "text.mp3", folder / "bare.wav"
    empty.touch()
    text.write_text("this is not music\n" * 100)
    soundfile.write(bare, np.zeros((0, 2)), 48_000)
    return {
        empty: "is empty",
        text: "cannot be read as audio",
        folder: "is a folder",
        folder / "none.ogg": "no such file",
    }


def loudest(samples: np.ndarray, rate: int) -> float:
    """The frequency that stands out, in hertz."""
    spectrum = np.abs(np.fft.rfft(samples.astype(np.float64) * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * rate / len(samples))


def level(samples: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
