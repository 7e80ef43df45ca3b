"""Rows and batches of a small, made-up cache."""

import random

import numpy as np
import numpy.typing as npt
import pytest
import torch

from models.data import Batch, Corpus, assemble, batch, due_frames, label_frames, order, rows
from models.loss import walk
from tests.models import small_cache

LENGTH, WIDTH = 480, 6
WHOLE = ("readings", "an4")  # corpora of which all is heard in every epoch


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus(small_cache.write(tmp_path_factory.mktemp("cache")))


def dice(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311


def tokens(corpus: Corpus, recording: int) -> npt.NDArray[np.int32]:
    """The word of each token."""
    found = corpus.word[corpus.at[recording] : corpus.at[recording + 1]]
    return np.asarray(found, np.int32)


def parts_of(given: Batch) -> list[torch.Tensor]:
    return [given.x, given.frames, given.target, torch.tensor(given.counts), given.first]


@pytest.mark.parametrize("length", [120, 320, 480, 640])
@pytest.mark.parametrize("seed", range(5))
def test_no_row_is_longer_than_it_may_be(corpus: Corpus, seed: int, length: int) -> None:
    for row in rows(corpus, length, dice(seed)):
        assert 0 < sum(piece.end - piece.begin for piece in row) <= length
        for p in row:
            assert 0 <= p.begin < p.end <= corpus.length(p.recording, p.version)


@pytest.mark.parametrize("seed", range(10))
def test_every_token_is_heard_once_an_epoch_and_no_word_is_cut(corpus: Corpus, seed: int) -> None:
    plan = rows(corpus, LENGTH, dice(seed))
    heard = [(p.recording, u) for row in plan for p in row for u in range(p.first, p.last)]
    wanted = [(i, u) for i, _ in order(corpus, dice(seed)) for u in range(len(tokens(corpus, i)))]
    assert {i for i, name in enumerate(corpus.corpus) if name in WHOLE} <= {i for i, _ in wanted}
    assert len(set(wanted)) == len(wanted)
    assert heard == wanted[: len(heard)]
    for p in (p for row in plan for p in row):
        word = tokens(corpus, p.recording)
        assert p.first == 0 or word[p.first - 1] != word[p.first]
        assert p.last == len(word) or word[p.last - 1] != word[p.last]
    # Only what does not fill a last row waits for another epoch.
    rest = wanted[len(heard) :]
    assert (
        sum(int(corpus.end[corpus.at[i] + u] - corpus.start[corpus.at[i] + u]) for i, u in rest)
        < LENGTH
    )


def test_single_words_are_heard_in_a_part_of_the_epochs_only(corpus: Corpus) -> None:
    alike = {i for i, name in enumerate(corpus.corpus) if name == "speech_commands"}
    heard = [
        len({p.recording for row in rows(corpus, LENGTH, dice(seed)) for p in row} & alike)
        for seed in range(60)
    ]
    assert 0.25 < sum(heard) / (60 * len(alike)) < 0.45


@pytest.mark.parametrize("seed", range(5))
def test_tokens_lie_where_their_features_do(corpus: Corpus, seed: int) -> None:
    for row in rows(corpus, LENGTH, dice(seed)):
        x, token, start, end = assemble(corpus, row, LENGTH, np.random.default_rng(0))
        assert x.shape == (LENGTH, 80)
        assert (np.diff(start) >= 0).all()
        assert (start >= 0).all()
        assert (end <= LENGTH).all()
        assert len(token) == sum(p.last - p.first for p in row)
        at, done = 0, 0
        for p in row:
            begin, _ = corpus.times(p.recording, p.version)
            wanted = corpus.frames(p.recording, p.version, int(begin[p.first]), p.end)
            np.testing.assert_array_equal(x[start[done] :][: len(wanted)], wanted)
            at, done = at + p.end - p.begin, done + p.last - p.first
        assert at <= LENGTH


@pytest.mark.parametrize("seed", range(5))
def test_every_row_can_be_walked(corpus: Corpus, seed: int) -> None:
    plan = rows(corpus, LENGTH, dice(seed))
    given = batch(corpus, plan, LENGTH, WIDTH, [seed])
    zeros = np.zeros((LENGTH // 4, WIDTH), np.float32)
    for first, count in zip(given.first.numpy(), given.counts, strict=True):
        assert walk(zeros, zeros, first, count)[0] > -1


def test_a_batch_is_a_function_of_its_seed_alone(corpus: Corpus) -> None:
    plan = rows(corpus, LENGTH, dice(4))[:3]
    once = batch(corpus, plan, LENGTH, WIDTH, [1, 2, 3, 0])
    random.seed(5)
    torch.manual_seed(6)
    batch(corpus, plan, LENGTH, WIDTH, [9])
    again = batch(corpus, plan, LENGTH, WIDTH, [1, 2, 3, 0])
    for one, other in zip(parts_of(once), parts_of(again), strict=True):
        assert torch.equal(one, other)
    assert once.x.shape == (3, LENGTH, 80)
    assert torch.isfinite(once.x).all()


@pytest.mark.parametrize("other", [[2, 2, 3, 0], [1, 3, 3, 0], [1, 2, 4, 0], [1, 2, 3, 1]])
def test_another_seed_epoch_position_or_rank_sounds_different(
    corpus: Corpus, other: list[int]
) -> None:
    plan = rows(corpus, LENGTH, dice(4))[:3]
    one = batch(corpus, plan, LENGTH, WIDTH, [1, 2, 3, 0])
    two = batch(corpus, plan, LENGTH, WIDTH, other)
    assert not torch.equal(one.x, two.x)
    assert torch.equal(one.target, two.target)


def test_the_plan_of_an_epoch_is_a_function_of_its_dice(corpus: Corpus) -> None:
    assert rows(corpus, LENGTH, dice(2)) == rows(corpus, LENGTH, dice(2))
    assert rows(corpus, LENGTH, dice(2)) != rows(corpus, LENGTH, dice(3))


def test_frames_are_labelled_30_ms_late_and_tokens_are_due_after_their_middle() -> None:
    token, start, end = np.array([7, 9]), np.array([8, 16]), np.array([16, 40])
    assert label_frames(token, start, end, 32).tolist() == [0, 0, 0, 7, 7, 9, 9, 9]
    assert due_frames(start, end).tolist() == [(12 + 6) // 4, (21 + 6) // 4]
