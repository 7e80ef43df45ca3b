"""Somebody speaks while our own music plays: what the microphone hears, and what the player tells.

The music goes through a loudspeaker that distorts a little (its loud parts are pressed together, as
tanh does), through a room to the microphone, and comes late; the speech through another place of a
room. The clock of the microphone drifts against that of the loudspeaker, the player's times jitter,
and blocks of the microphone arrive late. `decibel` is the music's mean power above that of the
speech, both at the microphone while somebody speaks: at 5 the music is the louder.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from earshot.reference import BLOCK, Played
from earshot.sources import Chunk
from earshot.tape import NANOSECONDS
from earshot.units import SAMPLE_RATE, SAMPLES_PER_MS, samples

from models.backgrounds import music_of
from models.corpus import Samples, read, table
from models.sounds import rms
from models.streams import Stream
from models.tracks import Span, Spoken, pauses, surrounded, track_of

BEFORE = (4.0, 5.5)  # seconds of music alone before the speech
AFTER = 4.5  # seconds behind it, so that an utterance that never ends shows
SPEAKER = (0.5, 2.0)  # metres from who speaks to the microphone
LOUDSPEAKER = (0.3, 1.2)
DRIEST, WETTEST = 0.15, 0.5  # seconds of reverberation of the rooms
DIRECT = 32  # sample of the direct sound in the responses of the kit
PRESSED = 1.0  # a full-scale sample comes out of the loudspeaker as tanh of this, over this
LATE_MS = (20, 120)  # from when the player says it plays to the loudspeaker
PPM = 50.0  # at most, of drift either way
JITTER_MS = 2.0  # deviation of the player's times
ARRIVAL_MS = (15.0, 3.0)  # how late blocks of the microphone come: always, and on average more
HISS = 10 ** (-70 / 20)  # of the microphone, of full scale
AHEAD = samples(200)  # what the player tells before it is heard
MIC_BLOCK = samples(80)
SIDE = 8  # samples on either side of one between samples


@dataclass(frozen=True, slots=True)
class Scene:
    """Samples [N] at the microphone of all, and of the speech and the music alone."""

    stream: Stream
    speech: Samples
    echo: Samples
    played: Samples
    late: int
    """samples from when the player says it plays to the loudspeaker"""
    blocks: tuple[Played, ...]
    arrivals: tuple[int, ...]
    """of the microphone's blocks, in nanoseconds"""

    @property
    def heard(self) -> Samples:
        """What the microphone hears."""
        return self.stream.samples

    def chunks(self) -> list[Chunk]:
        """What it gives, block by block."""
        every = range(0, len(self.heard), MIC_BLOCK)
        return [Chunk(first, self.heard[first : first + MIC_BLOCK]) for first in every]


@dataclass(frozen=True, slots=True)
class Places:
    """Music for tests, and responses of rooms to speakers and to loudspeakers."""

    music: Sequence[Path]
    speakers: Sequence[Path]
    loudspeakers: Sequence[Path]

    @classmethod
    def of(cls, kit: Path) -> "Places":
        """Of a data kit. Raises SystemExit where there is not enough."""
        folder = kit / "rir" / "simulated"
        rows = [
            (folder / row["file"], float(row["distance_m"]))
            for row in table(folder / "manifest.tsv")
            if DRIEST <= float(row["rt60_target_s"]) <= WETTEST
        ]
        near, loud = (
            [path for path, away in rows if low <= away < high]
            for low, high in (SPEAKER, LOUDSPEAKER)
        )
        found = cls(
            music_of(kit, "test"), near[::2], [path for path in loud if path not in near[::2]]
        )
        if not (found.music and found.speakers and found.loudspeakers):
            message = f"{kit} lacks music or rooms near enough"
            raise SystemExit(message)
        return found

    def scene(self, one: Spoken, decibel: float, seed: str) -> Scene:
        """Somebody says this while music plays; all but its level is the same at every level."""
        dice = random.Random(seed)
        track = surrounded(track_of(one, dice), dice.uniform(*BEFORE), AFTER, digital=False)
        speech = in_room(track.samples, dice.choice(self.speakers))
        length, spans = len(speech), track.spans
        played = self._music(length, dice)
        late = samples(dice.uniform(*LATE_MS))
        loud = np.tanh(played * PRESSED) / PRESSED
        drifted = at_clock(loud, 1 + dice.uniform(-PPM, PPM) * 1e-6)
        echo = in_room(np.pad(drifted, (late, 0))[:length], dice.choice(self.loudspeakers))
        spoken = slice(spans[0][0], spans[-1][1])
        gain = rms(speech[spoken]) / rms(echo[spoken]) * 10 ** (decibel / 20)
        numbers = np.random.default_rng(dice.getrandbits(32))
        hiss = HISS * numbers.standard_normal(length)
        loudest = max(1.0, float(np.abs(speech + gain * echo).max()))
        alone, music = (
            (part / loudest).astype(np.float32) for part in (speech + hiss, gain * echo)
        )
        stream = Stream(
            alone + music, spans[0][0], spans[-1][1], one.words, spans, pauses(spans), one.corpus,
            f"{decibel:g} dB", one.path,
        )  # fmt: skip
        return Scene(
            stream, alone, music, played, late, told(played, numbers), arrived(length, numbers)
        )

    def _music(self, length: int, dice: random.Random) -> Samples:
        """From somewhere in a song, at full scale; as the player's 16 bits have it."""
        song = read(dice.choice(self.music))
        long = np.tile(song, length // len(song) + 2)
        begin = dice.randrange(len(song))
        part = long[begin : begin + length]
        scaled = np.round(part / max(float(np.abs(part).max()), 1e-3) * 32_767)
        return (scaled / 32_768).astype(np.float32)


def in_room(dry: Samples, response: Path) -> Samples:
    """Samples [N] through a room, the direct sound neither later nor louder."""
    taps = read(response)[DIRECT:]
    size = 1 << (len(dry) + len(taps) - 1).bit_length()
    wet = np.fft.irfft(
        np.fft.rfft(dry, size) * np.fft.rfft(taps / np.abs(taps[0] or 1), size), size
    )
    return np.asarray(wet[: len(dry)], np.float32)


def at_clock(signal: Samples, speed: float) -> Samples:
    """Samples [N] as a clock that runs at another speed takes them (a windowed sinc)."""
    place = np.arange(len(signal)) * speed
    whole = np.floor(place).astype(np.int64)
    padded = np.pad(signal, SIDE + round(abs(speed - 1) * len(signal)) + 1)
    offset = (len(padded) - len(signal)) // 2
    found = np.zeros(len(signal))
    for step in range(1 - SIDE, SIDE + 1):
        away = step - (place - whole)
        weight = np.sinc(away) * np.cos(np.pi * away / (2 * (SIDE + 1))) ** 2
        found += padded[whole + step + offset] * weight
    return np.asarray(found, np.float32)


def told(played: Samples, dice: np.random.Generator) -> tuple[Played, ...]:
    """The music as the player tells it."""
    pcm = np.round(played * 32_768).astype(np.int16)
    firsts = range(0, len(pcm) - BLOCK + 1, BLOCK)
    off = dice.normal(0, JITTER_MS * 1e6, len(firsts)).astype(np.int64)
    return tuple(
        Played(first * NANOSECONDS + int(late), pcm[first : first + BLOCK])
        for first, late in zip(firsts, off, strict=True)
    )


def arrived(length: int, dice: np.random.Generator) -> tuple[int, ...]:
    """When the blocks of the microphone come."""
    ends = [min(first + MIC_BLOCK, length) for first in range(0, length, MIC_BLOCK)]
    always, more = ARRIVAL_MS
    late = (always + dice.exponential(more, len(ends))) * 1e6
    return tuple(end * NANOSECONDS + int(one) for end, one in zip(ends, late, strict=True))


def music_alone(stream: Stream) -> Span:
    """The last two seconds before the speech."""
    return max(0, stream.start - 2 * SAMPLE_RATE), stream.start - 100 * SAMPLES_PER_MS
