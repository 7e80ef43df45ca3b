"""Requests together: who is worked for, who is not, and what is too much."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import grpc
import pytest
from earshot.batching import Batcher, BatchSettings, Order, Outcome, Ranker
from earshot.errors import EarshotError, LimitError, RequestError
from earshot.generated.v1.rescoring_pb2 import Parcel
from earshot.generated.v1.rescoring_pb2_grpc import RescoringStub
from earshot.neural import open_rescorer
from earshot.rescorer import RescorerSettings, RescoringApi, _working, live

from tests.processes import PATIENCE
from tests.rescorers import PARCEL, request
from tests.small_rescorer import small_rescorer


@pytest.fixture(scope="module")
def ranker(tmp_path_factory: pytest.TempPathFactory) -> Ranker:
    bundle = open_rescorer(str(small_rescorer(tmp_path_factory.mktemp("small"))))
    return Ranker(bundle.model, bundle.settings)


class Slow(Ranker):
    """Notes how many orders come together, and works when it is let."""

    def __init__(self, other: Ranker) -> None:
        self._other, self.sizes = other, list[int]()
        self.go = False

    def rank(self, orders: Sequence[Order]) -> list[Outcome]:
        self.sizes.append(len(orders))
        while not self.go:
            time.sleep(0.001)
        return self._other.rank(orders)


async def begun(condition: "list[int]", count: int) -> None:
    """Wait until so many batches were begun."""
    async with asyncio.timeout(PATIENCE):
        while len(condition) < count:  # noqa: ASYNC110 - a thread changes it
            await asyncio.sleep(0.001)


def test_what_waits_is_worked_on_together(ranker: Ranker) -> None:
    async def run() -> None:
        slow = Slow(ranker)
        batcher = Batcher(slow, BatchSettings(most=4, wait_ms=0.0))
        working = asyncio.create_task(batcher.work())
        first = asyncio.create_task(batcher.rescore(PARCEL, 1, PATIENCE, debias=False))
        await begun(slow.sizes, 1)
        more = [batcher.rescore(PARCEL, 1, PATIENCE, debias=False) for _ in range(6)]
        others = asyncio.gather(*more)
        await asyncio.sleep(0.01)
        slow.go = True
        answers = [await first, *await others]
        assert all(answer == answers[0] for answer in answers)
        assert slow.sizes == [1, 4, 2]
        assert (batcher.tally.answered, batcher.tally.batches) == (7, 3)
        working.cancel()
        batcher.close()

    asyncio.run(run())


def test_who_does_not_wait_any_more_is_not_worked_for(ranker: Ranker) -> None:
    async def run() -> None:
        slow = Slow(ranker)
        batcher = Batcher(slow, BatchSettings(wait_ms=0.0))
        working = asyncio.create_task(batcher.work())
        late = asyncio.create_task(batcher.rescore(PARCEL, 1, 0.05, debias=False))
        await begun(slow.sizes, 1)
        gone = asyncio.create_task(batcher.rescore(PARCEL, 1, PATIENCE, debias=False))
        stays = asyncio.create_task(batcher.rescore(PARCEL, 1, PATIENCE, debias=False))
        await asyncio.sleep(0.01)
        gone.cancel()
        with pytest.raises(TimeoutError):
            await late
        slow.go = True
        assert await stays
        assert (batcher.tally.answered, batcher.tally.dropped) == (1, 2)
        working.cancel()
        batcher.close()

    asyncio.run(run())


def test_too_many_are_refused_with_both_numbers(ranker: Ranker) -> None:
    async def run() -> None:
        batcher = Batcher(ranker, BatchSettings(waiting=2))  # nobody works
        waiting = [
            asyncio.create_task(batcher.rescore(PARCEL, 1, PATIENCE, debias=False))
            for _ in range(2)
        ]
        await asyncio.sleep(0)
        with pytest.raises(LimitError, match="3 requests at a time exceed the limit of 2"):
            await batcher.rescore(PARCEL, 1, PATIENCE, debias=False)
        for task in waiting:
            task.cancel()
        batcher.close()

    asyncio.run(run())


def test_one_bad_order_does_not_spoil_the_others(ranker: Ranker) -> None:
    async def run() -> list[object]:
        batcher = Batcher(ranker, BatchSettings(wait_ms=20.0))
        working = asyncio.create_task(batcher.work())
        parcels = (PARCEL, Parcel(packed=b"\5\5"), PARCEL)
        calls = [batcher.rescore(one, 1, PATIENCE, debias=False) for one in parcels]
        found = await asyncio.gather(*calls, return_exceptions=True)
        assert batcher.tally.batches == 1
        working.cancel()
        batcher.close()
        return list(found)

    first, second, third = asyncio.run(run())
    assert first == third
    assert isinstance(second, RequestError)


class Broken(Ranker):
    def __init__(self) -> None:
        pass

    def rank(self, orders: Sequence[Order]) -> list[Outcome]:
        message = f"{len(orders)} orders are too many"
        raise ZeroDivisionError(message)


def test_a_fault_of_ours_ends_the_server_instead_of_leaving_it_deaf() -> None:
    async def run() -> None:
        stop, batcher = asyncio.Event(), Batcher(Broken(), BatchSettings(wait_ms=0.0))
        async with asyncio.timeout(PATIENCE), _working(batcher, stop):
            asking = asyncio.create_task(batcher.rescore(PARCEL, 1, 0.05, debias=False))
            await stop.wait()
            with pytest.raises(TimeoutError):
                await asking

    with pytest.raises(ZeroDivisionError):
        asyncio.run(run())


def test_after_a_fault_of_ours_nobody_is_served_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rested = list[float]()

    async def rest(_: RescoringApi, seconds: float) -> None:
        rested.append(seconds)

    monkeypatch.setattr(RescoringApi, "rest", rest)
    monkeypatch.setattr("earshot.rescorer.Ranker", lambda *_: Broken())
    bundle = open_rescorer(str(small_rescorer(tmp_path / "small")))
    address = f"unix:{tmp_path / 'r.sock'}"

    async def run() -> None:
        serving = asyncio.create_task(live(RescorerSettings(address, grace_ms=0), bundle))
        async with grpc.aio.insecure_channel(address) as channel:
            call = RescoringStub(channel).Rescore  # type: ignore[no-untyped-call]
            with pytest.raises(grpc.aio.AioRpcError):
                await call(request(), wait_for_ready=True, timeout=PATIENCE)
        await serving

    with pytest.raises(ZeroDivisionError):
        asyncio.run(run())
    assert rested == []
    assert not (tmp_path / "r.sock").exists()


def test_more_than_the_model_takes_at_once_goes_in_parts(
    ranker: Ranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("earshot.batching.AT_ONCE", 1)

    async def run() -> list[Outcome]:
        loop = asyncio.get_running_loop()
        until = time.monotonic() + PATIENCE
        orders = [
            Order(PARCEL, 1, debias=False, until=until, answer=loop.create_future())
            for _ in range(3)
        ]
        return ranker.rank(orders)

    found = [answer for _, answer in asyncio.run(run())]
    assert len(found) == 3
    assert not any(isinstance(answer, EarshotError) for answer in found)


def test_the_same_answer_alone_and_together(ranker: Ranker) -> None:
    async def run(count: int) -> list[Outcome]:
        loop = asyncio.get_running_loop()
        until = time.monotonic() + PATIENCE
        orders = [
            Order(PARCEL, 5, debias=False, until=until, answer=loop.create_future())
            for _ in range(count)
        ]
        return ranker.rank(orders)

    alone = asyncio.run(run(1))[0][1]
    assert all(answer == alone for _, answer in asyncio.run(run(7)))
