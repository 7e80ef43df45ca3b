"""A loudspeaker, a room and a microphone, made of arithmetic."""

from collections import deque
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from earshot.echo import EchoRemover
from earshot.reference import BLOCK, Played
from earshot.sources import Chunk
from earshot.tape import NANOSECONDS
from earshot.units import SAMPLE_RATE, samples

Samples = npt.NDArray[np.float32]
MIC_BLOCK = samples(80)
AHEAD = samples(200)


def music(seconds: float, seed: int = 1) -> Samples:
    """Something loud with a spectrum that falls and a level that swells [N]."""
    length = round(seconds * SAMPLE_RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(length))
    hertz = np.arange(len(spectrum)) / seconds
    sound = np.fft.irfft(spectrum / (1 + hertz / 500), length)
    sound *= 1 + 0.7 * np.sin(np.arange(length) / 3_000)
    return np.asarray(0.8 * sound / np.abs(sound).max(), np.float32)


def echo_of(played: Samples, late_ms: float = 5, seed: int = 2) -> Samples:
    """What of it comes back through a room, so late [N]."""
    dice = np.random.default_rng(seed)
    room = 0.1 * dice.standard_normal(3_000) * np.exp(-np.arange(3_000) / 500)
    room[0] = 0.5
    taps = np.concatenate([np.zeros(samples(late_ms)), room])
    size = 1 << (len(played) + len(taps)).bit_length()
    wet = np.fft.irfft(np.fft.rfft(played, size) * np.fft.rfft(taps, size), size)
    hiss = 1e-4 * dice.standard_normal(len(played))
    return (wet[: len(played)] + hiss).astype(np.float32)


def blocks_of(played: Samples, zero: int = 0) -> list[Played]:
    """As a player tells it, of which the first sample is played at `zero` nanoseconds."""
    pcm = np.round(played * 32_767).astype(np.int16)
    firsts = range(0, len(pcm) - BLOCK + 1, BLOCK)
    return [Played(zero + at * NANOSECONDS, pcm[at : at + BLOCK]) for at in firsts]


def removed(  # noqa: PLR0913 - tests differ in all of them
    heard: Samples,
    blocks: Sequence[Played],
    remover: EchoRemover | None = None,
    *,
    block: int = MIC_BLOCK,
    zero: int = 0,
    ahead: int = AHEAD,
    first: int = 0,
) -> Samples:
    """What is left [N] of what is heard from `zero` nanoseconds on, piece by piece.

    The player tells what it plays so many samples before it is heard; positions count from `first`.
    """
    remover, waiting, found = remover or EchoRemover(), deque(blocks), list[Chunk]()
    for at in range(0, len(heard), block):
        piece = heard[at : at + block]
        now = zero + (at + len(piece)) * NANOSECONDS
        while waiting and waiting[0].time < now + ahead * NANOSECONDS:
            remover.played([waiting.popleft()])
        found += remover.heard(Chunk(first + at, piece), now)
    found += remover.flush()
    return joined(found)


def joined(chunks: Sequence[Chunk]) -> Samples:
    """Samples [N] of chunks, none of which is missing."""
    at = chunks[0].first
    for chunk in chunks:
        assert chunk.first == at, "the positions have a gap"
        at += len(chunk.samples)
    return np.concatenate([chunk.samples for chunk in chunks])


def decibel(signal: Samples) -> float:
    return float(10 * np.log10(np.square(signal, dtype=np.float64).mean() + 1e-15))


def weaker(echo: Samples, left: Samples, begin: float, end: float) -> float:
    """By how many decibel, from one second to another (ERLE)."""
    span = slice(round(begin * SAMPLE_RATE), round(end * SAMPLE_RATE))
    return decibel(echo[span]) - decibel(left[span])
