"""Features on disk -> training rows of one length, filled with recordings of like speakers.

A row is a stream: pieces of recordings one after the other, cut at word borders where the row ends
and carried on at the next word in the next row. So nothing is padded away, long audio is trained on
from the first day, and words begin and end with 0 ms of lead-in and tail. What a batch holds is a
function of (seed, epoch, position, rank) alone: a resumed run goes on exactly.
"""

import math
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from earshot.units import FEATURE_BINS, SUBSAMPLING
from torch import Tensor

from models.loss import Longs, windows

Floats = npt.NDArray[np.float32]

# Single words are many and alike: each is heard in a part of the epochs only.
SHARE = {"speech_commands": 0.35, "picovoice_wakewords": 0.3, "mycroft_precise": 0.3}
QUIET_AFTER = (
    24  # feature frames left after the last word of a row, so that its tokens can come out
)
SHORTEST = 80  # a row with less room than this is closed
TOGETHER = 4  # recordings of one speaker that stay neighbours
DRY = 0.5  # share of recordings heard as they are, neither in a room nor at another speed
FROM_START = 0.6  # share of recordings that begin with their own silence
WARPED, COLOURED = 0.5, 0.6  # how often each happens to a row
NOISY, BABBLED = 0.5, 0.57  # noise below the first number, babble from there to the second
SHORTEST_NOISE = 50  # feature frames


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a recording: feature frames [begin, end) and tokens [first, last) of a version."""

    recording: int
    version: int
    begin: int
    end: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows for one step. Due frames are where the alignment expects a token, in encoder frames."""

    x: Tensor  # [B, T, 80]
    frames: Tensor  # [B, T / 4] the token heard, 0 for silence
    target: Tensor  # [B, U]
    counts: list[int]
    first: Tensor  # [B, T / 4] windows of the loss


class Corpus:
    """The cache of models/prepare.py, memory-mapped."""

    def __init__(self, folder: Path) -> None:
        known = np.load(folder / "alignments.npz")
        self.token, self.start = known["token"], known["start"]
        self.end, self.word = known["end"], known["word"]
        self.at = np.concatenate([[0], np.cumsum(known["tokens"])])
        self.corpus, self.speaker = known["corpus"].tolist(), known["speaker"].tolist()
        names = sorted(path.stem for path in folder.glob("speech*.f16"))
        self.versions = [self._open(folder / name) for name in names]
        self.noise = self._open(folder / "noise")

    @staticmethod
    def _open(path: Path) -> tuple[npt.NDArray[np.float16], Longs, Floats]:
        index = np.load(path.with_suffix(".npz"))
        frames = np.memmap(path.with_suffix(".f16"), np.float16, "r").reshape(-1, FEATURE_BINS)
        return frames, np.concatenate([[0], np.cumsum(index["count"])]), index["speed"]

    def times(self, recording: int, version: int) -> tuple[Longs, Longs]:
        """Start and end frames [U] of the recording's tokens at the version's speed."""
        part = slice(self.at[recording], self.at[recording + 1])
        speed = self.versions[version][2][recording]
        start, end = self.start[part] / speed + 0.5, self.end[part] / speed + 0.5
        return start.astype(np.int64), end.astype(np.int64)

    def length(self, recording: int, version: int) -> int:
        """Feature frames of a recording."""
        index = self.versions[version][1]
        return int(index[recording + 1] - index[recording])

    def frames(self, recording: int, version: int, begin: int, end: int) -> Floats:
        """Features [end - begin, 80]."""
        rows, index, _ = self.versions[version]
        return np.asarray(rows[index[recording] + begin : index[recording] + end], np.float32)

    def statistics(self, dice: random.Random) -> tuple[Tensor, Tensor]:
        """Mean and deviation [80] over some recordings."""
        chosen = (dice.randrange(len(self.corpus)) for _ in range(800))
        some = np.concatenate([self.frames(i, 0, 0, self.length(i, 0)) for i in chosen])
        return torch.from_numpy(some.mean(0)), torch.from_numpy(some.std(0))


def order(corpus: Corpus, dice: random.Random) -> list[tuple[int, int]]:
    """Shuffle (recording, version) of an epoch, in small groups of one speaker and version."""
    of: dict[tuple[str, str], list[int]] = {}
    for i, (name, speaker) in enumerate(zip(corpus.corpus, corpus.speaker, strict=True)):
        if dice.random() < SHARE.get(name, 1.0):
            of.setdefault((name, speaker), []).append(i)
    groups = []
    for members in of.values():
        dice.shuffle(members)
        groups += [members[i : i + TOGETHER] for i in range(0, len(members), TOGETHER)]
    dice.shuffle(groups)
    versions = [0 if dice.random() < DRY else dice.randrange(len(corpus.versions)) for _ in groups]
    return [(i, v) for group, v in zip(groups, versions, strict=True) for i in group]


def rows(corpus: Corpus, length: int, dice: random.Random) -> list[list[Piece]]:
    """Cut an epoch into rows of at most `length` feature frames."""
    done: list[list[Piece]] = []
    row: list[Piece] = []
    room = length
    for recording, version in order(corpus, dice):
        start, end = corpus.times(recording, version)
        whole = dice.random() < FROM_START
        first, begin = 0, 0 if whole else max(0, int(start[0]) - dice.randrange(6))
        while first < len(start):
            last, stop = _fit(
                corpus, (recording, version), (first, begin), room - QUIET_AFTER, dice
            )
            if last > first:
                row.append(Piece(recording, version, begin, stop, first, last))
                room -= stop - begin
            if last < len(start) or room < SHORTEST:
                if not row:
                    break  # one word longer than a row
                done.append(row)
                row, room = [], length
            if last < len(start):
                begin = max(int(end[last - 1]) if last else 0, int(start[last]) - dice.randrange(4))
            first = last
    return done


def _fit(
    corpus: Corpus, heard: tuple[int, int], at: tuple[int, int], room: int, dice: random.Random
) -> tuple[int, int]:
    """Up to which token `room` frames from (token, frame) hold whole words; and where to cut."""
    (recording, version), (first, begin) = heard, at
    _, end = corpus.times(recording, version)
    word = corpus.word[corpus.at[recording] : corpus.at[recording + 1]]
    borders = [*(np.flatnonzero(np.diff(word)) + 1), len(word)]
    fitting = [b for b in borders if b > first and end[b - 1] - begin <= room]
    if not fitting:
        return first, begin
    last, rest = int(fitting[-1]), corpus.length(recording, version)
    tail = dice.randrange(45) if last == len(word) else 0
    return last, min(int(end[last - 1]) + tail, rest, begin + room)


def assemble(
    corpus: Corpus, row: list[Piece], length: int, dice: np.random.Generator
) -> tuple[Floats, Longs, Longs, Longs]:
    """Features [length, 80], tokens, start and end frames [U] of a row; quiet after the last."""
    parts = [corpus.frames(p.recording, p.version, p.begin, p.end) for p in row]
    tokens, starts, ends, at = [], [], [], 0
    for piece, part in zip(row, parts, strict=True):
        start, end = corpus.times(piece.recording, piece.version)
        chosen = slice(piece.first, piece.last)
        tokens.append(corpus.token[corpus.at[piece.recording] :][chosen])
        starts.append(start[chosen] - piece.begin + at)
        ends.append(end[chosen] - piece.begin + at)
        at += len(part)
    x = np.concatenate(parts)
    low = max(1, len(x) // 10)
    quiet = np.partition(x[::2], low // 2, 0)[: low // 2 + 1].mean(0)
    rest = quiet + dice.standard_normal((length - at, FEATURE_BINS), np.float32) * np.float32(0.7)
    token, start, end = (np.concatenate(c).astype(np.int64) for c in (tokens, starts, ends))
    return np.concatenate([x, rest]), token, start, end


def power(x: Floats) -> float:
    """Log of the mean power of log-mel frames."""
    return float(np.log(np.exp(x).mean() + 1e-10))


def augment(x: Floats, corpus: Corpus, other: Floats, dice: np.random.Generator) -> Floats:
    """Vocal tract, noise or babble, gain, microphone, masks: all on log-mel frames [T, 80]."""
    if dice.random() < WARPED:
        at = np.clip(np.arange(FEATURE_BINS) * dice.uniform(0.92, 1.09), 0, FEATURE_BINS - 1.001)
        low, part = at.astype(int), (at % 1).astype(np.float32)
        x = x[:, low] * (1 - part) + x[:, low + 1] * part
    kind = dice.random()
    if kind < NOISY:
        x = _mixed(x, _noise(corpus, len(x), dice), dice.uniform(0, 28))
    elif kind < BABBLED:
        x = _mixed(x, other, dice.uniform(8, 25))
    x = x + np.float32(dice.uniform(-4, 2.5))
    if dice.random() < COLOURED:
        bins = np.arange(FEATURE_BINS)[None] * np.pi / FEATURE_BINS * np.arange(1, 5)[:, None]
        x = x + (dice.normal(0, 0.35, (1, 4)) @ np.cos(bins)).astype(np.float32)
    return _masked(x, dice)


def _noise(corpus: Corpus, length: int, dice: np.random.Generator) -> Floats:
    frames, index, _ = corpus.noise
    while True:
        i = dice.integers(len(index) - 1)
        if index[i + 1] - index[i] > SHORTEST_NOISE:
            break
    begin = index[i] + dice.integers(max(1, index[i + 1] - index[i] - length))
    some = np.asarray(frames[begin : min(begin + length, index[i + 1])], np.float32)
    return np.tile(some, (length // len(some) + 1, 1))[:length]


def _mixed(x: Floats, noise: Floats, decibel: float) -> Floats:
    shift = power(x) - power(noise) - decibel * math.log(10) / 10
    powers = np.exp(x) + np.exp(noise + np.float32(shift)) + np.float32(1e-9)
    return np.asarray(np.log(powers), np.float32)


def _masked(x: Floats, dice: np.random.Generator) -> Floats:
    """SpecAugment (Park et al., 2019): two bands and a few short times set to the mean."""
    x, mean = x.copy(), x.mean(0)
    for _ in range(2):
        size = dice.integers(18)
        low = dice.integers(FEATURE_BINS - size)
        x[:, low : low + size] = mean[low : low + size]
    for _ in range(len(x) // 160):
        size = dice.integers(22)
        begin = dice.integers(len(x) - size)
        x[begin : begin + size] = mean
    return x


def label_frames(tokens: Longs, starts: Longs, ends: Longs, length: int) -> Longs:
    """Name the token heard in each encoder frame [length / 4], 0 where none is."""
    frames = np.zeros(length, np.int64)
    for token, start, end in zip(tokens, starts, ends, strict=True):
        frames[start:end] = token
    at = np.arange(0, length, SUBSAMPLING) - 3  # 30 ms late: the encoder has seen more
    return frames[np.maximum(at, 0)]


def due_frames(starts: Longs, ends: Longs) -> Longs:
    """When each token should come [U]: its middle, early in long ones, and 60 ms to hear it."""
    return ((starts + np.minimum(ends, starts + 10)) // 2 + 6) // SUBSAMPLING


def batch(
    corpus: Corpus, pieces: list[list[Piece]], length: int, width: int, seed: list[int]
) -> Batch:
    """Rows as tensors, augmented; `width` is the width of the loss windows."""
    dice = np.random.default_rng(seed)
    whole = [assemble(corpus, row, length, dice) for row in pieces]
    x = [augment(w[0], corpus, whole[i - 1][0], dice) for i, w in enumerate(whole)]
    counts = [len(w[1]) for w in whole]
    target = np.zeros((len(whole), max(counts)), np.int64)
    for i, w in enumerate(whole):
        target[i, : counts[i]] = w[1]
    frames = np.stack([label_frames(*w[1:], length) for w in whole])
    first = np.stack([windows(due_frames(*w[2:]), length // SUBSAMPLING, width) for w in whole])
    tensors = [torch.from_numpy(a) for a in (np.stack(x), frames, target, first)]
    return Batch(tensors[0], tensors[1], tensors[2], counts, tensors[3])
