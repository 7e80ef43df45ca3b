"""Letters and phones of a word, aligned: each letter with its chunk of no, one or two phones.

Expectation maximisation over all alignments of all words, every letter for itself, as in
joint-sequence models (Bisani and Ney, 2008) and many-to-many alignment (Jiampojamarn, Kondrak and
Sherif, 2007); then the likeliest alignment of each word (Viterbi). Words are worked on in batches:
all letters number i at a time, so that numpy does the work.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from earshot.rewriter import NOTHING

from models.lexicon import Phones
from models.phones import PHONES

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LETTERS = "'abcdefghijklmnopqrstuvwxyz"
COUNT = len(PHONES)
KINDS = 1 + COUNT + COUNT**2  # chunks: no phone 0, one 1 + a, two 1 + COUNT + COUNT * a + b
ROUNDS, CUT_ROUND = 8, 4  # of expectation maximisation; in the later ones rare pairs are no chunks
LEAST_SHARE = 3e-4  # of the words, in which a pair of phones must occur


@dataclass(frozen=True)
class Batch:
    """Words with one pronunciation each, padded with 0."""

    letters: Ints  # [W, longest] numbers from 1 on
    phones: Ints  # [W, P] numbers from 0 on; the last column is empty
    length: Ints  # [W] phones of each

    def codes(self, i: int) -> tuple[Ints, Ints, Ints]:
        """Letter i saying none, one or two of the phones from each place on, as places in a table.

        Arrays [W, 1], [W, P] and [W, P - 1] of letter * KINDS + chunk.
        """
        base = self.letters[:, i, None] * KINDS
        pairs = 1 + COUNT + COUNT * self.phones[:, :-1] + self.phones[:, 1:]
        return base, base + 1 + self.phones, base + pairs


def batches(pairs: list[tuple[str, Phones]], size: int = 4096) -> list[tuple[list[int], Batch]]:
    """Words of about as many letters put together, each batch with their places in the list."""
    order = sorted(range(len(pairs)), key=lambda i: len(pairs[i][0]))
    found = []
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        letters = np.zeros((len(rows), len(pairs[rows[-1]][0])), np.int64)
        length = np.array([len(pairs[i][1]) for i in rows])
        phones = np.zeros((len(rows), length.max() + 1), np.int64)
        for row, i in enumerate(rows):
            letters[row, : len(pairs[i][0])] = [LETTERS.index(c) + 1 for c in pairs[i][0]]
            phones[row, : length[row]] = [PHONES.index(p) for p in pairs[i][1]]
        found.append((rows, Batch(letters, phones, length)))
    return found


def first_table() -> Floats:
    """P(chunk | letter) to start from, flat [(letters + 1) * KINDS]: one phone a letter, mostly."""
    row = np.concatenate([[0.2], np.full(COUNT, 0.7 / COUNT), np.full(COUNT**2, 0.1 / COUNT**2)])
    table = np.tile(row, (len(LETTERS) + 1, 1))
    table[0] = np.eye(1, KINDS)[0]  # beyond the end of a word nothing is said
    return table.ravel()


def forward(table: Floats, batch: Batch) -> list[Floats]:
    """P(first i letters say the first j phones) for every i: arrays [W, P + 1]."""
    alpha = [np.eye(1, batch.phones.shape[1] + 1).repeat(len(batch.length), 0)]
    for i in range(batch.letters.shape[1]):
        none, one, two = (table[codes] for codes in batch.codes(i))
        after = alpha[-1] * none
        after[:, 1:] += alpha[-1][:, :-1] * one
        after[:, 2:] += alpha[-1][:, :-2] * two
        alpha.append(after)
    return alpha


def expected(table: Floats, batch: Batch) -> Floats:
    """Expected count of every letter with every chunk, flat like the table (forward-backward)."""
    alpha, rows = forward(table, batch), np.arange(len(batch.length))
    total = alpha[-1][rows, batch.length]
    beta = np.zeros_like(alpha[-1])
    beta[rows, batch.length] = np.divide(1, total, where=total > 0, out=np.zeros_like(total))
    counts = np.zeros_like(table)
    for i in reversed(range(batch.letters.shape[1])):
        before = np.zeros_like(beta)
        for said, codes in enumerate(batch.codes(i)):
            onward = table[codes] * beta[:, said:]
            stop = beta.shape[1] - said
            before[:, :stop] += onward
            weight = alpha[i][:, :stop] * onward
            place = np.broadcast_to(codes, weight.shape)
            counts += np.bincount(place.ravel(), weight.ravel(), len(counts))
        beta = before
    return counts


def learn(pairs: list[tuple[str, Phones]]) -> Floats:
    """P(chunk | letter) by expectation maximisation, flat like the first table."""
    table, data = first_table(), [batch for _, batch in batches(pairs)]
    for turn in range(ROUNDS):
        counts = sum((expected(table, batch) for batch in data), np.zeros_like(table))
        counts = counts.reshape(-1, KINDS)
        counts[0, 0] = 1
        if turn + 1 >= CUT_ROUND:
            rare = counts[1:].sum(0) < LEAST_SHARE * len(pairs)
            counts[:, 1 + COUNT :][:, rare[1 + COUNT :]] = 0
        table = (counts / np.maximum(counts.sum(1, keepdims=True), 1e-300)).ravel()
    return table


def align(table: Floats, pairs: list[tuple[str, Phones]]) -> list[list[int] | None]:
    """The likeliest chunk of every letter of each pair; None where the letters cannot say it."""
    found: list[list[int] | None] = [None] * len(pairs)
    for rows, batch in batches(pairs):
        chunks, possible = _likeliest(table, batch)
        for row, i in enumerate(rows):
            if possible[row]:
                found[i] = chunks[row, : len(pairs[i][0])].tolist()
    return found


def _likeliest(table: Floats, batch: Batch) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Viterbi: chunks [W, longest], and whether a word has an alignment at all."""
    rows, back = np.arange(len(batch.length)), []
    now = np.eye(1, batch.phones.shape[1] + 1).repeat(len(rows), 0)
    for i in range(batch.letters.shape[1]):
        # Of a doubled letter the first speaks: rounding must not decide it anew in each word.
        ways = np.zeros((3, *now.shape))
        for said, codes in enumerate(batch.codes(i)):
            late = 1 + 1e-9 * i if not said else 1
            ways[said, :, said:] = now[:, : now.shape[1] - said] * table[codes] * late
        back.append(ways.argmax(0))
        now = ways.max(0)
    at, chunks = batch.length.copy(), np.zeros_like(batch.letters)
    possible = now[rows, at] > 0
    for i in reversed(range(batch.letters.shape[1])):
        said = back[i][rows, at]
        at = np.where(possible, at - said, 0)
        none, one, two = (codes % KINDS for codes in batch.codes(i))
        two = np.pad(two, ((0, 0), (0, 1)))
        choices = np.stack([none.repeat(one.shape[1], 1), one, two])
        chunks[:, i] = choices[said, rows, at]
    return chunks, possible


def name(code: int) -> str:
    """A chunk as the file names it: "_", "K", "K+S"."""
    if not code:
        return NOTHING
    if code <= COUNT:
        return PHONES[code - 1]
    first, second = divmod(code - 1 - COUNT, COUNT)
    return f"{PHONES[first]}+{PHONES[second]}"
