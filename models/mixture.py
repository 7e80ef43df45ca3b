"""Sources -> one backing-off trigram: each source counts as much as the words before suggest.

A sum with constant weights gives "turn on the" as much of a novel as "he said to" of a command.
Here a source weighs by Bayes' rule: its share of all texts times how often it has the one or two
words before (the weights of Hsu, 2007, with the history's probability as their feature). The
shares are those that make held-out sentences likeliest, each use of a daemon as USES counts it.
"""

import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from earshot.ngram import BITS, END, START

from models.counts import MASK, MASK2, Floats, Ints, Source, at

# What held-out sentences of each source count. Half is dictation and reading: with a third, dev
# perplexity of commands was 6 % lower and that of read sentences 6 % higher.
USES = {
    "read": 0.3, "prose": 0.21, "assistant": 0.08, "requests": 0.08, "home": 0.08, "calls": 0.06,
    "values": 0.06, "contacts": 0.02, "spelling": 0.02, "phrases": 0.02, "single": 0.03,
    "spelt": 0.02, "plain": 0.02,
}  # fmt: skip
HELD_OUT = 20  # every so many sentences
STEPS, RATE, MOMENTUM = 150, 2.0, 0.7  # of the search for the shares
LEAST_LEFT = 1e-4  # of a context, to words that do not follow it
COMMON = 300_000  # bigrams of a source
LEAST = 1e-12  # probability
Shares = dict[int, dict[str, float]]  # of each source, for n-grams of each order


@dataclass
class Model:
    """A backing-off trigram with explicit n-grams; everything in natural logs."""

    unigram: Floats
    met: Floats  # [V] share of each word as a history, not a log
    key2: Ints
    logp2: Floats
    key3: Ints
    logp3: Floats
    backoff1: Floats = field(init=False)  # [V]
    context3: Ints = field(init=False)  # bigram keys
    backoff2: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Find the back-off weights that make every context sum to one."""
        self.backoff1 = np.log(np.divide(*self.left2()))
        self.context3 = np.unique(self.key3 >> BITS)
        self.backoff2 = np.log(np.divide(*self.left3()))

    def left2(self) -> tuple[Floats, Floats]:
        """What every word [V] leaves to those that are not its followers: here, and as unigrams."""
        below = self.unigram[self.key2 & MASK]
        return _left(self.key2 >> BITS, len(self.unigram), self.logp2, below)

    def left3(self) -> tuple[Floats, Floats]:
        """The same of the contexts of trigrams [C]: here, and as bigrams."""
        context, _ = at(self.context3, self.key3 >> BITS)
        return _left(context, len(self.context3), self.logp3, self.bigram(self.key3 & MASK2))

    def bigram(self, key: Ints) -> Floats:
        """Log P(w | v) of packed bigrams, backing off."""
        found, hit = at(self.key2, key)
        back = self.backoff1[key >> BITS] + self.unigram[key & MASK]
        return np.where(hit, self.logp2[found], back) if len(self.key2) else back


def _left(context: Ints, size: int, logp: Floats, below: Floats) -> tuple[Floats, Floats]:
    here = 1 - np.bincount(context, np.exp(logp), size)
    there = 1 - np.bincount(context, np.exp(below), size)
    return np.clip(here, LEAST_LEFT, 1), np.clip(there, LEAST_LEFT, 1)


def mixed(parts: Mapping[str, Source], shares: Shares) -> Model:
    """Mix sources on all their n-grams."""
    key3 = _union(part.trigrams.key for part in parts.values())
    key2 = np.union1d(_union(part.bigrams.key for part in parts.values()), key3 >> BITS)

    def logs(order: int, key: Ints) -> Floats:
        total, weight = np.zeros(len(key)), np.zeros(len(key))
        for name, part in parts.items():
            own = shares[order][name] * part.met(order - 1, key >> BITS)
            total += own * part.probability(order, key)
            weight += own
        return np.asarray(np.log(np.maximum(total / weight, LEAST)), np.float64)

    unigram = logs(1, np.arange(len(next(iter(parts.values())).unigram)))
    unigram[START] = -60.0
    unigram -= math.log(np.exp(unigram).sum())
    met = sum(shares[3][name] * part.seen for name, part in parts.items())
    return Model(unigram, np.asarray(met), key2, logs(2, key2), key3, logs(3, key3))


def _union(keys: Iterable[Ints]) -> Ints:
    return np.unique(np.concatenate(list(keys)))


def is_held_out(words: list[str]) -> bool:
    """Whether a sentence is kept to find the shares with."""
    return zlib.crc32(" ".join(words).encode()) % HELD_OUT == 0


def places(texts: Iterable[list[str]], number: Mapping[str, int]) -> Ints:
    """Trigrams of all words and ends of sentences, packed; <s> <s> is before the first word."""
    found: list[int] = []
    for words in texts:
        row = [START, START, *(number.get(word, -1) for word in words), END]
        found += [
            a << 2 * BITS | b << BITS | c
            for a, b, c in zip(row, row[1:], row[2:], strict=False)
            if min(a, b, c) >= 0
        ]
    return np.array(found, np.int64)


def best_shares(
    parts: Mapping[str, Source],
    held: Mapping[str, Sequence[list[str]]],
    number: Mapping[str, int],
) -> Shares:
    """Shares that make held-out sentences likeliest, for each order on what backs off to it.

    A command's words mostly follow each other as they were counted. What has to be taken from the
    lower orders is prose, and that is what these have to be good at.
    """
    usual2 = _union(_usual(part, 2) for part in parts.values())
    usual3 = _union(_usual(part, 3) for part in parts.values())
    found: dict[int, list[tuple[float, Floats, Floats]]] = {1: [], 2: [], 3: []}
    for use, weight in USES.items():
        every = places(held.get(use, ()), number)
        opening = every >> BITS == (START << BITS | START)
        backing = every[opening | ~at(usual3, every)[1]] & MASK2
        alone = backing[~at(usual2, backing)[1]] & MASK
        for order, keys in ((3, every[~opening]), (2, backing), (1, alone)):
            if len(keys):
                share = weight * len(keys) / len(every)
                found[order].append((share, *_given(parts, order, keys)))
    best = {order: climbed(len(parts), rows) for order, rows in found.items()}
    return {order: dict(zip(parts, shares, strict=True)) for order, shares in best.items()}


def _usual(part: Source, order: int) -> Ints:
    """The bigrams or trigrams of a source that pruning is likely to leave: the commonest."""
    own = (part.bigrams, part.trigrams)[order - 2]
    often = part.met(order - 1, own.key >> BITS) * own.direct
    return own.key[np.argsort(-often, kind="stable")[:COMMON]]


def climbed(size: int, uses: list[tuple[float, Floats, Floats]]) -> list[float]:
    """Shares that make the places of all uses likeliest; the same for all where there are none."""
    log, speed = np.zeros(size), np.zeros(size)
    total = sum(weight for weight, *_ in uses)
    for _ in range(STEPS if uses else 0):
        slope = sum(weight / total * _slope(np.exp(log), met, p) for weight, met, p in uses)
        speed = MOMENTUM * speed + slope
        log += RATE * speed
        log -= log.max()
    share = np.exp(log) / np.exp(log).sum()
    return [float(one) for one in share]


def _given(parts: Mapping[str, Source], order: int, keys: Ints) -> tuple[Floats, Floats]:
    """Of every source how often it has the histories, and P(word | history) [sources, places]."""
    met = [part.met(order - 1, keys >> BITS) for part in parts.values()]
    given = [part.probability(order, keys) for part in parts.values()]
    return np.array(met), np.array(given)


def _slope(share: Floats, met: Floats, given: Floats) -> npt.NDArray[np.float64]:
    """How the mean log-probability of the places changes with the log of each share."""
    before = share[:, None] * met
    before /= before.sum(0)
    after = before * given
    after /= np.maximum(after.sum(0), LEAST)
    return np.asarray((after - before).mean(1), np.float64)
