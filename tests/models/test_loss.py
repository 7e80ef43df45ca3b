"""The loss against a sum over all walks, its gradients against torch's own, its windows."""

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from models.loss import NEVER, transducer_loss, walk, windows

Case = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.int64], int]
NOTHING_DUE = np.zeros(0, np.int64)


def case(seed: int) -> Case:
    """Log-probabilities of blanks and labels [T, S], windows [T] and a count of tokens."""
    dice = np.random.default_rng(seed)
    frames, width = int(dice.integers(2, 8)), int(dice.integers(2, 6))
    count = int(dice.integers(0, min(frames, 5) + 1))
    due = np.sort(dice.integers(0, frames, count))
    blank, label = dice.normal(-2, 1, (2, frames, width)).astype(np.float32)
    return blank, label, windows(due, frames, width), count


def likelihood_of(walked: tuple[int, ...], whole: Case) -> float:
    """Of the walk that takes its tokens at these frames; minus infinity outside the windows."""
    blank, label, first, _ = whole
    total, u = 0.0, 0
    for t in range(len(blank)):
        k = u - first[t]
        if not 0 <= k < blank.shape[1]:
            return -math.inf
        total += float(label[t, k] if t in walked else blank[t, k])
        u += t in walked
    return total


@pytest.mark.parametrize("seed", range(60))
def test_likelihood_and_posteriors_are_those_of_a_sum_over_all_walks(seed: int) -> None:
    whole = blank, label, first, count = case(seed)
    walks = list(itertools.combinations(range(len(blank)), count))
    each = np.array([likelihood_of(walked, whole) for walked in walks])
    total, of_blank, of_label = walk(blank, label, first, count)
    assert total == pytest.approx(np.logaddexp.reduce(each), abs=1e-4)
    wanted = np.zeros((2, *blank.shape))
    for walked, share in zip(walks, np.exp(each - np.logaddexp.reduce(each)), strict=True):
        u = 0
        for t in range(len(blank)) if share > 0 else ():
            wanted[int(t in walked), t, u - first[t]] += share
            u += t in walked
    np.testing.assert_allclose([of_blank, of_label], wanted, atol=1e-5)


def plain(logits: Tensor, first: Tensor, target: Tensor, counts: list[int], emit: float) -> Tensor:
    """The same loss by a recursion that torch differentiates itself."""
    losses = []
    for row, start, tokens, count in zip(
        logits.log_softmax(-1), first, target, counts, strict=True
    ):
        ways: dict[int, Tensor] = {0: torch.zeros(())}
        for scores, low in zip(row, start.tolist(), strict=True):
            after: dict[int, list[Tensor]] = {}
            for u, way in ways.items():
                if not low <= u < low + len(scores):
                    continue
                after.setdefault(u, []).append(way + scores[u - low, 0])
                if u < count:
                    label = scores[u - low, int(tokens[u])]
                    raised = label * (1 + emit) - label.detach() * emit
                    after.setdefault(u + 1, []).append(way + raised)
            ways = {u: torch.logsumexp(torch.stack(all_ways), 0) for u, all_ways in after.items()}
        losses.append(-ways[count])
    return torch.stack(losses)


def batch(seed: int) -> tuple[Tensor, Tensor, Tensor, list[int]]:
    """Logits [3, 9, 4, 6], windows, targets and counts: none, some, and many tokens."""
    dice = np.random.default_rng(seed)
    counts = [0, 3, 6]
    due = [np.sort(dice.integers(0, 9, count)) for count in counts]
    first = np.stack([windows(d, 9, 4) for d in due])
    logits = torch.from_numpy(dice.normal(0, 2, (3, 9, 4, 6)).astype(np.float32))
    target = torch.from_numpy(dice.integers(1, 6, (3, 6)))
    return logits, torch.from_numpy(first), target, counts


@pytest.mark.parametrize("emit", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(8))
def test_loss_and_gradients_are_those_of_torch_and_emit_raises_those_of_labels(
    seed: int, emit: float
) -> None:
    logits, first, target, counts = batch(seed)
    weight = torch.tensor([1.0, 0.5, 2.0])
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    got = transducer_loss(ours, first, target, counts, emit)
    want = plain(theirs, first, target, counts, emit)
    torch.testing.assert_close(got, want, atol=1e-4, rtol=1e-5)
    (got * weight).sum().backward()
    (want * weight).sum().backward()
    assert ours.grad is not None
    torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-5, rtol=1e-4)


def test_emit_changes_the_gradient_and_never_the_loss() -> None:
    logits, first, target, counts = batch(1)
    plain_loss, raised = (transducer_loss(logits, first, target, counts, e) for e in (0.0, 0.5))
    assert torch.equal(plain_loss, raised)


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_windows_can_be_walked_however_ragged_the_alignment(data: st.DataObject) -> None:
    frames, width = data.draw(st.integers(1, 40)), data.draw(st.integers(2, 8))
    moments = st.integers(0, frames + 5) | st.sampled_from([0, frames // 2, frames])
    due = np.array(sorted(data.draw(st.lists(moments, max_size=frames))), np.int64)
    first = windows(due, frames, width)
    assert first[0] == 0
    assert first[-1] == max(0, len(due) + 1 - width)
    assert (np.diff(first) >= 0).all()
    zeros = np.zeros((frames, width), np.float32)
    total, of_blank, of_label = walk(zeros, zeros, first, len(due))
    assert total > -1
    np.testing.assert_allclose(of_blank.sum(1) + of_label.sum(1), 1, atol=1e-4)
    assert of_label.sum() == pytest.approx(len(due), rel=1e-4)


def test_tokens_due_at_the_same_moment_are_within_reach_before_it() -> None:
    due = np.full(20, 30)
    first = windows(due, 60, 6)
    zeros = np.zeros((60, 6), np.float32)
    assert walk(zeros, zeros, first, 20)[0] > -1


def test_more_tokens_than_frames_cannot_be_walked_and_give_no_gradient() -> None:
    first = windows(np.arange(12), 4, 3)
    zeros = np.zeros((4, 3), np.float32)
    total, of_blank, of_label = walk(zeros, zeros, first, 12)
    assert total == NEVER
    assert not of_blank.any()
    assert not of_label.any()


def test_without_tokens_the_loss_is_that_of_the_blanks() -> None:
    logits = torch.randn(1, 7, 4, 5, generator=torch.Generator().manual_seed(1))
    first = torch.from_numpy(windows(NOTHING_DUE, 7, 4))[None]
    loss = transducer_loss(logits, first, torch.zeros(1, 0, dtype=torch.int64), [0], 0.0)
    torch.testing.assert_close(loss, -logits.log_softmax(-1)[:, :, 0, 0].sum(1))


def test_windows_wider_than_all_tokens_lose_no_walk() -> None:
    dice = np.random.default_rng(3)
    blank, label = dice.normal(-2, 1, (2, 6, 9)).astype(np.float32)
    first = windows(np.array([1, 3]), 6, 9)
    assert not first.any()
    whole = blank, label, first, 2
    each = [likelihood_of(walked, whole) for walked in itertools.combinations(range(6), 2)]
    assert walk(*whole)[0] == pytest.approx(np.logaddexp.reduce(each), abs=1e-4)
