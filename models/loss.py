"""The transducer loss on alignment windows: at most one token a frame, near the forced alignment.

"Monotonic" transducer (Tripathi et al., 2019): a token, like blank, uses up one frame, so a path
is a walk over frames and the search needs one round a frame; as in sherpa-onnx's greedy rule.
Pruning (after k2's pruned RNN-T, Kuang et al., 2022), with the windows taken from the alignment
instead of a first, simple joiner: at frame t only S token counts u = first[t] … first[t] + S - 1
are possible. That bounds how late a token may come, which keeps the emission delay low.

`walk` is compiled with numba; `tests/models/test_loss.py` compares it with a sum over all paths.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
NEVER = -1e30
HARDLY = -1e29  # anything below counts as never


def windows(due: Longs, frames: int, width: int) -> Longs:
    """First token count possible at each frame [T], from the frame each token is due at [U]."""
    reached = np.searchsorted(due, np.arange(frames), side="right")
    last = max(0, len(due) + 1 - width)
    first = np.clip(reached - width // 2, 0, last)
    # The whole must be walkable: begin at 0, end at `last`, at most one step a frame.
    at = np.arange(frames)
    first = np.minimum(first, at)
    first = np.maximum(first, last - at[::-1])
    first = np.clip(np.maximum.accumulate(first), 0, last)
    # Where many are due at once, windows move up early: those to come must be in reach.
    ahead = np.maximum.accumulate((first - at)[::-1])[::-1] + at - (width - 1)
    return np.maximum(first, ahead).astype(np.int64)


@numba.njit(cache=True, nogil=True)
def _add(a: float, b: float) -> float:
    high, low = (a, b) if a > b else (b, a)
    return high + np.log1p(np.exp(low - high)) if high > HARDLY else NEVER


@numba.njit(cache=True, nogil=True)
def _target(u: int, nxt: int, width: int) -> int:
    k = u - nxt
    return k if 0 <= k < width else -1


@numba.njit(cache=True, nogil=True)
def _ahead(blank: Floats, label: Floats, start: Longs, count: int) -> Doubles:
    """Log-likelihood [T + 1, S] of all ways to come to each frame and token count."""
    frames, width = blank.shape
    ahead = np.full((frames + 1, width), NEVER)
    ahead[0, 0] = 0.0 if start[0] == 0 else NEVER
    for t in range(frames):
        for k in range(width):
            u, a = start[t] + k, ahead[t, k]
            if a <= NEVER or u > count:
                continue
            stay = _target(u, start[t + 1], width)
            if stay >= 0:
                ahead[t + 1, stay] = _add(ahead[t + 1, stay], a + blank[t, k])
            grow = _target(u + 1, start[t + 1], width)
            if grow >= 0 and u < count:
                ahead[t + 1, grow] = _add(ahead[t + 1, grow], a + label[t, k])
    return ahead


@numba.njit(cache=True, nogil=True)
def _posteriors(
    blank: Floats, label: Floats, start: Longs, count: int, ahead: Doubles
) -> tuple[Floats, Floats]:
    """How much of the likelihood goes through each blank and label, [T, S] each."""
    frames, width = blank.shape
    total = ahead[frames, count - start[frames]]
    of_blank, of_label = np.zeros_like(blank), np.zeros_like(label)
    back = np.full((frames + 1, width), NEVER)
    back[frames, count - start[frames]] = 0.0
    for t in range(frames - 1, -1, -1):
        for k in range(width):
            u = start[t] + k
            stay = _target(u, start[t + 1], width)
            if stay >= 0 and u <= count:
                behind = back[t + 1, stay] + blank[t, k]
                of_blank[t, k] = np.exp(min(0.0, ahead[t, k] + behind - total))
                back[t, k] = _add(back[t, k], behind)
            grow = _target(u + 1, start[t + 1], width)
            if grow >= 0 and u < count:
                behind = back[t + 1, grow] + label[t, k]
                of_label[t, k] = np.exp(min(0.0, ahead[t, k] + behind - total))
                back[t, k] = _add(back[t, k], behind)
    return of_blank, of_label


def walk(blank: Floats, label: Floats, first: Longs, count: int) -> tuple[float, Floats, Floats]:
    """Log-likelihood of all walks and the posteriors of each blank and label, [T, S] each.

    blank, label: log-probabilities [T, S]; first: windows [T]; count: tokens U. NEVER and zeros
    where there is no walk.
    """
    start = np.append(first, first[-1])
    ahead = _ahead(blank, label, start, count)
    total = float(ahead[-1, count - start[-1]])
    if total < HARDLY:
        return NEVER, np.zeros_like(blank), np.zeros_like(label)
    return total, *_posteriors(blank, label, start, count, ahead)


@cache
def _threads() -> ThreadPoolExecutor:
    """As many as torch has; walks are the processor's work, on a GPU as well."""
    return ThreadPoolExecutor(torch.get_num_threads())


class _Walks(torch.autograd.Function):
    """Negative log-likelihood [B] with analytic gradients; `emit` raises labels' (FastEmit)."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 – torch gives it no useful type
        blank: Tensor,
        label: Tensor,
        paths: list[tuple[Longs, int]],
        emit: float,
    ) -> Tensor:
        firsts, counts = zip(*paths, strict=True)
        parts = list(_threads().map(walk, blank.cpu().numpy(), label.cpu().numpy(), firsts, counts))
        ctx.of_blank = torch.from_numpy(np.stack([p[1] for p in parts])).to(blank.device)
        of_label = torch.from_numpy(np.stack([p[2] for p in parts])) * (1 + emit)
        ctx.of_label = of_label.to(blank.device)
        return torch.tensor([-p[0] for p in parts], device=blank.device)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:  # noqa: ANN401
        g = -gradient[:, None, None]
        return ctx.of_blank * g, ctx.of_label * g, None, None


def transducer_loss(
    logits: Tensor, first: Tensor, target: Tensor, counts: list[int], emit: float
) -> Tensor:
    """Negative log-likelihood [B] of targets [B, U] in logits [B, T, S, V] on windows [B, T].

    first: on the processor; all else, and what comes out, on the device of the logits.
    """
    frames, width = logits.shape[1:3]
    u = (first[:, :, None] + torch.arange(width)).to(logits.device)
    following = F.pad(target, (0, width + 1))[:, None].expand(-1, frames, -1).gather(2, u)
    logp = logits.log_softmax(-1)
    label = logp.gather(3, following[..., None]).squeeze(3)
    paths = list(zip(first.numpy(), counts, strict=True))
    return _Walks.apply(logp[..., 0], label, paths, emit)  # type: ignore[no-any-return]
