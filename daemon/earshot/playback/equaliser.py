"""Tone: second-order filters one after another (R. Bristow-Johnson's Audio EQ Cookbook).

A recursive filter wants each output before the next, which is slow in Python, sample by sample. But
it is linear: what comes out of a span of samples is a matrix times (the state before it, the span),
and so is the state behind it (block processing of recursive digital filters, Burrus 1972). The
matrices are found by letting the plain filter run on unit vectors.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from earshot.playback.audio import CHANNELS, RATE, Frames, amplitude
from earshot.playback.settings import Tone

Floats = npt.NDArray[np.float64]

SPAN = 64  # samples a matrix product: the cost of the product and of the steps are about even
BASS, MIDDLE, TREBLE = 120.0, 1_000.0, 6_000.0  # Hz
OCTAVE = 1.414  # Q of a bell an octave wide


class Section(NamedTuple):
    """A second-order filter: y = b0 x + b1 x' + b2 x'' - a1 y' - a2 y''."""

    b0: float
    b1: float
    b2: float
    a1: float
    a2: float


def shelf(hertz: float, decibel: float, *, high: bool) -> Section:
    """Change all below (or above) a frequency, with slope 1."""
    a, w = math.sqrt(amplitude(decibel)), 2 * math.pi * hertz / RATE
    cos, root = math.cos(w), math.sqrt(2 * a) * math.sin(w)
    sign = -1 if high else 1
    b0 = a * ((a + 1) - sign * (a - 1) * cos + root)
    b1 = sign * 2 * a * ((a - 1) - sign * (a + 1) * cos)
    b2 = a * ((a + 1) - sign * (a - 1) * cos - root)
    a0 = (a + 1) + sign * (a - 1) * cos + root
    a1 = sign * -2 * ((a - 1) + sign * (a + 1) * cos)
    a2 = (a + 1) + sign * (a - 1) * cos - root
    return Section(b0 / a0, b1 / a0, b2 / a0, a1 / a0, a2 / a0)


def bell(hertz: float, decibel: float, q: float = OCTAVE) -> Section:
    """Change what is around a frequency."""
    a, w = math.sqrt(amplitude(decibel)), 2 * math.pi * hertz / RATE
    cos, alpha = math.cos(w), math.sin(w) / (2 * q)
    a0 = 1 + alpha / a
    b1 = -2 * cos / a0
    return Section((1 + alpha * a) / a0, b1, (1 - alpha * a) / a0, b1, (1 - alpha / a) / a0)


def sections(tone: Tone) -> list[Section]:
    """The filters of a tone."""
    return [
        shelf(BASS, tone.bass_db, high=False),
        bell(MIDDLE, tone.middle_db),
        shelf(TREBLE, tone.treble_db, high=True),
    ]


def step(filters: list[Section], state: Floats, x: Floats) -> Floats:
    """One sample of the plain filter (transposed direct form II); `state` [2 sections, …]."""
    for i, one in enumerate(filters):
        y = one.b0 * x + state[2 * i]
        state[2 * i] = one.b1 * x - one.a1 * y + state[2 * i + 1]
        state[2 * i + 1] = one.b2 * x - one.a2 * y
        x = y
    return x


class Equaliser:
    """Filters a stream; holds back up to SPAN frames until the last piece."""

    def __init__(self, filters: list[Section]) -> None:
        size = 2 * len(filters)
        basis = np.eye(size + SPAN)
        state = basis[:size].copy()
        out = np.stack([step(filters, state, basis[size + i]) for i in range(SPAN)])
        self._from_state, self._from_input = out[:, :size].T, out[:, size:].T
        self._state_again, self._state_input = state[:, :size].T, state[:, size:].T
        self._state = np.zeros((CHANNELS, size))
        self._held: Frames = np.zeros((0, CHANNELS), np.float32)

    def process(self, piece: Frames, *, last: bool = False) -> Frames:
        """Filter frames [N, CHANNELS]; at the last, give what was held back."""
        piece = np.concatenate([self._held, piece])
        spans, rest = divmod(len(piece), SPAN)
        if last and rest:
            padded = np.pad(piece, ((0, SPAN - rest), (0, 0)))
            self._held = piece[:0]
            return self._filtered(padded)[: len(piece)]
        self._held = piece[spans * SPAN :]
        return self._filtered(piece[: spans * SPAN])

    def _filtered(self, whole: Frames) -> Frames:
        """Filter whole spans."""
        x = whole.reshape(-1, SPAN, CHANNELS).transpose(0, 2, 1).astype(np.float64)
        grown = x @ self._state_input  # [spans, CHANNELS, states]
        before = np.empty_like(grown)
        for i, growth in enumerate(grown):
            before[i] = self._state
            self._state = self._state @ self._state_again + growth
        y = x @ self._from_input + before @ self._from_state
        return y.transpose(0, 2, 1).reshape(-1, CHANNELS).astype(np.float32)
