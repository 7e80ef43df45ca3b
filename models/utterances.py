"""An epoch cut into utterances, as the device hears them: a row of a batch is one, not a stream.

Long recordings are cut where the speaker pauses. Batches are filled with utterances of about one
length, so that little is padded, and hold about as many frames each. What an epoch holds is a
function of its number and the seed alone.
"""

import random
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from models.augment import Augmentation
from models.corpus import TRAIN_SETS
from models.data import QUIET_AFTER, Corpus, Piece, Row, order

ALIKE = 384  # utterances that are sorted by length together
SPOKEN = frozenset(TRAIN_SETS) - {"synthetic"}  # by people


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of utterances and batches, in feature frames."""

    longest: int
    """of an utterance"""
    batch: int
    """at most in a batch"""
    chunk: int
    """of the network: rows are whole chunks"""
    others: float
    """share of the recordings that no person spoke"""

    def padded(self, piece: Piece) -> int:
        """Frames of a piece with quiet after it, in whole chunks."""
        return -(-(piece.end - piece.begin + QUIET_AFTER) // self.chunk) * self.chunk


def cut(corpus: Corpus, recording: int, version: int, longest: int) -> list[Piece]:
    """Cut a recording into pieces of at most `longest` frames at pauses; longer words are lost."""
    start, end = corpus.times(recording, version)
    # A border is the number of the first token of a word; a cut is in the middle of the pause.
    borders = [*np.flatnonzero(corpus.opens(recording, 0)).tolist(), len(start)]
    stop = min(corpus.length(recording, version), int(end[-1]) + QUIET_AFTER)
    at = {b: (int(end[b - 1]) + int(start[b])) // 2 for b in borders[1:-1]} | {0: 0}
    at[len(start)] = stop
    found, first = [], 0
    while first < len(start):
        fitting = [b for b in borders if b > first and at[b] - at[first] <= longest]
        if not fitting:
            first = next(b for b in borders if b > first)
            continue
        last = fitting[-1]
        if last < len(start):
            late = [b for b in fitting if at[b] - at[first] > longest // 2] or fitting
            last = max(late, key=lambda b: start[b] - end[b - 1])
        found.append(Piece(recording, version, at[first], at[last], first, last))
        first = last
    return found


def batches(
    corpus: Corpus, sizes: Sizes, dice: random.Random, how: Augmentation
) -> list[tuple[list[Row], int]]:
    """Rows of one utterance each, in batches, each with its padded length; neighbours are alike."""
    found = [
        piece
        for recording, version in order(corpus, dice, how)
        if corpus.corpus[recording] in SPOKEN or dice.random() < sizes.others
        for piece in cut(corpus, recording, version, sizes.longest)
    ]
    whole: list[tuple[list[Row], int]] = []
    for first in range(0, len(found), ALIKE):
        pieces = sorted(found[first : first + ALIKE], key=lambda p: p.end - p.begin)
        whole += _filled(pieces, sizes)
    return whole


def _filled(pieces: list[Piece], sizes: Sizes) -> list[tuple[list[Row], int]]:
    """Pieces in the order of their lengths, in batches."""
    borders, count = [0], 0
    for i, piece in enumerate(pieces):
        count += 1
        if count > 1 and count * sizes.padded(piece) > sizes.batch:
            borders.append(i)
            count = 1
    parts = (pieces[a:b] for a, b in pairwise([*borders, len(pieces)]))
    return [([Row([piece]) for piece in part], sizes.padded(part[-1])) for part in parts]
