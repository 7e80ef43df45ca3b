"""How attention moves over the phones of names from frame to frame, and how it is spread.

Forward attention (Zhang et al., 2018): it stays on a phone, goes on to the next one of its name or
over one that was swallowed, leaves the name behind its last phone, or comes from none of the names
to the first phone of one; then each place keeps as much of it as its phone fits what is heard. That
is the forward recursion of a hidden Markov model. The backward one, which tells the frames of a
chunk how it goes on, is the same with all ways turned round. Weights need not be probabilities:
what is spread sums to one. Heads come first in all arrays, then whatever there are of.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

TINY = 1e-30
OFTEN = 8  # frames after which attention is summed up to one, lest it vanish
FREE = torch.ones(())  # a gate that is always open


class Spread(NamedTuple):
    """How attention is spread over E names of at most L phones, and none of them."""

    rows: Tensor  # [H, ..., E, L]
    none: Tensor  # [H, ..., 1, 1]


class Ways(NamedTuple):
    """Weights of the ways that attention goes."""

    steps: Tensor  # [H, 1 …, L, L] from a phone of a name to another
    enter: Tensor  # [H, 1 …, 1 or E, L] from none to a phone
    leave: Tensor  # [H, 1 …, 1 or E, L] from a phone to none

    def back(self) -> "Ways":
        """All turned round."""
        return Ways(self.steps.transpose(-2, -1), self.leave, self.enter)


class Frames(NamedTuple):
    """How well frames fit, in the order in which attention goes through them, and their gates."""

    rows: Tensor  # [H, ..., T, E, L]
    none: Tensor  # [H, ..., T, 1, 1]
    enter: Tensor  # [H, ..., T, 1, 1], or FREE: from none into names at this frame
    leave: Tensor  # the same from names to none

    def each(self) -> list["Frames"]:
        """Each alone, T = 1."""
        count = self.rows.shape[-3]
        parts = [x.split(1, -3) if x.ndim else [x] * count for x in self]
        return [Frames(*one) for one in zip(*parts, strict=True)]


class Fit(NamedTuple):
    """How well rows and none of them fit each frame, and how likely a name begins there."""

    rows: Tensor  # [H, ..., T, E, L]
    none: Tensor  # [H, ..., T, 1, 1]
    begin: Tensor  # [H, ..., T, 1, 1]

    def forth(self) -> Frames:
        """As time goes."""
        return Frames(*self, FREE)

    def back(self) -> Frames:
        """From the last frame on. Where a name begins it is left for what was before."""
        rows, none, begin = (part.flip(-3) for part in self)
        return Frames(rows, none, FREE, begin.roll(1, -3))


def ways_of(logs: Tensor, last: Tensor, dimensions: int) -> Ways:
    """Of logs [3, H] of going on, skipping and leaving.

    Of names with these `last` phones [E, L], and for arrays of so many dimensions.
    """
    move, skip, leave = logs.exp()[..., None, None].unbind()
    place = torch.arange(last.shape[1], device=logs.device)
    far = place - place[:, None]
    steps = (far == 0) + move * (far == 1) + skip * (far == 1 + 1)
    first = move * (place == 0) + skip * (place == 1)
    between = (slice(None), *[None] * (dimensions - steps.ndim))
    return Ways(steps[between], first[between], leave[between] * last)


def last_of(token: Tensor) -> Tensor:
    """Which phones of names [E, L], 0 behind the last, are the last: 1 there, else 0."""
    real = (token > 0).float()
    return real - F.pad(real[:, 1:], (0, 1))


def normal(spread: Spread) -> Spread:
    """The same, summed up to one."""
    total = (spread.rows.sum((-2, -1), keepdim=True) + spread.none).clamp(min=TINY)
    return Spread(spread.rows / total, spread.none / total)


def times(one: Spread, other: Spread) -> Spread:
    """Product, place by place."""
    return Spread(one.rows * other.rows, one.none * other.none)


def step(frame: Frames, ways: Ways, now: Spread) -> tuple[Spread, Spread]:
    """Attention that came to a frame, and how it is spread when that was heard."""
    came = now.rows @ ways.steps + now.none * frame.enter * ways.enter
    left = (now.rows * ways.leave).sum((-2, -1), keepdim=True)
    before = Spread(came, now.none + left * frame.leave)
    return before, times(before, Spread(frame.rows, frame.none))


def follow(frames: Iterable[Frames], ways: Ways, now: Spread) -> tuple[list[Spread], list[Spread]]:
    """Attention that came to each frame, and after it, but for a factor; at first it is `now`."""
    came, after = [], []
    for t, frame in enumerate(frames, 1):
        before, now = step(frame, ways, now)
        if t % OFTEN == 0:
            now = normal(now)
        came.append(before)
        after.append(now)
    return came, after


def joined(parts: Sequence[Spread]) -> Spread:
    """Of frames one after the other [H, ..., T, ·, ·]."""
    return Spread(*map(partial(torch.cat, dim=-3), zip(*parts, strict=True)))


def backward(frames: Frames, ways: Ways) -> Spread:
    """How well each frame and all behind it fit attention there, but for a factor, in time."""
    last, *others = frames.each()
    begun = Spread(last.rows, last.none)
    _, found = follow(others, ways.back(), begun)
    return joined([*reversed(found), begun])
