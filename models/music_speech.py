"""What is said while music plays: commands of the kit's dev recordings, one every ten seconds."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
from earshot.units import SAMPLE_RATE, samples, seconds

from models.corpus import read
from models.evaluate import Task, tasks

Pcm = npt.NDArray[np.int16]

SETS = ("synthetic", "an4", "speech_commands")  # commands; the first are machine voices
EVERY = 10.0  # seconds from one command to the next
LEAD = 1.0  # seconds of silence before a command, in its slot
SONG_SECONDS, SONG_RATE = 60.0, 44_100
CHORD, BAR = (1.0, 1.26, 1.5, 2.0, 3.0), 2.0  # ratios of notes, seconds
SONGS = ("music.mp3", "music.ogg", "music.flac")


@dataclass(frozen=True, slots=True)
class Track:
    """Audio of slots, in each of which one command is said. Positions are samples."""

    slots: tuple[Task, ...]
    speech: tuple[int, ...]
    """samples of the command in each slot"""

    @property
    def slot(self) -> int:
        """Samples of a slot."""
        return samples(1_000 * EVERY)

    @property
    def speech_seconds(self) -> float:
        """How long somebody speaks, in all."""
        return seconds(sum(self.speech))

    def audio(self) -> Iterator[Pcm]:
        """The audio, a slot at a time."""
        for task in self.slots:
            found = np.zeros(self.slot, np.int16)
            spoken = _pcm(task)
            begin = samples(1_000 * LEAD)
            found[begin : begin + len(spoken)] = spoken
            yield found


def _pcm(task: Task) -> Pcm:
    return (read(task.path) * 32_767).astype(np.int16)


def track(kit: Path, length: float) -> Track:
    """Commands for so many seconds, sets in turn. Raises SystemExit where the kit has none."""
    rows = [tasks(kit, corpus, 40) for corpus in SETS]
    longest = EVERY - LEAD - 2.0  # seconds, so that silence is left behind it in its slot
    every = [
        task
        for task in chain.from_iterable(zip_longest(*rows))
        if task and task.text and soundfile.info(task.path).duration <= longest
    ]
    if not every:
        message = f"{kit} has no dev recordings of {', '.join(SETS)}"
        raise SystemExit(message)
    count = max(1, round(length / EVERY))
    slots = tuple(every[i % len(every)] for i in range(count))
    lengths = {task: len(_pcm(task)) for task in dict.fromkeys(slots)}
    return Track(slots, tuple(lengths[task] for task in slots))


def songs(folder: Path) -> list[Path]:
    """Make music in several formats: chords, a bass and a beat, as dense as real music."""
    dice, t = np.random.default_rng(0), np.arange(round(SONG_SECONDS * SONG_RATE)) / SONG_RATE
    found = []
    for number, name in enumerate(SONGS):
        pitch = 110 * (number + 2) * np.where(t % 4 > BAR, 1.5, 1.0)  # Hz
        chord = 2 * np.pi * (pitch * t)[:, np.newaxis] * np.array(CHORD)
        tune = 0.1 * np.sin(chord).sum(axis=1)
        beat = dice.normal(size=(len(t), 2)) * 0.1 * np.exp(-20 * (t % 0.5))[:, np.newaxis]
        path = folder / name
        wave = (tune[:, np.newaxis] + beat).clip(-1, 1)
        with soundfile.SoundFile(path, "w", SONG_RATE, 2) as file:
            for second in np.split(wave, round(SONG_SECONDS)):  # libsndfile dies of a minute of Ogg
                file.write(second)
        found.append(path)
    return found


def silence(length: float) -> Pcm:
    """So many seconds of digital silence with a trace of noise, as a microphone gives."""
    return np.random.default_rng(1).integers(-3, 4, round(length * SAMPLE_RATE)).astype(np.int16)
