"""Recordings are cut into utterances that lose no word, and batches that hold an epoch."""

import random
from pathlib import Path

import pytest

from models.augment import USUAL
from models.data import Corpus
from models.utterances import Sizes, batches, cut
from tests.models import small_cache


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    few = {"speech_commands": 4, "an4": 8, "synthetic": 6}
    return small_cache.write(tmp_path_factory.mktemp("cache"), few, 12)


@pytest.fixture(scope="module")
def corpus(cache: Path) -> Corpus:
    return Corpus(cache)


def dice() -> random.Random:
    return random.Random(1)  # noqa: S311 - as models/data.py


def test_recordings_are_cut_into_pieces_that_hold_all_their_words(corpus: Corpus) -> None:
    for recording in range(len(corpus.corpus)):
        start, end = corpus.times(recording, 0)
        pieces = cut(corpus, recording, 0, 160)
        assert [p.first for p in pieces[1:]] == [p.last for p in pieces[:-1]]
        assert (pieces[0].first, pieces[-1].last) == (0, len(start))
        for p in pieces:
            assert p.end - p.begin <= 160
            assert corpus.opens(recording, p.first)[0]
            assert p.begin <= start[p.first]
            assert end[p.last - 1] <= p.end <= corpus.length(recording, 0)


def test_a_word_longer_than_a_piece_is_lost_and_the_rest_is_not(corpus: Corpus) -> None:
    long = corpus.corpus.index("an4")
    pieces = cut(corpus, long, 0, 60)
    assert all(p.end - p.begin <= 60 for p in pieces)
    assert 0 < sum(p.last - p.first for p in pieces) < len(corpus.times(long, 0)[0])


def test_batches_hold_an_epoch_and_no_more_frames_than_they_may(corpus: Corpus) -> None:
    sizes = Sizes(160, 640, 16, 1.0)
    whole = batches(corpus, sizes, dice(), USUAL)
    assert whole == batches(corpus, sizes, dice(), USUAL)
    for rows, length in whole:
        assert len(rows) == 1 or len(rows) * length <= 640
        assert length % 16 == 0
        assert all(len(row.pieces) == 1 for row in rows)
        assert max(row.pieces[0].end - row.pieces[0].begin for row in rows) + 24 <= length


def test_of_what_nobody_spoke_a_share_is_heard(corpus: Corpus) -> None:
    heard = [
        {corpus.corpus[r.pieces[0].recording] for rows, _ in whole for r in rows}
        for share in (0.0, 1.0)
        for whole in [batches(corpus, Sizes(160, 640, 16, share), dice(), USUAL)]
    ]
    assert heard[0] <= {"an4", "speech_commands"}
    assert "synthetic" in heard[1]
