"""Training of log-linear models over sparse features: FTRL-proximal, a sentence at a time.

A weight belongs to a *pair*: a feature and a column (an intent, a tag) that occur together in what
is trained on. FTRL (McMahan et al., 2013) keeps each weight at exactly 0 until the sum of its
gradients is more than `l1`, so what comes out is sparse.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Self

import numba
import numpy as np
import numpy.typing as npt
from earshot.packed import Keys

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]
STEP = 0.15  # alpha of FTRL
BETA = 1.0


class Rate(NamedTuple):
    """How weights are held small."""

    l1: float
    l2: float
    drop: float = 0.0
    """share of the features that are not seen each time: new sentences have words that were not"""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Features and the columns that they occur with."""

    keys: Keys  # [R], rising
    first: Ints  # [R + 1]
    column: Ints  # [P]

    @classmethod
    def of(cls, keys: Keys, columns: Ints, least: int = 1) -> Self:
        """The pairs of features [N] and columns [N] that occur `least` times."""
        known, feature = np.unique(keys, return_inverse=True)
        width = int(columns.max()) + 1
        both, count = np.unique(feature * width + columns, return_counts=True)
        both = both[count >= least]
        feature, column = np.divmod(both, width)
        rows, row = np.unique(feature, return_inverse=True)
        first = np.searchsorted(row, np.arange(len(rows) + 1))
        return cls(known[rows], first, column)

    @property
    def row(self) -> Ints:
        """The feature of each pair."""
        return np.repeat(np.arange(len(self.keys)), np.diff(self.first))

    def kept(self, keep: npt.NDArray[np.bool_]) -> Self:
        """Only some of the pairs."""
        rows, row = np.unique(self.row[keep], return_inverse=True)
        first = np.searchsorted(row, np.arange(len(rows) + 1))
        return type(self)(self.keys[rows], first, self.column[keep])

    def found(self, keys: Keys) -> Ints:
        """The rows of features; -1 for one that is not there."""
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[at] == keys, at, -1)


class Learnt(NamedTuple):
    """What FTRL keeps of each weight."""

    weight: npt.NDArray[np.float32]
    push: npt.NDArray[np.float32]  # the sum of gradients
    square: npt.NDArray[np.float32]  # the sum of their squares

    @classmethod
    def nothing(cls, count: int) -> "Learnt":
        """Before any training."""
        return cls(*(np.zeros(count, np.float32) for _ in range(3)))


# The three arrays of Learnt and the bounds of Rate go into compiled code as plain arguments.
_compiled = numba.njit(cache=True, fastmath=True)
_LITTLE = 1e-4  # what a transition is off by and is not worth learning


@_compiled
def _learn(learnt: Learnt, at: int, gradient: float, rate: Rate) -> None:
    """Take a step with one weight."""
    before = np.sqrt(learnt.square[at])
    learnt.square[at] += gradient * gradient
    after = np.sqrt(learnt.square[at])
    learnt.push[at] += gradient - (after - before) / STEP * learnt.weight[at]
    excess = abs(learnt.push[at]) - rate.l1
    learnt.weight[at] = 0.0
    if excess > 0:
        size = excess / ((BETA + after) / STEP + rate.l2)
        learnt.weight[at] = -np.sign(learnt.push[at]) * size


@_compiled
def _add(into: Floats, row: int, first: Ints, column: Ints, weight: Floats) -> None:
    """Add the weights of a feature to scores by column."""
    if row >= 0:
        for pair in range(first[row], first[row + 1]):
            into[column[pair]] += weight[pair]


@_compiled
def _teach(learnt: Learnt, row: int, pairs: tuple[Ints, Ints], error: Floats, rate: Rate) -> None:
    """Take a step with the weights of a feature, given the error of each column."""
    first, column = pairs
    if row >= 0:
        for pair in range(first[row], first[row + 1]):
            _learn(learnt, pair, error[column[pair]], rate)


@_compiled
def _choose(  # noqa: PLR0913, PLR0917 - compiled code takes plain arguments
    order: Ints, texts: tuple[Ints, Ints, Ints], pairs: tuple[Ints, Ints], learnt: Learnt,
    columns: int, rate: Rate,
) -> float:  # fmt: skip
    """An epoch of a maximum-entropy choice; the loss. `texts`: starts, features, columns wanted."""
    start, feature, wanted = texts
    first, column = pairs
    loss = 0.0
    for example in order:
        rows = feature[start[example] : start[example + 1]]
        score = np.zeros(columns)
        for row in rows:
            _add(score, row, first, column, learnt.weight)
        share = np.exp(score - score.max())
        share /= share.sum()
        loss -= np.log(share[wanted[example]] + 1e-30)
        share[wanted[example]] -= 1.0
        for row in rows:
            _teach(learnt, row, pairs, share, rate)
    return loss / len(order)


@_compiled
def _forward(own: Floats, between: Floats, begin: Floats) -> tuple[Floats, Floats, float]:
    """Shares of each word's own scores, the chances of its tags from the left, and log Z."""
    share, forward = np.empty_like(own), np.empty_like(own)
    logz = 0.0
    for t in range(len(own)):
        top = own[t].max()
        share[t] = np.exp(own[t] - top)
        before = np.dot(forward[t - 1], between) if t else begin
        forward[t] = before * share[t]
        scale = forward[t].sum()
        forward[t] /= scale
        logz += np.log(scale) + top
    return share, forward, logz


@_compiled
def _backward(share: Floats, between: Floats) -> Floats:
    """The chances of what is right of each tag of each word."""
    backward = np.ones_like(share)
    for t in range(len(share) - 2, -1, -1):
        backward[t] = np.dot(between, share[t + 1] * backward[t + 1])
        backward[t] /= backward[t].sum()
    return backward


@_compiled
def _teach_steps(
    following: Learnt, tags: int, wanted: tuple[int, int], chance: Floats, rate: Rate
) -> None:
    """Take a step with the weights of one tag after another."""
    for x in range(tags):
        for y in range(tags):
            both = x == wanted[0] and y == wanted[1]
            wrong = chance[x, y] - (1.0 if both else 0.0)
            if both or wrong > _LITTLE:
                _learn(following, x * tags + y, wrong, rate)


@_compiled
def _score(own: Floats, wanted: Ints, following: Floats) -> float:
    """The score of the tags that are wanted."""
    tags = own.shape[1]
    found, before = 0.0, tags
    for t in range(len(own)):
        found += own[t, wanted[t]] + following[before * tags + wanted[t]]
        before = wanted[t]
    return found


@_compiled
def _sentence(  # noqa: PLR0913, PLR0917 - compiled code takes plain arguments
    rows: Ints, wanted: Ints, pairs: tuple[Ints, Ints], learnt: Learnt, following: Learnt,
    rates: tuple[Rate, Rate], tags: int,
) -> float:  # fmt: skip
    """Learn from a sentence of features [L, K]; its loss."""
    own = np.zeros((len(rows), tags))
    for t in range(len(rows)):
        for row in rows[t]:
            _add(own[t], row, pairs[0], pairs[1], learnt.weight)
    steps = np.exp(following.weight.astype(np.float64)).reshape(tags + 1, tags)
    between = np.ascontiguousarray(steps[:tags])
    share, forward, logz = _forward(own, between, steps[tags])
    backward = _backward(share, between)
    loss = logz - _score(own, wanted, following.weight)
    for t in range(len(rows)):
        error = forward[t] * backward[t]
        error /= error.sum()
        if t:
            onward = share[t] * backward[t]
            chance = forward[t - 1].reshape(-1, 1) * between * onward
            _teach_steps(
                following, tags, (wanted[t - 1], wanted[t]), chance / chance.sum(), rates[1]
            )
        error[wanted[t]] -= 1.0
        if not t:
            for y in range(tags):
                _learn(following, tags * tags + y, error[y], rates[1])
        for row in rows[t]:
            _teach(learnt, row, pairs, error, rates[0])
    return loss


@_compiled
def _chain(  # noqa: PLR0913, PLR0917 - compiled code takes plain arguments
    order: Ints, texts: tuple[Ints, Ints, Ints], pairs: tuple[Ints, Ints], learnt: Learnt,
    following: Learnt, rates: tuple[Rate, Rate], tags: int,
) -> float:  # fmt: skip
    """An epoch of a linear-chain random field; the loss a sentence."""
    start, feature, wanted = texts
    loss = 0.0
    for one in order:
        rows, tag = feature[start[one] : start[one + 1]], wanted[start[one] : start[one + 1]]
        loss += _sentence(rows, tag, pairs, learnt, following, rates, tags)
    return loss / len(order)


@dataclass(frozen=True, slots=True)
class Texts:
    """What is learnt from: of each sentence (or each word) its features and what is wanted."""

    start: Ints  # [S + 1] where the features, or the words, of each sentence begin
    keys: Keys  # [N], or [N, K] by word
    wanted: Ints  # the column of each sentence, or of each word
    columns: int

    def pairs(self, least: int) -> Pairs:
        """Features and columns that occur together."""
        if self.keys.ndim > 1:
            return Pairs.of(self.keys.ravel(), np.repeat(self.wanted, self.keys.shape[1]), least)
        return Pairs.of(self.keys, np.repeat(self.wanted, np.diff(self.start)), least)


Model = tuple[Learnt, Learnt]  # of the pairs, and of one tag after another


def trained(
    texts: Texts, pairs: Pairs, rate: Rate, epochs: int, model: Model | None = None
) -> Iterator[tuple[float, Model]]:
    """Train a choice, or a chain where features are by word: loss and weights of every epoch."""
    chained = texts.keys.ndim > 1
    tags = texts.columns
    learnt, following = model or (
        Learnt.nothing(len(pairs.column)), Learnt.nothing((tags + 1) * tags),
    )  # fmt: skip
    rows = pairs.found(texts.keys)
    known, dice = (pairs.first, pairs.column), np.random.default_rng(0)
    for _ in range(epochs):
        order = dice.permutation(len(texts.start) - 1)
        seen = np.where(dice.random(rows.shape) < rate.drop, -1, rows) if rate.drop else rows
        arrays = (texts.start, seen, texts.wanted)
        if chained:
            rates = (rate, Rate(0.0, rate.l2))
            loss = _chain(order, arrays, known, learnt, following, rates, tags)
        else:
            loss = _choose(order, arrays, known, learnt, tags, rate)
        yield loss, (learnt, following)
