"""What a recording is mixed with to measure: sounds of a household, steady noise, music, babble.

    household   clips of the kit, of sounds at home. The kit keeps none of these for tests, so a
                network has met them, though with other voices; the next tells of unknown ones
    steady      pink noise with a hum, made here as of a fan; no clip of it was trained on
    music       the clips for tests, of which three are songs
    babble      six people at once, of common_voice_en, which is for dev alone

What is mixed is a function of the names of recording and kind, so it is the same at every level.
"""

import random
from functools import cache
from pathlib import Path

import numpy as np

from models.corpus import Samples, read, table

KINDS = ("household", "steady", "music", "babble")
AT_HOME = (
    "baby-cry clock-tick dog-bark doing_the_dishes exercise_bike fireplace person-sneeze "
    "running_tap snoring typing"
).split()
BABBLERS = 6
HUM = 2 * np.pi * 100 / 16_000  # radians a sample, of a motor at mains of 50 Hz
TRIES = 8  # clips have gaps: the loudest of some places is taken
FAINTEST = 1e-4  # of full scale; nothing is amplified from below


def rms(samples: Samples) -> float:
    """Root of the mean power of samples [N]."""
    return max(float(np.sqrt(np.mean(np.square(samples)))), FAINTEST)


def mixed(speech: Samples, noise: Samples, snr: float) -> Samples:
    """Noise [N] added to speech [N], its mean power `snr` decibel below; at most full scale."""
    both = speech + noise * np.float32(rms(speech) / rms(noise) * 10 ** (-snr / 20))
    return np.asarray(both / max(1.0, float(np.abs(both).max())), np.float32)


class Sounds:
    """The sounds of a kit, by kind. A kind the kit has nothing of is not there."""

    def __init__(self, kit: Path) -> None:
        rows = list(table(kit / "noise" / "manifest.tsv"))
        self._clips: dict[str, list[list[Path]]] = {"household": [], "music": []}
        for name in AT_HOME:
            of = [kit / "noise" / r["path"] for r in rows if r["class"] == name]
            self._clips["household"] += [of] if of else []
        music = [r for r in rows if r["kind"] == "music" and r["use"] == "test"]
        self._clips["music"] = [[kit / "noise" / r["path"]] for r in music]
        folder = kit / "speech" / "common_voice_en"
        voices = table(folder / "manifest.tsv") if folder.exists() else iter(())
        self._clips["babble"] = [[folder / r["path"]] for r in voices if r["split"] == "dev"]

    def kinds(self) -> list[str]:
        """Kinds that there is something of."""
        return [kind for kind in KINDS if kind == "steady" or self._clips[kind]]

    def draw(self, kind: str, name: str, length: int) -> Samples:
        """Samples [length] of a kind, for the recording of this name."""
        dice = random.Random(f"{kind} {name}")
        if kind == "steady":
            return steady(length, dice)
        if kind != "babble":
            return piece(dice.choice(dice.choice(self._clips[kind])), length, dice)
        every = self._clips[kind]
        paths = [path for (path,) in dice.sample(every, min(BABBLERS, len(every)))]
        parts = [piece(path, length, dice) for path in paths]
        return np.asarray(np.sum([part / rms(part) for part in parts], 0), np.float32)


@cache
def _read(path: Path) -> Samples:
    return read(path)


def piece(path: Path, length: int, dice: random.Random) -> Samples:
    """Samples [length] from somewhere in a clip, repeated where it is short."""
    whole = _read(path)
    long = np.tile(whole, length // len(whole) + 2)
    begins = [dice.randrange(len(whole)) for _ in range(TRIES)]
    return max((long[begin : begin + length] for begin in begins), key=rms)


def steady(length: int, dice: random.Random) -> Samples:
    """Pink noise [length] with a hum and two of its overtones."""
    white = np.random.default_rng(dice.getrandbits(32)).standard_normal(length)
    spectrum = np.fft.rfft(white)
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), length)
    time = np.arange(length) * HUM
    hum = sum(np.sin(n * time) / n for n in (1, 2, 3))
    return np.asarray(pink / pink.std() + 0.3 * hum, np.float32)
