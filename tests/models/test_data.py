"""Rows and batches of a small, made-up cache."""

import random
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch
from earshot.encoder import QUIET

from models.augment import USUAL, Augmentation, at_tempo
from models.data import (
    Batch,
    Corpus,
    Row,
    assemble,
    batch,
    due_frames,
    label_frames,
    noise_alone,
    rows,
)
from models.loss import walk
from tests.models import small_cache

LENGTH, WIDTH = 480, 6
WHOLE = ("readings", "an4")  # corpora of which all is heard in every epoch
PLAIN = Augmentation(tempo=0, pauses=0, bare=0, silent=0)
MOVED = Augmentation(tempo=1, pauses=1, bare=0.3, silent=0)


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
@pytest.mark.parametrize("how", [PLAIN, MOVED])
@pytest.mark.parametrize("seed", range(3))
def test_no_row_is_longer_than_it_may_be(
    corpus: Corpus, seed: int, how: Augmentation, length: int
) -> None:
    for row in rows(corpus, length, dice(seed), how):
        played = sum(piece.end - piece.begin for piece in row.pieces) / row.tempo
        assert 0 < played + row.pause <= length
        for p in row.pieces:
            assert 0 <= p.begin < p.end <= corpus.length(p.recording, p.version)


@pytest.mark.parametrize("seed", range(10))
def test_every_token_is_heard_once_an_epoch_and_no_word_is_cut(corpus: Corpus, seed: int) -> None:
    plan = rows(corpus, LENGTH, dice(seed))
    heard = [(p.recording, u) for row in plan for p in row.pieces for u in range(p.first, p.last)]
    begun = dict.fromkeys(i for i, _ in heard)
    whole = [(i, u) for i in begun for u in range(len(tokens(corpus, i)))]
    assert heard == whole[: len(heard)], "one recording after the other, all of each but the last"
    for p in (p for row in plan for p in row.pieces):
        word = tokens(corpus, p.recording)
        assert p.first == 0 or word[p.first - 1] != word[p.first]
        assert p.last == len(word) or word[p.last - 1] != word[p.last]
    # Only what does not fill a last row waits for another epoch.
    always = [i for i, name in enumerate(corpus.corpus) if name in WHOLE]
    late = {(i, u) for i in always for u in range(len(tokens(corpus, i)))} - set(heard)
    lengths = corpus.end - corpus.start
    assert sum(int(lengths[corpus.at[i] + u]) for i, u in late) < LENGTH * USUAL.fastest


def test_single_words_are_heard_in_a_part_of_the_epochs_only(corpus: Corpus) -> None:
    alike = {i for i, name in enumerate(corpus.corpus) if name == "speech_commands"}
    heard = [
        len({p.recording for row in rows(corpus, LENGTH, dice(seed)) for p in row.pieces} & alike)
        for seed in range(60)
    ]
    assert 0.25 < sum(heard) / (60 * len(alike)) < 0.45


@pytest.mark.parametrize("seed", range(5))
def test_tokens_lie_where_their_features_do(corpus: Corpus, seed: int) -> None:
    for row in rows(corpus, LENGTH, dice(seed), PLAIN):
        heard = assemble(corpus, row, LENGTH, np.random.default_rng(0), PLAIN)
        assert heard.x.shape == (LENGTH, 80)
        assert (np.diff(heard.start) >= 0).all()
        assert (heard.start >= 0).all()
        assert (heard.end <= LENGTH).all()
        assert len(heard.token) == sum(p.last - p.first for p in row.pieces)
        at, done = 0, 0
        for p in row.pieces:
            begin, _ = corpus.times(p.recording, p.version)
            wanted = corpus.frames(p.recording, p.version, int(begin[p.first]), p.end)
            np.testing.assert_array_equal(heard.x[heard.start[done] :][: len(wanted)], wanted)
            at, done = at + p.end - p.begin, done + p.last - p.first
        assert at <= LENGTH


@pytest.mark.parametrize("seed", range(5))
def test_tokens_move_with_the_tempo(corpus: Corpus, seed: int) -> None:
    for row in rows(corpus, LENGTH, dice(seed), replace(PLAIN, tempo=1)):
        one, other = (
            assemble(corpus, r, 2 * LENGTH, np.random.default_rng(0), PLAIN)
            for r in (Row(row.pieces), row)
        )
        assert 0.9 <= row.tempo <= 1.12
        assert (one.token == other.token).all()
        assert (np.abs(other.start - one.start / row.tempo) <= 0.5).all()
        assert (np.abs(other.end - one.end / row.tempo) <= 1).all()
        played = sum(p.end - p.begin for p in row.pieces)
        wanted = at_tempo(one.x[:played], row.tempo)
        np.testing.assert_array_equal(other.x[: len(wanted)], wanted)


def test_another_tempo_is_read_between_the_frames() -> None:
    x = np.repeat(np.arange(101, dtype=np.float32)[:, None], 80, 1)
    for tempo in (0.9, 1.12):
        found = at_tempo(x, tempo)
        assert len(found) == int(101 / tempo)
        np.testing.assert_allclose(
            found[:, 5], np.minimum(np.arange(len(found)) * tempo, 100), 1e-5
        )


@pytest.mark.parametrize("seed", range(5))
def test_pauses_are_put_between_words_and_move_what_comes_after(corpus: Corpus, seed: int) -> None:
    put = 0
    for row in rows(corpus, LENGTH, dice(seed), replace(PLAIN, pauses=1)):
        one, other = (
            assemble(corpus, r, LENGTH, np.random.default_rng(0), PLAIN)
            for r in (replace(row, pause=0), row)
        )
        late = other.start - one.start
        assert (np.diff(late) >= 0).all(), "a later token moves at least as far"
        assert (other.end - one.end == late).all(), "no token is torn"
        assert late[0] == 0
        assert late[-1] in {0, row.pause}
        word = np.concatenate(
            [
                [p.recording * 1000 + w for w in tokens(corpus, p.recording)[p.first : p.last]]
                for p in row.pieces
            ]
        )
        moved = np.flatnonzero(np.diff(late)) + 1
        assert (word[moved] != word[moved - 1]).all(), "no word is torn"
        for start, end, by in zip(one.start, one.end, late, strict=True):
            np.testing.assert_array_equal(other.x[start + by : end + by], one.x[start:end])
        put += int(late[-1])
    assert put > 0


def test_a_bare_row_begins_with_its_first_word_and_ends_in_digital_silence(corpus: Corpus) -> None:
    how = replace(PLAIN, bare=1)
    for row in rows(corpus, LENGTH, dice(2), how):
        heard = assemble(corpus, row, LENGTH, np.random.default_rng(0), how)
        assert heard.start[0] == 0
        assert (heard.x[heard.end[-1] :] == np.float32(QUIET)).all()
        assert (heard.x[heard.end[-1] - 1] != np.float32(QUIET)).any()


def test_nobody_speaks_in_a_row_of_noise(corpus: Corpus) -> None:
    heard = noise_alone(corpus, LENGTH, np.random.default_rng(0))
    assert heard.x.shape == (LENGTH, 80)
    assert len(heard.token) == 0
    plan = rows(corpus, LENGTH, dice(3))[:6]
    given = batch(corpus, plan, LENGTH, WIDTH, [3], replace(MOVED, silent=1))
    assert given.counts[1:] == [0] * 5
    assert given.counts[0] > 0, "a loss is one of tokens"
    assert (given.target[1:] == 0).all()
    assert (given.frames[1:] == 0).all()
    zeros = np.zeros((LENGTH // 4, WIDTH), np.float32)
    likelihood, _, of_label = walk(zeros, zeros, given.first[1].numpy(), 0)
    assert likelihood == 0.0, "the one way is to keep silent"
    assert not of_label.any()


@pytest.mark.parametrize("seed", range(5))
def test_every_row_can_be_walked(corpus: Corpus, seed: int) -> None:
    plan = rows(corpus, LENGTH, dice(seed), MOVED)
    given = batch(corpus, plan, LENGTH, WIDTH, [seed], MOVED)
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
    plan = rows(corpus, LENGTH, dice(4), MOVED)[:3]
    one = batch(corpus, plan, LENGTH, WIDTH, [1, 2, 3, 0], MOVED)
    two = batch(corpus, plan, LENGTH, WIDTH, other, MOVED)
    assert not torch.equal(one.x, two.x)
    assert torch.equal(one.target, two.target)


def test_the_plan_of_an_epoch_is_a_function_of_its_dice(corpus: Corpus) -> None:
    assert rows(corpus, LENGTH, dice(2)) == rows(corpus, LENGTH, dice(2))
    assert rows(corpus, LENGTH, dice(2)) != rows(corpus, LENGTH, dice(3))


def test_frames_are_labelled_30_ms_late_and_tokens_are_due_after_their_middle() -> None:
    token, start, end = np.array([7, 9]), np.array([8, 16]), np.array([16, 40])
    assert label_frames(token, start, end, 32).tolist() == [0, 0, 0, 7, 7, 9, 9, 9]
    assert due_frames(start, end).tolist() == [(12 + 6) // 4, (21 + 6) // 4]
