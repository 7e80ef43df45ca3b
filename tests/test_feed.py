"""The hand-over from a source's thread to the loop: bounded, in order, every sample counted."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest
from earshot.errors import AudioError, SettingsError
from earshot.events import AudioDropped, SourceChanged
from earshot.feed import Feed, FeedSettings
from earshot.sources import Chunk, Item
from hypothesis import given, settings
from hypothesis import strategies as st

LENGTH = 1_600  # samples a chunk: 100 ms


def chunk(number: int) -> Chunk:
    return Chunk(number * LENGTH, np.full(LENGTH, number, np.float32))


class Script:
    """A source that gives what it is told, doing first what stands between."""

    description, live = "script", True

    def __init__(self, *steps: Item | Callable[[], object] | Exception) -> None:
        self._steps = steps
        self.done, self.closed = threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[Item]:
        for step in self._steps:
            if self.closed.is_set():
                return
            if isinstance(step, Exception):
                raise step
            if isinstance(step, Chunk | AudioDropped | SourceChanged):
                yield step
            else:
                step()
        self.done.set()

    def close(self) -> None:
        self.closed.set()


def accounted(items: list[Item]) -> int:
    """Where the audio stands after these items, none of it lost without being told."""
    at = 0
    for item in items:
        if isinstance(item, Chunk):
            assert item.first == at
            at += len(item.samples)
        elif isinstance(item, AudioDropped):
            assert item.at == at
            at += item.samples
    return at


async def late(feed: Feed, script: Script) -> list[Item]:
    """Everything a feed gives to a loop that first lets the source run to its end."""
    first = await anext(feed)
    await asyncio.to_thread(script.done.wait, 5)
    return [first, *[item async for item in feed]]


def test_everything_comes_in_order_and_then_the_end() -> None:
    change = SourceChanged(LENGTH, ready=False, description="away")
    script = Script(chunk(0), change, chunk(1))

    async def run() -> list[Item]:
        return [item async for item in Feed(script, 1_000, lossless=True)]

    items = asyncio.run(run())
    assert accounted(items) == 2 * LENGTH
    assert items[1] == change


@pytest.mark.parametrize("limit_ms", [1, 100, 350, 100_000])
def test_a_source_that_can_wait_loses_nothing(limit_ms: int) -> None:
    script = Script(*map(chunk, range(50)))

    async def run() -> list[Item]:
        items = []
        async for item in Feed(script, limit_ms, lossless=True):
            await asyncio.sleep(0)
            items.append(item)
        return items

    assert [i.first // LENGTH for i in asyncio.run(run()) if isinstance(i, Chunk)] == list(
        range(50)
    )


def test_a_source_that_can_wait_does_wait() -> None:
    script = Script(*map(chunk, range(50)))

    async def run() -> None:
        feed = Feed(script, 300, lossless=True)
        await anext(feed)
        assert not await asyncio.to_thread(script.done.wait, 0.1)
        assert len(feed._items) <= 3
        await feed.close()

    asyncio.run(run())


def test_a_live_source_loses_the_newest_in_one_gap_and_says_how_much() -> None:
    go = threading.Event()
    script = Script(chunk(0), go.wait, *map(chunk, range(1, 10)))

    async def run() -> tuple[list[Item], int]:
        feed = Feed(script, 300, lossless=False)
        first = await anext(feed)
        go.set()
        await asyncio.to_thread(script.done.wait, 5)
        return [first, *[item async for item in feed]], feed.dropped

    items, dropped = asyncio.run(run())
    assert accounted(items) == 10 * LENGTH
    assert [type(i) for i in items] == [Chunk] * 4 + [AudioDropped]
    assert items[-1] == AudioDropped(4 * LENGTH, 6 * LENGTH, 6 * LENGTH)
    assert dropped == 6 * LENGTH


def test_after_a_gap_it_goes_on_once_half_of_the_backlog_is_gone() -> None:
    full, half = threading.Event(), threading.Event()
    script = Script(*map(chunk, range(6)), full.set, half.wait, chunk(6), chunk(7))

    async def run() -> list[Item]:
        feed = Feed(script, 400, lossless=False)
        items: list[Item] = [await anext(feed)]
        await asyncio.to_thread(full.wait, 5)
        items += [await anext(feed) for _ in range(3)]
        half.set()
        return items + [item async for item in feed]

    items = asyncio.run(run())
    assert accounted(items) == 8 * LENGTH
    assert sum(isinstance(i, AudioDropped) for i in items) == 1
    assert [i.first // LENGTH for i in items if isinstance(i, Chunk)][-2:] == [6, 7]


def test_what_the_source_itself_lost_within_a_gap_is_counted_once() -> None:
    lost = AudioDropped(4 * LENGTH, LENGTH, LENGTH)
    gone = SourceChanged(6 * LENGTH, ready=False, description="away")
    script = Script(*map(chunk, range(4)), lost, chunk(5), gone)

    async def run() -> tuple[list[Item], int]:
        feed = Feed(script, 100, lossless=False)
        return await late(feed, script), feed.dropped

    items, dropped = asyncio.run(run())
    assert accounted(items) == 6 * LENGTH
    assert items[-1] == gone
    assert dropped == sum(i.samples for i in items if isinstance(i, AudioDropped))


@given(lengths=st.lists(st.integers(1, 4_000), max_size=30), limit_ms=st.integers(1, 500))
@settings(max_examples=30, deadline=None)
def test_no_sample_is_lost_without_being_counted(lengths: list[int], limit_ms: int) -> None:
    ends = np.cumsum([0, *lengths]).tolist()
    chunks = [Chunk(a, np.zeros(b - a, np.float32)) for a, b in pairwise(ends)]
    script = Script(*chunks)

    async def run() -> list[Item]:
        feed = Feed(script, limit_ms, lossless=False)
        return [item async for item in feed]

    assert accounted(asyncio.run(run())) == sum(lengths)


def test_the_total_counts_the_losses_of_source_and_feed_together() -> None:
    own = AudioDropped(0, 10, 10)
    script = Script(own, Chunk(10, np.zeros(LENGTH, np.float32)), AudioDropped(10 + LENGTH, 5, 15))

    async def run() -> list[Item]:
        return [item async for item in Feed(script, 1_000, lossless=False)]

    assert [i.total for i in asyncio.run(run()) if isinstance(i, AudioDropped)] == [10, 15]


@pytest.mark.parametrize("error", [AudioError("x.wav: is damaged"), ZeroDivisionError("a defect")])
def test_what_the_source_raises_comes_after_the_audio_before_it(error: Exception) -> None:
    items: list[Item] = []

    async def run() -> None:
        async for item in Feed(Script(chunk(0), error), 1_000, lossless=True):
            items.append(item)  # noqa: PERF401 - what comes before the error counts

    with pytest.raises(type(error), match=str(error)):
        asyncio.run(run())
    assert accounted(items) == LENGTH


def test_closing_ends_the_iteration_and_the_source() -> None:
    hold = threading.Event()
    script = Script(chunk(0), hold.wait, chunk(1))

    async def run() -> list[Item]:
        feed = Feed(script, 1_000, lossless=True)
        taking = asyncio.create_task(collect(feed))
        await asyncio.sleep(0.05)
        closing = asyncio.create_task(feed.close())
        await asyncio.sleep(0.05)
        hold.set()
        await closing
        assert not feed._thread.is_alive()
        return await taking

    async def collect(feed: Feed) -> list[Item]:
        return [item async for item in feed]

    assert accounted(asyncio.run(run())) == LENGTH
    assert script.closed.is_set()


def test_closing_lets_go_a_source_that_waits_for_room() -> None:
    async def run() -> None:
        feed = Feed(Script(*map(chunk, range(10))), 100, lossless=True)
        await anext(feed)
        await feed.close()
        assert not feed._thread.is_alive()
        with pytest.raises(StopAsyncIteration):
            await anext(feed)

    asyncio.run(run())


def test_a_source_that_does_not_let_go_is_left_behind(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("earshot.feed.LEAVE_SECONDS", 0.05)
    hold = threading.Event()

    async def run() -> None:
        feed = Feed(Script(chunk(0), hold.wait), 100, lossless=True)
        await anext(feed)
        await feed.close()

    asyncio.run(run())
    hold.set()
    assert "script does not let go" in caplog.text


def test_a_feed_that_was_never_read_closes_its_source() -> None:
    script = Script(chunk(0))
    asyncio.run(Feed(script, 100, lossless=True).close())
    assert script.closed.is_set()


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(SettingsError, match="limit_ms is 0"):
        FeedSettings(limit_ms=0)
