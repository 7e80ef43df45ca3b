"""What happens to log-mel frames [T, 80] between disk and network, anew for every batch.

Numbers are natural logs of powers, so sounds add as exponentials, a gain is a sum, and a microphone
is a curve over the bins. What needs samples (rooms, codecs) is in models/channel.py.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from earshot.encoder import QUIET
from earshot.units import FEATURE_BINS

Floats = npt.NDArray[np.float32]
Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
NEPER = math.log(10) / 10  # natural log of a power of one decibel
HISS = np.float32(0.7)  # deviation of the bins of quiet from their mean, about what noise has


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How often and how much: the table [augmentation] of a recipe. Shares are of rows."""

    dry: float = 0.5
    """share of recordings heard as they are, neither in a room nor at another speed"""
    tempo: float = 0.4
    """share at another tempo, evenly between `slowest` and `fastest`; the pitch stays"""
    slowest: float = 0.9
    fastest: float = 1.12
    pauses: float = 0.3
    """share with pauses put in between words, together at most `longest_pause` of the row"""
    longest_pause: float = 0.2
    bare: float = 0.15
    """share with 0 ms before the first word and after the last, then digital silence"""
    silent: float = 0.02
    """share of rows of noise that nobody speaks in"""
    noise: float = 0.42
    """share with a noise, evenly between `loudest` and `faintest` decibel below the speech"""
    loudest: float = 0.0
    faintest: float = 28.0
    babble: float = 0.1
    """share with many voices at once, between `loudest_babble` and `faintest` below"""
    loudest_babble: float = 3.0
    voice: float = 0.05
    """share with another voice, between `loudest_voice` and `faintest` below"""
    loudest_voice: float = 8.0
    warped: float = 0.5
    """share with another vocal tract, its bins times a factor from `longest` to `shortest`"""
    longest: float = 0.92
    shortest: float = 1.09
    coloured: float = 0.6
    """share with another microphone"""
    masks: int = 4
    """short times masked in 6.4 seconds"""


USUAL = Augmentation()


def power(x: Floats) -> float:
    """Log of the mean power of log-mel frames."""
    return float(np.log(np.exp(x).mean() + 1e-10))


def mixed(x: Floats, noise: Floats, decibel: float, spoken: Bools | None = None) -> Floats:
    """Noise added, so many decibel below the mean power of x, or of the frames that are spoken."""
    level = power(x if spoken is None else x[spoken])
    shift = level - power(noise) - decibel * NEPER
    powers = np.exp(x) + np.exp(noise + np.float32(shift)) + np.float32(1e-9)
    return np.asarray(np.log(powers), np.float32)


def babble(voices: Sequence[Floats], dice: np.random.Generator) -> Floats:
    """From three to seven voices at once, equally loud, each from anywhere in its row."""
    total = np.zeros_like(voices[0])
    for _ in range(dice.integers(3, 8)):
        voice = voices[int(dice.integers(len(voices)))]
        total += np.exp(np.roll(voice, dice.integers(len(voice)), 0) - np.float32(power(voice)))
    return np.asarray(np.log(total + np.float32(1e-9)), np.float32)


def at_tempo(x: Floats, tempo: float) -> Floats:
    """Frames [T / tempo, 80] of the same speech faster (above 1) or slower, interpolated."""
    at = np.arange(int(len(x) / tempo)) * tempo
    low = at.astype(int)
    part = (at - low).astype(np.float32)[:, None]
    return np.asarray(x[low] * (1 - part) + x[np.minimum(low + 1, len(x) - 1)] * part, np.float32)


def quiet(x: Floats, count: int, dice: np.random.Generator) -> Floats:
    """Frames [count, 80] like the quietest tenth of x."""
    low = max(1, len(x) // 10) // 2
    mean = np.partition(x[::2], low, 0)[: low + 1].mean(0)
    return np.asarray(mean + dice.standard_normal((count, FEATURE_BINS), np.float32) * HISS)


def paused(
    x: Floats, times: tuple[Longs, Longs], borders: Longs, pause: int, dice: np.random.Generator
) -> Floats:
    """Put quiet between words, in one to three places; `times` of the tokens behind move."""
    still = quiet(x, pause, dice)
    start, end = times
    places = np.sort(dice.choice(borders, dice.integers(1, 4)))[::-1]  # later ones first
    for first, part in zip(places, np.array_split(still, len(places)), strict=True):
        cut = (end[first - 1] + start[first]) // 2
        x = np.concatenate([x[:cut], part, x[cut:]])
        for moved in times:
            moved[first:] += len(part)
    return x


def warped(x: Floats, factor: float) -> Floats:
    """As from a longer vocal tract (below 1) or a shorter one."""
    at = np.clip(np.arange(FEATURE_BINS) * factor, 0, FEATURE_BINS - 1.001)
    low, part = at.astype(int), (at % 1).astype(np.float32)
    return np.asarray(x[:, low] * (1 - part) + x[:, low + 1] * part, np.float32)


def coloured(x: Floats, dice: np.random.Generator) -> Floats:
    """As by a microphone with a smooth curve of its own, some decibel up and down."""
    bins = np.arange(FEATURE_BINS)[None] * np.pi / FEATURE_BINS * np.arange(1, 5)[:, None]
    return x + (dice.normal(0, 0.35, (1, 4)) @ np.cos(bins)).astype(np.float32)


def louder(x: Floats, dice: np.random.Generator) -> Floats:
    """With a gain of -17 to 11 dB; nothing is quieter than digital silence."""
    return np.asarray(np.maximum(x + np.float32(dice.uniform(-4, 2.5)), np.float32(QUIET)))


def masked(x: Floats, dice: np.random.Generator, masks: int = 4) -> Floats:
    """SpecAugment (Park et al., 2019): two bands and a few short times set to the mean.

    masks: how many times in 640 frames.
    """
    x, mean = x.copy(), x.mean(0)
    for _ in range(2):
        size = dice.integers(18)
        low = dice.integers(FEATURE_BINS - size)
        x[:, low : low + size] = mean[low : low + size]
    for _ in range(len(x) * masks // 640):
        size = dice.integers(22)
        begin = dice.integers(len(x) - size)
        x[begin : begin + size] = mean
    return x


def augmented(  # noqa: PLR0913, PLR0917 - a row, what may be added to it, and how
    x: Floats,
    voices: Sequence[Floats],
    sound: Callable[[int, np.random.Generator], Floats],
    dice: np.random.Generator,
    how: Augmentation,
    spoken: Bools | None = None,
) -> Floats:
    """Vocal tract, one kind of noise, gain, microphone, masks.

    voices: rows of others, for babble; sound: draws so many frames of noise or music; spoken [T]:
    frames that decibels count from, all where none are told. In a row of six seconds with one word
    in it that word is 12 dB above the whole.
    """
    if dice.random() < how.warped:
        x = warped(x, dice.uniform(how.longest, how.shortest))
    kind = dice.random()
    if kind < how.noise:
        x = mixed(x, sound(len(x), dice), dice.uniform(how.loudest, how.faintest), spoken)
    elif kind < how.noise + how.babble:
        x = mixed(x, babble(voices, dice), dice.uniform(how.loudest_babble, how.faintest), spoken)
    elif kind < how.noise + how.babble + how.voice:
        other = voices[int(dice.integers(len(voices)))]
        x = mixed(x, other, dice.uniform(how.loudest_voice, how.faintest), spoken)
    x = louder(x, dice)
    if dice.random() < how.coloured:
        x = coloured(x, dice)
    return masked(x, dice, how.masks)
