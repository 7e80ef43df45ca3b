import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterable

import numpy as np
import pytest
from earshot.condition import Condition, SourceState
from earshot.errors import AudioError, DeviceError, LimitError, RequestError
from earshot.events import (
    AudioDropped,
    Cancelled,
    Committed,
    EndPoint,
    Event,
    Partial,
    SourceChanged,
    SpeechStarted,
)
from earshot.inference import Inference
from earshot.outbox import Outbox
from earshot.session import Session
from earshot.sessions import Sessions, SessionSettings
from earshot.sources import Chunk

from tests.fake_recogniser import FakeRecogniser, Samples, loud, quiet

TURN = 1_600


async def source(items: Iterable[object]) -> AsyncIterator[Chunk | AudioDropped | SourceChanged]:
    for item in items:
        assert isinstance(item, Chunk | AudioDropped | SourceChanged)
        yield item


async def followed(*items: object) -> tuple[Sessions, list[Event]]:
    """The events that one who listens from the beginning gets of a source."""
    sessions = Sessions(FakeRecogniser, SessionSettings(), SourceState("the room"))
    with sessions.watch() as outbox:
        await sessions.follow(source(items))
        outbox.close()
        events = [event async for event in outbox]
    sessions.close()
    return sessions, events


def kinds(events: Iterable[Event]) -> list[type]:
    return [type(event) for event in events if not isinstance(event, Partial)]


def test_a_session_tells_events_in_order_and_counts_utterances() -> None:
    async def scene() -> None:
        inference, events = Inference(), list[Event]()
        session = Session(FakeRecogniser(), inference, TURN, events.append)
        await session.hear(np.concatenate([loud(0.3), quiet(0.5), loud(0.2)]))
        assert (session.utterances, session.utterance, session.position) == (2, 2, 16_000)
        await session.finish()
        assert kinds(events) == [SpeechStarted, EndPoint, Committed] * 2
        assert session.utterance is None
        await session.hear(loud(1.0))
        assert session.position == 16_000
        inference.close()

    asyncio.run(scene())


def test_an_utterance_that_cannot_be_finished_in_time_is_cancelled_once() -> None:
    class Stuck(FakeRecogniser):
        def finish(self) -> list[Event]:
            release.wait(10)
            return super().finish()

    async def scene() -> None:
        inference, events = Inference(), list[Event]()
        session = Session(Stuck(), inference, TURN, events.append)
        await session.hear(loud(0.3))
        await session.finish(0.05)
        release.set()
        await inference.run(lambda: None)
        assert kinds(events) == [SpeechStarted, Cancelled]
        inference.close()

    release = threading.Event()
    asyncio.run(scene())


def test_a_long_piece_of_audio_does_not_keep_others_waiting() -> None:
    async def scene() -> None:
        inference, order = Inference(), list[str]()

        class Named(FakeRecogniser):
            def __init__(self, name: str) -> None:
                super().__init__()
                self.name = name

            def accept(self, samples: Samples) -> list[Event]:
                order.append(self.name)
                return super().accept(samples)

        long, short = (
            Session(Named(name), inference, TURN, lambda _: None) for name in ("long", "short")
        )
        await asyncio.gather(long.hear(loud(5.0)), short.hear(loud(0.5)))
        assert order.index("long") < 2
        assert order[:10].count("short") >= 4
        inference.close()

    asyncio.run(scene())


def test_an_outbox_gives_up_partials_first_and_then_its_reader() -> None:
    async def scene() -> None:
        partial, stable = Partial(1, 1, (), 1), Committed(2, 1, 1)
        outbox = Outbox(3)
        for event in (partial, stable, partial, partial, stable):
            outbox.put(event)
        outbox.close()
        assert [event async for event in outbox] == [stable, stable]
        outbox = Outbox(3)
        for _ in range(4):
            outbox.put(stable)
        with pytest.raises(LimitError, match="4 events exceed the limit of 3 events"):
            await anext(aiter(outbox))
        assert outbox.unread

    asyncio.run(scene())


def test_an_outbox_ends_after_its_events_with_the_first_error_it_was_given() -> None:
    async def scene() -> None:
        outbox, event = Outbox(3), Committed(2, 1, 1)
        outbox.put(event)
        outbox.close(DeviceError("first"))
        outbox.close(DeviceError("second"))
        outbox.put(event)
        reader = aiter(outbox)
        assert await anext(reader) == event
        with pytest.raises(DeviceError, match="first"):
            await anext(reader)

    asyncio.run(scene())


def test_who_begins_to_listen_within_an_utterance_gets_the_next_one() -> None:
    async def scene() -> None:
        sessions = Sessions(FakeRecogniser, SessionSettings(), SourceState("the room"))
        await sessions._followed.hear(loud(0.3))
        with sessions.listen() as outbox:
            await sessions._followed.hear(np.concatenate([quiet(0.5), loud(0.2), quiet(0.5)]))
            outbox.close()
            events = [event async for event in outbox]
        assert kinds(events) == [SpeechStarted, EndPoint, Committed]
        assert {getattr(event, "utterance", None) for event in events} == {2}
        sessions.close()

    asyncio.run(scene())


def test_a_gap_is_heard_as_silence_so_that_positions_stay_right() -> None:
    items = [Chunk(0, loud(0.3)), AudioDropped(4_800, 8_000, 8_000), Chunk(12_800, loud(0.1))]
    sessions, events = asyncio.run(followed(*items))
    assert sessions.tally.dropped == 8_000
    started = [event.start for event in events if isinstance(event, SpeechStarted)]
    assert started == [0, 12_800]


def test_a_source_that_goes_away_commits_what_was_said() -> None:
    away, back = (
        SourceChanged(4_800, ready=False, description="gone"),
        SourceChanged(4_800, ready=True, description="x"),
    )
    _, events = asyncio.run(followed(Chunk(0, loud(0.3)), away, back, Chunk(4_800, loud(0.3))))
    told = [SpeechStarted, EndPoint, Committed]
    assert kinds(events) == [*told, SourceChanged, SourceChanged, *told, SourceChanged]


def test_the_end_of_a_recording_commits_and_is_no_trouble() -> None:
    sessions, events = asyncio.run(followed(Chunk(0, loud(0.3))))
    assert kinds(events) == [SpeechStarted, EndPoint, Committed, SourceChanged]
    assert sessions.source == SourceState("the room (ended)", Condition.ENDED)
    assert sessions.ready


def test_a_source_that_fails_is_told_with_its_reason_and_makes_the_daemon_unready() -> None:
    async def failing() -> AsyncIterator[Chunk]:
        yield Chunk(0, loud(0.3))
        message = "the file is damaged"
        raise AudioError(message)

    async def scene() -> Sessions:
        sessions = Sessions(FakeRecogniser, SessionSettings(), SourceState("the room"))
        await sessions.follow(failing())
        sessions.close()
        return sessions

    sessions = asyncio.run(scene())
    assert sessions.tally.committed == 1
    assert sessions.source == SourceState("the file is damaged", Condition.AWAY)
    assert not sessions.ready


def test_who_listens_while_the_source_is_away_is_told_at_once() -> None:
    async def scene() -> Event:
        sessions = Sessions(FakeRecogniser, SessionSettings(), SourceState("the room"))
        await sessions._change(SourceChanged(0, ready=False, description="gone"), Condition.AWAY)
        with sessions.listen() as outbox:
            return await anext(aiter(outbox))

    assert asyncio.run(scene()) == SourceChanged(0, ready=False, description="gone")


def test_one_line_is_logged_when_a_client_comes_and_one_when_it_goes_and_no_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scene() -> None:
        sessions = Sessions(FakeRecogniser, SessionSettings(), SourceState("the room"))
        with sessions.recognise() as (session, _):
            await session.hear(np.concatenate([loud(0.3), quiet(0.5)]))
        sessions.close()

    with caplog.at_level(logging.INFO):
        asyncio.run(scene())
    opened, closed = caplog.messages
    assert opened == "client 1 opened: sends audio"
    assert closed.startswith("client 1 closed after ")
    assert closed.endswith(": sends audio, 0.8 s of audio, 1 utterances, 0 events; done")
    assert "word" not in caplog.text


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DeviceError("the daemon is stopping"), "the daemon is stopping"),
        (RequestError("no name 'siobhan'"), "refused (INVALID_ARGUMENT)"),
        (asyncio.CancelledError(), "the client went away"),
        (ValueError("siobhan"), "ValueError"),
    ],
)
def test_why_a_client_went_is_logged_and_no_text_of_its_own(
    error: BaseException, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    sessions = Sessions(FakeRecogniser, SessionSettings(), SourceState("the room"))
    with caplog.at_level(logging.INFO), pytest.raises(type(error)), sessions.listen():
        raise error
    sessions.close()
    assert caplog.messages[-1].endswith(f"; {reason}")
    assert "siobhan" not in caplog.text
