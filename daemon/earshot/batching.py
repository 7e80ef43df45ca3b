"""Lattices of many callers, ranked together: one thread works, and takes all that waits at once.

A caller who has gone away, or whose deadline has passed, is passed over before each piece of work.
"""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from earshot.errors import EarshotError, LimitError
from earshot.generated.v1.rescoring_pb2 import Parcel
from earshot.neural import NeuralModel
from earshot.parcel import unpack
from earshot.rescoring import Plan, RescoringSettings, Way, ordered, planned

_RESCORER = "the re-ranker"
AT_ONCE = 2_048  # contexts that the model is asked about


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """How requests are put together."""

    most: int = 16
    """requests that are worked on together"""
    wait_ms: float = 1.0
    """how long the first of them waits for others"""
    waiting: int = 256
    """requests that may wait; more are refused"""


@dataclass(eq=False, slots=True)
class Order:
    """What a caller wants, and whether it still does."""

    parcel: Parcel
    count: int
    debias: bool
    until: float
    """time.monotonic()"""
    answer: asyncio.Future[list[Way]]

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for it."""
        return not self.answer.cancelled() and time.monotonic() < self.until


Outcome = tuple[Order, "list[Way] | EarshotError"]


class Ranker:
    """Ranks lattices; pure but for the clock of the deadlines."""

    def __init__(self, model: NeuralModel, settings: RescoringSettings) -> None:
        self._model, self._settings = model, settings

    def rank(self, orders: Sequence[Order]) -> list[Outcome]:
        """What became of the orders that are still wanted."""
        plans, found = list[tuple[Order, Plan]](), list[Outcome]()
        for order in orders:
            if not order.wanted:
                continue
            try:
                opened = unpack(order.parcel, self._model.words)
                plans.append((order, planned(opened, self._model, self._settings)))
            except EarshotError as error:
                found.append((order, error))
        while plans:
            some, plans = _first(plans)
            found += self._ranked([pair for pair in some if pair[0].wanted])
        return found

    def _ranked(self, some: Sequence[tuple[Order, Plan]]) -> list[Outcome]:
        """Ask the model once about some of them."""
        if not some:
            return []
        contexts, rows, words = zip(*(plan.asked() for _, plan in some), strict=True)
        first = np.cumsum([0, *map(len, contexts)])
        row = np.concatenate([r + at for r, at in zip(rows, first, strict=False)])
        said = self._model.score(np.concatenate(contexts), row, np.concatenate(words))
        parts = np.split(said, np.cumsum([len(r) for r in rows])[:-1], axis=1)
        return [
            (order, ordered(plan, part, self._settings, order.count, debias=order.debias))
            for (order, plan), part in zip(some, parts, strict=True)
            if order.wanted
        ]


def _first(
    plans: list[tuple[Order, Plan]],
) -> tuple[list[tuple[Order, Plan]], list[tuple[Order, Plan]]]:
    """As many as the model may be asked about at once, but one at least; and the others."""
    total = np.cumsum([len(plan.contexts) for _, plan in plans])
    count = max(1, int((total <= AT_ONCE).sum()))
    return plans[:count], plans[count:]


@dataclass(slots=True)
class Tally:
    """What was done since the start."""

    answered: int = 0
    refused: int = 0
    dropped: int = 0
    batches: int = 0


class Batcher:
    """Takes requests in, and gives them to the thread. Belongs to one event loop."""

    def __init__(self, ranker: Ranker, settings: BatchSettings) -> None:
        self._ranker, self._settings = ranker, settings
        self._waiting: list[Order] = []
        self._asked = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ranking")
        self.tally = Tally()

    async def rescore(
        self, parcel: Parcel, count: int, seconds: float, *, debias: bool
    ) -> list[Way]:
        """The likeliest paths [count]. Raises what `unpack` raises, LimitError, TimeoutError."""
        if len(self._waiting) >= self._settings.waiting:
            self.tally.refused += 1
            most = self._settings.waiting
            raise LimitError(_RESCORER, len(self._waiting) + 1, most, "requests at a time")
        answer: asyncio.Future[list[Way]] = asyncio.get_running_loop().create_future()
        order = Order(parcel, count, debias, time.monotonic() + seconds, answer)
        self._waiting.append(order)
        self._asked.set()
        async with asyncio.timeout(seconds):
            return await answer

    async def work(self) -> None:
        """Work on what comes; for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await self._asked.wait()
            if len(self._waiting) < self._settings.most:
                await asyncio.sleep(self._settings.wait_ms / 1000)
            most = self._settings.most
            some, self._waiting = self._waiting[:most], self._waiting[most:]
            if not self._waiting:
                self._asked.clear()
            if some:
                self._deliver(
                    some, await loop.run_in_executor(self._thread, self._ranker.rank, some)
                )

    def _deliver(self, some: Sequence[Order], outcomes: Sequence[Outcome]) -> None:
        for order, found in outcomes:
            if order.answer.done():
                continue
            if isinstance(found, EarshotError):
                self.tally.refused += 1
                order.answer.set_exception(found)
            else:
                self.tally.answered += 1
                order.answer.set_result(found)
        self.tally.batches += 1
        self.tally.dropped += sum(order.answer.cancelled() for order in some)

    def close(self) -> None:
        """Wait for what is worked on."""
        self._thread.shutdown(wait=True, cancel_futures=True)
