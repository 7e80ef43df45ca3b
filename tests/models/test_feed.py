"""Batches made ahead by several processes are those that one makes, in the same order."""

from itertools import islice
from typing import Any

import pytest
import torch

from models.augment import USUAL
from models.data import Corpus
from models.feed import Fed, Feed, fed
from tests.models import small_cache

# Told where a machine has a single core, as what follows would be slow there.
pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")
DATA: dict[str, Any] = {"length": 320, "rows": 2, "window": 4, "seed": 3}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus(small_cache.write(tmp_path_factory.mktemp("cache"), {"an4": 12}, 8))


def some(corpus: Corpus, workers: int, epoch: int = 0, position: int = 0) -> list[Fed]:
    return list(islice(fed(Feed(corpus, DATA, USUAL, 0, 1, epoch, position), workers), 9))


def assert_same(one: Fed, other: Fed) -> None:
    assert (one.epoch, one.position) == (other.epoch, other.position)
    assert one.batch.counts == other.batch.counts
    for mine, theirs in zip(one.batch, other.batch, strict=True):
        if isinstance(mine, torch.Tensor):
            assert isinstance(theirs, torch.Tensor)
            assert torch.equal(mine, theirs)


@pytest.mark.parametrize("workers", [1, 2])
def test_processes_that_work_ahead_change_nothing(corpus: Corpus, workers: int) -> None:
    alone, ahead = some(corpus, 0), some(corpus, workers)
    assert alone[-1].epoch > 0, "the next epoch is part of it"
    for one, other in zip(alone, ahead, strict=True):
        assert_same(one, other)


def test_it_goes_on_where_a_batch_left_the_run(corpus: Corpus) -> None:
    whole = some(corpus, 0)
    for i in (0, 3, 6):
        again = some(corpus, 2, whole[i].epoch, whole[i].position)
        for one, other in zip(whole[i + 1 :], again, strict=False):
            assert_same(one, other)
