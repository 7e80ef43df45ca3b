"""How attention moves over the phones of names from frame to frame, and how it is spread.

Forward attention (Zhang et al., 2018): it stays on a phone, goes on to the next one of its name or
over one that was swallowed, leaves the name behind its last phone, or comes from none of the names
to the first phone of one; then each place keeps as much of it as its phone fits what is heard. That
is the forward recursion of a hidden Markov model; the backward one tells the frames of a chunk how
it goes on. Weights need not be probabilities: what is spread sums to one. Heads come first in all
arrays, then whatever there are of.
"""

from typing import NamedTuple

import torch
from torch import Tensor

TINY = 1e-30
OFTEN = 8  # frames after which attention is summed up to one, lest it vanish


class Spread(NamedTuple):
    """How attention is spread over E names of at most L phones, and none of them."""

    rows: Tensor  # [H, ..., E, L]
    none: Tensor  # [H, ..., 1, 1]


class Fit(NamedTuple):
    """How well rows and none of them fit each frame, and how likely a name begins there."""

    rows: Tensor  # [H, ..., T, E, L]
    none: Tensor  # [H, ..., T, 1, 1]
    begin: Tensor  # [H, ..., T, 1, 1]

    def frames(self) -> list["Fit"]:
        """Each alone."""
        return [Fit(*one) for one in zip(*(part.unbind(-3) for part in self), strict=True)]

    def part(self, first: int, end: int) -> "Fit":
        """Frames [first, end)."""
        return Fit(*(part[..., first:end, :, :] for part in self))

    def in_chunks(self, chunk: int) -> "Fit":
        """[H, ..., C, T, …] for chunks of T frames."""
        return Fit(*(in_chunks(part, chunk) for part in self))


class Moves(NamedTuple):
    """Weights of the ways that attention goes."""

    steps: Tensor  # [H, 1 …, L, L] from a phone of a name to another
    first: Tensor  # [H, 1 …, 1, L] from none to a phone
    leave: Tensor  # [H, 1 …, E, L] from a phone to none: not 0 for the last phones of names


def in_chunks(x: Tensor, chunk: int) -> Tensor:
    """Frames [..., T, ·, ·] as chunks of so many each, [..., C, chunk, ·, ·]."""
    return x.unflatten(-3, (-1, chunk))  # type: ignore[no-any-return]


def moves_of(ways: Tensor, token: Tensor, dimensions: int) -> Moves:
    """Of logs [3, H] of going on, skipping and leaving, and names [E, L], for arrays [H, ...]."""
    move, skip, leave = ways.exp()[..., None, None].unbind()
    place = torch.arange(token.shape[1], device=token.device)
    far = place - place[:, None]
    steps = (far == 0) + move * (far == 1) + skip * (far == 1 + 1)
    first = move * (place == 0) + skip * (place == 1)
    behind = torch.cat([token[:, 1:], token[:, :1] * 0], 1)
    leaves = leave * ((token > 0) & (behind == 0))
    between = (slice(None), *[None] * (dimensions - steps.ndim))
    return Moves(steps[between], first[between], leaves[between])


def normal(spread: Spread) -> Spread:
    """The same, summed up to one."""
    total = (spread.rows.sum((-2, -1), keepdim=True) + spread.none).clamp(min=TINY)
    return Spread(spread.rows / total, spread.none / total)


def forward(fit: Fit, moves: Moves, now: Spread) -> list[Spread]:
    """Attention after each frame and all before it, but for a factor; before the first it is `now`.

    After the last one it sums up to one.
    """
    found, frames = [], fit.frames()
    for t, frame in enumerate(frames, 1):
        came = now.rows @ moves.steps + frame.begin * now.none * moves.first
        left = (now.rows * moves.leave).sum((-2, -1), keepdim=True)
        now = Spread(came * frame.rows, (now.none + left) * frame.none)
        if t % OFTEN == 0 or t == len(frames):
            now = normal(now)
        found.append(now)
    return found


def smoothed(fit: Fit, moves: Moves, found: list[Spread]) -> Spread:
    """Attention after all frames [..., T, …] of a chunk, from that after each and all before."""
    every, later = [found[-1]], None
    for frame, before in zip(fit.frames()[:0:-1], found[-2::-1], strict=True):
        coming = Spread(frame.rows, frame.none)
        if later:
            coming = Spread(coming.rows * later.rows, coming.none * later.none)
        later = _backward(coming, frame.begin, moves)
        every.append(Spread(before.rows * later.rows, before.none * later.none))
    rows, none = zip(*reversed(every), strict=True)
    return normal(Spread(torch.stack(rows, -3), torch.stack(none, -3)))


def _backward(coming: Spread, begin: Tensor, moves: Moves) -> Spread:
    """How well all that comes fits attention a frame before, but for a factor."""
    rows = coming.rows @ moves.steps.transpose(-2, -1) + moves.leave * coming.none
    first = (coming.rows * moves.first).sum((-2, -1), keepdim=True)
    return Spread(rows, coming.none + begin * first)
