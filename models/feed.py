"""Batches in their order, on a GPU made ahead by other processes, and where each leaves the run.

What a batch holds is a function of (seed, epoch, position, rank), so each process makes every Nth
of them, and a resumed run goes on exactly.
"""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from models.augment import Augmentation
from models.data import Batch, Corpus, Row, batch, rows

AHEAD = 4  # batches a process
SHARE_OF_CORES = 3  # one core in three makes batches; the loss and the launches need some as well


class Fed(NamedTuple):
    """A batch, and the epoch and the row of it where the run is once it is done."""

    batch: Batch
    epoch: int
    position: int


@dataclass
class Feed(IterableDataset[Fed]):
    """Endless batches of a rank from an epoch and a row of it on.

    The last one of an epoch is filled up with its first rows. Raises ValueError where an epoch has
    fewer rows than a step takes.
    """

    corpus: Corpus
    data: dict[str, Any]
    """the table [data] of a recipe"""
    how: Augmentation
    rank: int
    world: int
    epoch: int
    position: int

    def __iter__(self) -> Iterator[Fed]:
        """Those of this process, if there are several."""
        worker, data = get_worker_info(), self.data
        mine, of = (worker.id, worker.num_workers) if worker else (0, 1)
        for number, (plan, epoch, position) in enumerate(self._steps()):
            if number % of == mine:
                seed = [data["seed"], epoch, position, self.rank]
                begin = position + self.rank * data["rows"]
                some = plan[begin : begin + data["rows"]]
                made = batch(self.corpus, some, data["length"], data["window"], seed, self.how)
                yield Fed(made, epoch, position + data["rows"] * self.world)

    def _steps(self) -> Iterator[tuple[list[Row], int, int]]:
        """All rows of an epoch, the epoch, and the first row of a step."""
        each, position = self.data["rows"] * self.world, self.position
        for epoch in count(self.epoch):
            plan = self._plan(epoch, each)
            for begin in range(position, len(plan), each):
                yield plan, epoch, begin
            position = 0

    def _plan(self, epoch: int, each: int) -> list[Row]:
        dice, length = random.Random(f"{self.data['seed']} {epoch}"), self.data["length"]
        plan = rows(self.corpus, length, dice, self.how)
        random.Random(epoch).shuffle(plan)
        if len(plan) < each:
            message = (
                f"an epoch has {len(plan)} rows of {length} frames, but a step takes "
                f"{each}: lower [data] rows or length, or prepare more recordings"
            )
            raise ValueError(message)
        return plan + plan[: -len(plan) % each]


def fed(feed: Feed, workers: int) -> Iterator[Fed]:
    """Give what it makes, in order, itself or by `workers` processes ahead into pinned memory."""
    if not workers:
        return iter(feed)
    pinned = torch.cuda.is_available()
    ahead: DataLoader[Fed] = DataLoader(
        feed, batch_size=None, num_workers=workers, prefetch_factor=AHEAD, pin_memory=pinned
    )
    return iter(ahead)


def workers_for(kind: str) -> int:
    """How many processes make batches for a kind of device: none where it is the processor."""
    return max(1, len(os.sched_getaffinity(0)) // SHARE_OF_CORES) if kind == "cuda" else 0
