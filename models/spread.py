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


class Spread(NamedTuple):
    """How attention is spread over E names of at most L phones, and none of them."""

    rows: Tensor  # [H, ..., E, L]
    none: Tensor  # [H, ...]


class Fit(NamedTuple):
    """How well rows and none of them fit each frame, and how likely a name begins there."""

    rows: Tensor  # [H, ..., T, E, L]
    none: Tensor  # [H, ..., T]
    begin: Tensor  # [H, ..., T]

    def frames(self) -> list["Fit"]:
        """Each alone."""
        each = zip(self.rows.unbind(-3), self.none.unbind(-1), self.begin.unbind(-1), strict=True)
        return [Fit(*one) for one in each]

    def in_chunks(self, chunk: int) -> "Fit":
        """[H, ..., C, T, …] for chunks of T frames."""
        return Fit(
            self.rows.unflatten(-3, (-1, chunk)),
            self.none.unflatten(-1, (-1, chunk)),
            self.begin.unflatten(-1, (-1, chunk)),
        )


class Moves(NamedTuple):
    """Weights of the ways that attention goes."""

    steps: Tensor  # [H, 1 …, L + 1, L] from a place to another; the first row is of none
    leave: Tensor  # [H, 1 …, E, L] from a place to none: not 0 for the last phones of names


def moves_of(ways: Tensor, token: Tensor, dimensions: int) -> Moves:
    """Of logs [3, H] of going on, skipping and leaving, and names [E, L], for arrays [H, ...]."""
    move, skip, leave = ways.exp()[..., None, None].unbind()
    place = torch.arange(token.shape[1], device=token.device)
    far = place - (torch.cat([place, place[-1:] + 1]) - 1)[:, None]
    steps = (far == 0) + move * (far == 1) + skip * (far == 1 + 1)
    behind = torch.cat([token[:, 1:], token[:, :1] * 0], 1)
    leaves = leave * ((token > 0) & (behind == 0))
    while steps.ndim < dimensions:
        steps, leaves = steps[:, None], leaves[:, None]
    return Moves(steps, leaves)


def normal(spread: Spread) -> Spread:
    """The same, summed up to one."""
    total = (spread.rows.sum((-2, -1)) + spread.none).clamp(min=TINY)
    return Spread(spread.rows / total[..., None, None], spread.none / total)


def forward(fit: Fit, moves: Moves, now: Spread) -> list[Spread]:
    """Attention after each frame and all before it; before the first it is `now`."""
    found = []
    for frame in fit.frames():
        begun = (frame.begin * now.none)[..., None, None].expand(*now.rows.shape[:-1], 1)
        came = torch.cat([begun, now.rows], -1) @ moves.steps
        left = (now.rows * moves.leave).sum((-2, -1))
        now = normal(Spread(came * frame.rows, (now.none + left) * frame.none))
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
    return normal(Spread(torch.stack(rows, -3), torch.stack(none, -1)))


def _backward(coming: Spread, begin: Tensor, moves: Moves) -> Spread:
    """How well all that comes fits attention a frame before, but for a factor."""
    back = coming.rows @ moves.steps.transpose(-2, -1)
    rows = back[..., 1:] + moves.leave * coming.none[..., None, None]
    none = coming.none + begin * back[..., 0].sum(-1)
    most = torch.maximum(rows.amax((-2, -1)), none).clamp(min=TINY)
    return Spread(rows / most[..., None, None], none / most)
