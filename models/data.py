"""Features on disk -> training rows of one length, filled with recordings of like speakers.

A row is a stream: pieces of recordings one after the other, cut at word borders where the row ends
and carried on at the next word in the next row. So nothing is padded away, long audio is trained on
from the first day, and words begin and end with 0 ms of lead-in and tail. What a batch holds is a
function of (seed, epoch, position, rank) alone: a resumed run goes on exactly.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from earshot.encoder import QUIET
from earshot.units import FEATURE_BINS, SUBSAMPLING
from torch import Tensor

from models import augment
from models.augment import USUAL, Augmentation, Floats
from models.loss import Longs, windows

# Single words are many and alike, and so are machines: each is heard in a part of the epochs only.
SHARE = {
    "speech_commands": 0.35,
    "picovoice_wakewords": 0.3,
    "mycroft_precise": 0.3,
    "synthetic": 0.7,
    "spoken": 0.5,
}
QUIET_AFTER = 24  # frames of 10 ms left after the last word of a row: its tokens can come out
SHORTEST = 80  # a row with less room than this is closed
TOGETHER = 4  # recordings of one speaker that stay neighbours
FROM_START = 0.6  # share of recordings that begin with their own silence
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
class Row:
    """What a row of a batch plays, at what tempo, and how many frames of pauses it has room for."""

    pieces: list[Piece]
    tempo: float = 1.0
    pause: int = 0


@dataclass(frozen=True, slots=True)
class Stream:
    """Features [T, 80] and what is said in them: tokens, their first and end frames, each [U]."""

    x: Floats
    token: Longs
    start: Longs
    end: Longs


class Batch(NamedTuple):
    """Rows for one step. Due frames are where the alignment expects a token, in encoder frames."""

    x: Tensor  # [B, T, 80]
    frames: Tensor  # [B, T / 4] the token heard, 0 for silence
    target: Tensor  # [B, U]
    counts: list[int]
    first: Tensor  # [B, T / 4] windows of the loss
    due: Tensor  # [B, U] frame at which each token is expected


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

    def opens(self, recording: int, first: int) -> npt.NDArray[np.bool_]:
        """Which tokens of a recording, from the given one on, begin a word [U - first]."""
        word = self.word[self.at[recording] : self.at[recording + 1]]
        return np.asarray(np.diff(word, prepend=-1)[first:] != 0)

    def length(self, recording: int, version: int) -> int:
        """Feature frames of a recording."""
        index = self.versions[version][1]
        return int(index[recording + 1] - index[recording])

    def frames(self, recording: int, version: int, begin: int, end: int) -> Floats:
        """Features [end - begin, 80]."""
        rows, index, _ = self.versions[version]
        return np.asarray(rows[index[recording] + begin : index[recording] + end], np.float32)

    def sound(self, length: int, dice: np.random.Generator) -> Floats:
        """Features [length, 80] of a part of some noise or music, repeated where it is short."""
        frames, index, _ = self.noise
        i = dice.choice(np.flatnonzero(np.diff(index) > SHORTEST_NOISE))
        begin = index[i] + dice.integers(max(1, index[i + 1] - index[i] - length))
        some = np.asarray(frames[begin : min(begin + length, index[i + 1])], np.float32)
        return np.tile(some, (length // len(some) + 1, 1))[:length]

    def statistics(self, dice: random.Random) -> tuple[Tensor, Tensor]:
        """Mean and deviation [80] over some recordings."""
        chosen = (dice.randrange(len(self.corpus)) for _ in range(800))
        some = np.concatenate([self.frames(i, 0, 0, self.length(i, 0)) for i in chosen])
        return torch.from_numpy(some.mean(0)), torch.from_numpy(some.std(0))


def order(corpus: Corpus, dice: random.Random, how: Augmentation = USUAL) -> list[tuple[int, int]]:
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
    last = len(corpus.versions)
    versions = [0 if dice.random() < how.dry else dice.randrange(last) for _ in groups]
    return [(i, v) for group, v in zip(groups, versions, strict=True) for i in group]


def rows(corpus: Corpus, length: int, dice: random.Random, how: Augmentation = USUAL) -> list[Row]:
    """Cut an epoch into rows of at most `length` feature frames at their tempo, with pauses."""
    done: list[Row] = []
    row, room = _begun(how, length, dice)
    for recording, version in order(corpus, dice, how):
        start, end = corpus.times(recording, version)
        whole = dice.random() < FROM_START
        first, begin = 0, 0 if whole else max(0, int(start[0]) - dice.randrange(6))
        while first < len(start):
            last, stop = _fit(
                corpus, (recording, version), (first, begin), room - QUIET_AFTER, dice
            )
            if last > first:
                row.pieces.append(Piece(recording, version, begin, stop, first, last))
                room -= stop - begin
            if last < len(start) or room < SHORTEST:
                if not row.pieces:
                    break  # one word longer than a row
                done.append(row)
                row, room = _begun(how, length, dice)
            if last < len(start):
                begin = max(int(end[last - 1]) if last else 0, int(start[last]) - dice.randrange(4))
            first = last
    return done


def _begun(how: Augmentation, length: int, dice: random.Random) -> tuple[Row, int]:
    """An empty row, and how many frames of recordings it takes."""
    tempo = dice.uniform(how.slowest, how.fastest) if dice.random() < how.tempo else 1.0
    most = how.longest_pause if dice.random() < how.pauses else 0.0
    pause = int(length * dice.uniform(0, most))
    return Row([], tempo, pause), int((length - pause) * tempo)


def _fit(
    corpus: Corpus, heard: tuple[int, int], at: tuple[int, int], room: int, dice: random.Random
) -> tuple[int, int]:
    """Up to which token `room` frames from (token, frame) hold whole words; and where to cut."""
    (recording, version), (first, begin) = heard, at
    _, end = corpus.times(recording, version)
    borders = [*np.flatnonzero(corpus.opens(recording, 0))[1:], len(end)]
    fitting = [b for b in borders if b > first and end[b - 1] - begin <= room]
    if not fitting:
        return first, begin
    last, rest = int(fitting[-1]), corpus.length(recording, version)
    tail = dice.randrange(45) if last == len(end) else 0
    return last, min(int(end[last - 1]) + tail, rest, begin + room)


def assemble(
    corpus: Corpus, row: Row, length: int, dice: np.random.Generator, how: Augmentation = USUAL
) -> Stream:
    """Play a row of `length` frames, with quiet after the last word, or digital silence."""
    heard, opens = _joined(corpus, row.pieces)
    x = augment.at_tempo(heard.x, row.tempo) if row.tempo != 1.0 else heard.x
    start, end = (np.rint(t / row.tempo).astype(np.int64) for t in (heard.start, heard.end))
    end = np.minimum(end, len(x))
    bare = dice.random() < how.bare
    if bare:
        x = x[start[0] : end[-1]]
        start, end = start - start[0], end - start[0]
    if row.pause and opens.any():
        x = augment.paused(x, (start, end), np.flatnonzero(opens), row.pause, dice)
    missing = length - len(x)
    silence = np.full((missing, FEATURE_BINS), QUIET, np.float32)
    rest = silence if bare else augment.quiet(x, missing, dice)
    return Stream(np.concatenate([x, rest]), heard.token, start, end)


def _joined(corpus: Corpus, pieces: list[Piece]) -> tuple[Stream, npt.NDArray[np.bool_]]:
    """Pieces one after the other, and which tokens [U] begin a word that another went before."""
    parts = [corpus.frames(p.recording, p.version, p.begin, p.end) for p in pieces]
    tokens, starts, ends, opens, at = [], [], [], [], 0
    for piece, part in zip(pieces, parts, strict=True):
        start, end = corpus.times(piece.recording, piece.version)
        chosen = slice(piece.first, piece.last)
        tokens.append(corpus.token[corpus.at[piece.recording] :][chosen])
        starts.append(start[chosen] - piece.begin + at)
        ends.append(end[chosen] - piece.begin + at)
        opens.append(corpus.opens(piece.recording, piece.first)[: piece.last - piece.first])
        at += len(part)
    token, start, end = (np.concatenate(c).astype(np.int64) for c in (tokens, starts, ends))
    border = np.concatenate(opens)
    border[0] = False
    return Stream(np.concatenate(parts), token, start, end), border


def noise_alone(corpus: Corpus, length: int, dice: np.random.Generator) -> Stream:
    """A row that nobody speaks in."""
    none = np.zeros(0, np.int64)
    return Stream(corpus.sound(length, dice), none, none, none)


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


def batch(  # noqa: PLR0913, PLR0917 - all that a batch is a function of
    corpus: Corpus,
    plan: Sequence[Row],
    length: int,
    width: int,
    seed: list[int],
    how: Augmentation = USUAL,
) -> Batch:
    """Rows as tensors, augmented; `width` is the width of the loss windows.

    Some rows are noise that nobody speaks in instead, never the first: a loss is a token's.
    """
    dice = np.random.default_rng(seed)
    streams = [assemble(corpus, row, length, dice, how) for row in plan]
    voices = [stream.x for stream in streams]
    others = [voices[:i] + voices[i + 1 :] or voices for i in range(len(voices))]
    for i in range(1, len(streams)):
        if dice.random() < how.silent:
            streams[i] = noise_alone(corpus, length, dice)
    x = [augment.augmented(s.x, others[i], corpus.sound, dice, how) for i, s in enumerate(streams)]
    counts = [len(s.token) for s in streams]
    target = _padded([s.token for s in streams], (len(streams), max(counts)))
    frames = np.stack([label_frames(s.token, s.start, s.end, length) for s in streams])
    every = [due_frames(s.start, s.end) for s in streams]
    first = np.stack([windows(due, length // SUBSAMPLING, width) for due in every])
    due = _padded(every, target.shape)
    x_, frames_, target_, *rest = map(torch.from_numpy, (np.stack(x), frames, target, first, due))
    return Batch(x_, frames_, target_, counts, *rest)


def _padded(rows: Sequence[Longs], shape: tuple[int, ...]) -> Longs:
    """Rows of different lengths in one array, zeros behind them."""
    found = np.zeros(shape, np.int64)
    for row, one in zip(found, rows, strict=True):
        row[: len(one)] = one
    return found
