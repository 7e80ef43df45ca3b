"""Texts and book tables -> counted n-grams, and the models that the mixture is made of.

N-grams are packed into whole numbers, 16 bits a word, and every step works on sorted arrays.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from earshot.ngram import BITS, END, START

from models.texts import book_counts

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Table = tuple[Ints, Floats]  # packed n-grams, sorted, and a number of each
MASK = (1 << BITS) - 1
MASK2 = (1 << 2 * BITS) - 1
BOOK_DISCOUNT = 0.7
LEAST_BACKOFF = 0.02
UNSEEN = 0.5  # counts of a word that a source lacks, as a history


def at(keys: Ints, wanted: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Positions of keys in a sorted array, and whether they are there."""
    if not len(keys):
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), np.bool_)
    found = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return found, keys[found] == wanted


def value(keys: Ints, values: Floats, wanted: Ints) -> Floats:
    """Values of keys, 0 where there is none."""
    found, hit = at(keys, wanted)
    return np.where(hit, values[found], 0.0) if len(keys) else np.zeros(len(wanted))


def summed(keys: Ints, values: Floats) -> Table:
    """Sorted unique keys and the sums of their values."""
    unique, inverse = np.unique(keys, return_inverse=True)
    sums: Floats = np.bincount(inverse, values, len(unique)).astype(np.float64)
    return unique, sums


@dataclass(frozen=True)
class Order:
    """The bigrams or the trigrams of a source: packed keys, sorted."""

    key: Ints
    direct: Floats  # discounted probability of each
    context: Ints
    lower: Floats  # weight of the lower order in each context


@dataclass(frozen=True)
class Source:
    """One model to mix: probabilities of any n-grams, given packed keys."""

    seen: Floats  # [V] how often each word is met, as a share of all words; of <s> as well
    unigram: Floats  # [V]
    bigrams: Order
    trigrams: Order

    def probability(self, order: int, key: Ints) -> Floats:
        """P(last word | words before) of packed n-grams of an order."""
        if order == 1:
            return self.unigram[key]
        below = self.probability(order - 1, key & ((1 << BITS * (order - 1)) - 1))
        own = (self.bigrams, self.trigrams)[order - 2]
        found, hit = at(own.context, key >> BITS)
        weight = np.where(hit, own.lower[found], 1.0) if len(own.lower) else 1.0
        return value(own.key, own.direct, key) + weight * below

    def met(self, order: int, history: Ints) -> Floats:
        """Share of histories of no, one or two words among all places of a text."""
        if order == 0:
            return np.ones(len(history))
        if order == 1:
            return self.seen[history]
        return np.asarray(self.seen[history >> BITS] * self.probability(2, history), np.float64)


def met_shares(count: Table, size: int) -> Floats:
    """Share of every word, those of which there are none too."""
    shares = np.full(size, UNSEEN / size)
    shares[count[0]] += count[1]
    return np.asarray(shares / shares.sum(), np.float64)


def kit_source(counts: Table, size: int) -> Source:
    """Interpolated modified Kneser-Ney (Chen and Goodman, 1998) from trigram counts."""
    key3, c3 = counts
    # Nothing comes before a sentence, so its first words are counted as they are; and as the state
    # at its start is the one word <s>, these are bigrams.
    opening = key3 >> BITS == (START << BITS | START)
    words, times = summed(key3 & MASK, c3)
    ends = times[words == END].sum()
    seen = met_shares((np.append(words, START), np.append(times, ends)), size)
    key2, c2 = summed(key3 & MASK2, np.where(opening, c3, 1.0))
    key3, c3 = key3[~opening], c3[~opening]
    key1, c1 = summed(key2 & MASK, np.ones(len(key2)))
    off = discounts(c1)[np.minimum(c1, 3).astype(int)]
    unigram = np.full(size, off.sum() / max(c1.sum(), 1) / size)
    unigram[key1] += (c1 - off) / max(c1.sum(), 1)
    return Source(seen, unigram, _discounted(key2, c2), _discounted(key3, c3))


def discounts(count: Floats) -> Floats:
    """What is taken from a count of 0, 1, 2, 3 and more, by how many counts are 1, 2, 3, 4."""
    one, two, three, four = (max(float((count == i).sum()), 1.0) for i in range(1, 5))
    share = one / (one + 2 * two)
    found = [
        0,
        1 - 2 * share * two / one,
        2 - 3 * share * three / two,
        3 - 4 * share * four / three,
    ]
    return np.clip(found, 0.1, [0.1, 0.95, 1.6, 2.2]) * [0, 1, 1, 1]


def _discounted(key: Ints, count: Floats) -> Order:
    """Kneser-Ney of one order."""
    context, total = summed(key >> BITS, count)
    off = discounts(count)[np.minimum(count, 3).astype(int)]
    _, taken = summed(key >> BITS, off)
    found, _ = at(context, key >> BITS)
    return Order(key, (count - off) / total[found], context, taken / total)


def book_source(tables: list[Table], size: int) -> Source:
    """Absolute discounting: what the followers of a context lack goes to the lower order."""
    (key1, c1), (key2, c2), (key3, c3) = tables
    unigram = np.full(size, 0.5)
    unigram[key1] = c1
    unigram[START] = 0
    orders = _cut(key2, c2, (key1, c1)), _cut(key3, c3, (key2, c2))
    return Source(met_shares((key1, c1), size), unigram / unigram.sum(), *orders)


def _cut(key: Ints, count: Floats, context: Table) -> Order:
    total = value(*context, key >> BITS)
    direct = np.where(total > 0, (count - BOOK_DISCOUNT) / np.maximum(total, count), 0.0)
    contexts, given = summed(key >> BITS, direct)
    return Order(key, direct, contexts, np.maximum(1 - given, LEAST_BACKOFF))


def trigrams(texts: Iterable[list[str]], number: dict[str, int]) -> Table:
    """Packed trigrams of sentences and their counts; broken at unknown words."""
    keys: list[int] = []
    for words in texts:
        row = [START, START, *(number.get(w, -1) for w in words), END]
        for i in range(2, len(row)):
            a, b, c = row[i - 2 : i + 1]
            if min(a, b, c) >= 0:
                keys.append(a << 2 * BITS | b << BITS | c)
    return summed(np.array(keys, np.int64), np.ones(len(keys)))


def book_table(kit: Path, order: str, number: dict[str, int]) -> Table:
    """Packed n-grams of the books within the vocabulary and their counts, sorted."""
    keys, counts = [], []
    for words, count in book_counts(kit, order):
        row = [number.get(w, -1) for w in words]
        if min(row) >= 0:
            key = 0
            for n in row:
                key = key << BITS | n
            keys.append(key)
            counts.append(count)
    return summed(np.array(keys, np.int64), np.array(counts, np.float64))
