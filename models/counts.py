"""Texts and book tables -> counted n-grams, and the two models that the mixture is made of.

N-grams are packed into whole numbers, 16 bits a word, and every step works on sorted arrays.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from earshot.ngram import BITS, END, START

from models.texts import book_counts, sentences

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
MASK = (1 << BITS) - 1
MASK2 = (1 << 2 * BITS) - 1
KIT_DISCOUNT, BOOK_DISCOUNT = 0.75, 0.7
LEAST_BACKOFF = 0.02


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


def summed(keys: Ints, values: Floats) -> tuple[Ints, Floats]:
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


def kit_source(counts: tuple[Ints, Floats], size: int) -> Source:
    """Interpolated Kneser-Ney from trigram counts."""
    key3, c3 = counts
    # Nothing comes before a sentence, so its first words are counted as they are; and as the state
    # at its start is the one word <s>, these are bigrams.
    opening = key3 >> BITS == (START << BITS | START)
    key2, c2 = summed(key3 & MASK2, np.where(opening, c3, 1.0))
    key3, c3 = key3[~opening], c3[~opening]
    key1, c1 = summed(key2 & MASK, np.ones(len(key2)))
    unigram = np.full(size, KIT_DISCOUNT * len(key1) / c1.sum() / size)
    unigram[key1] += (c1 - KIT_DISCOUNT).clip(0) / c1.sum()
    return Source(unigram, _discounted(key2, c2), _discounted(key3, c3))


def _discounted(key: Ints, count: Floats) -> Order:
    """Kneser-Ney of one order."""
    context, total = summed(key >> BITS, count)
    _, kinds = summed(key >> BITS, np.minimum(count, KIT_DISCOUNT))
    found, _ = at(context, key >> BITS)
    return Order(key, (count - KIT_DISCOUNT).clip(0) / total[found], context, kinds / total)


def book_source(tables: list[tuple[Ints, Floats]], size: int) -> Source:
    """Absolute discounting: what the followers of a context lack goes to the lower order."""
    (key1, c1), (key2, c2), (key3, c3) = tables
    unigram = np.full(size, 0.5)
    unigram[key1] = c1
    unigram[START] = 0
    orders = _cut(key2, c2, (key1, c1)), _cut(key3, c3, (key2, c2))
    return Source(unigram / unigram.sum(), *orders)


def _cut(key: Ints, count: Floats, context: tuple[Ints, Floats]) -> Order:
    total = value(*context, key >> BITS)
    direct = np.where(total > 0, (count - BOOK_DISCOUNT) / np.maximum(total, count), 0.0)
    contexts, given = summed(key >> BITS, direct)
    return Order(key, direct, contexts, np.maximum(1 - given, LEAST_BACKOFF))


def kit_counts(kit: Path, number: dict[str, int]) -> tuple[Ints, Floats]:
    """Packed trigrams of the sentences and their weighted counts; broken at unknown words."""
    keys: list[int] = []
    weights: list[int] = []
    for words, weight in sentences(kit):
        row = [START, START, *(number.get(w, -1) for w in words), END]
        for i in range(2, len(row)):
            a, b, c = row[i - 2 : i + 1]
            if min(a, b, c) >= 0:
                keys.append(a << 2 * BITS | b << BITS | c)
                weights.append(weight)
    return summed(np.array(keys, np.int64), np.array(weights, np.float64))


def book_table(kit: Path, order: str, number: dict[str, int]) -> tuple[Ints, Floats]:
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
