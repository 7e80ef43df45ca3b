"""Mute, inside: the device is closed and let go, and nothing of before is kept."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from earshot import compose
from earshot.bundle import open_bundle
from earshot.condition import Condition, SourceState
from earshot.config import Settings
from earshot.engine import Engine
from earshot.errors import DeviceError
from earshot.events import (
    Cancelled,
    Committed,
    EndPoint,
    Event,
    Muted,
    SourceChanged,
    SpeechStarted,
)
from earshot.feed import Feed
from earshot.inference import Inference
from earshot.lines import event_object
from earshot.microphone import Microphone
from earshot.mute import HELD, Answer, MuteSwitch
from earshot.outbox import Outbox
from earshot.recogniser import Recogniser
from earshot.session import Session
from earshot.sessions import Sessions, SessionSettings
from earshot.sources import AudioFile, Chunk, Item

from tests import contract, networks
from tests.fake_recogniser import FakeRecogniser, loud, quiet
from tests.fakes import FakeDevice
from tests.house import until
from tests.processes import PATIENCE


class Scene:
    """Sessions, a feed and a switch around a pretended microphone."""

    def __init__(self, device: FakeDevice, folder: Path) -> None:
        self.device, self.events = device, list[Event]()
        self.sessions = Sessions(FakeRecogniser, SessionSettings(), SourceState("the room"))
        self.feed = Feed(device.microphone(), 5_000, lossless=False)
        self.sign = folder / "sign"
        self.switch = MuteSwitch(self.sessions, self.feed, folder / "kept", self.sign)

    async def play(self, act: Callable[["Scene"], Any]) -> None:
        with self.sessions.watch() as outbox:
            collecting = asyncio.create_task(self._collect(outbox))
            await self.switch.start()
            following = asyncio.create_task(self.sessions.follow(self.feed))
            try:
                await act(self)
            finally:
                await self.feed.close()
                await following
                self.sessions.close()
            outbox.close()
            await collecting

    async def _collect(self, outbox: Outbox) -> None:
        async for event in outbox:
            self.events.append(event)

    def changes(self) -> list[bool]:
        return [event.ready for event in self.events if isinstance(event, SourceChanged)]


def test_the_device_is_closed_and_opened_again(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        device, sessions = scene.device, scene.sessions
        await until(lambda: sessions.source.condition is Condition.HEARING)
        assert device._open
        for opened in (1, 2):
            rounds.append(opened)
            device.speak(loud(0.3))
            await until(lambda: sessions.tally.utterances == len(rounds))
            assert await scene.switch.set(muted=True) == Answer(muted=True, lasting=True)
            assert not device._open
            assert scene.sign.exists()
            assert sessions.source.condition is Condition.OPENING
            assert sessions.ready
            device.speak(loud(0.3))  # said to a closed device
            device._waiting = device._waiting[:0]
            await asyncio.sleep(0.05)
            assert device.opened == opened
            await scene.switch.set(muted=False)
            await until(lambda: sessions.source.condition is Condition.HEARING)
            assert device.opened == opened + 1

    rounds = list[int]()
    scene = Scene(FakeDevice(), tmp_path)
    asyncio.run(scene.play(act))
    assert scene.sessions.tally.cancelled + scene.sessions.tally.committed == 2
    assert [e.muted for e in scene.events if isinstance(e, Muted)] == [True, False] * 2


def test_muted_at_the_start_the_device_is_not_opened(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await asyncio.sleep(0.1)
        assert scene.device.opened == 0
        assert scene.sign.exists()
        assert scene.sessions.source.known
        await scene.switch.set(muted=False)
        await until(lambda: scene.device.opened == 1)
        assert not scene.sign.exists()

    (tmp_path / "kept").touch()
    asyncio.run(Scene(FakeDevice(), tmp_path).play(act))


def test_a_device_that_went_meanwhile_is_told_when_it_is_wanted(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        device, sessions = scene.device, scene.sessions
        await until(lambda: sessions.source.condition is Condition.HEARING)
        await scene.switch.set(muted=True)
        device.unplug()
        await scene.switch.set(muted=False)
        await until(lambda: sessions.source.condition is Condition.AWAY)
        await scene.switch.set(muted=True)
        assert sessions.ready  # nothing is wrong with what nobody wants
        await scene.switch.set(muted=False)
        assert not sessions.ready
        await until(lambda: scene.changes() == [True, False, False])  # told again
        device.plug()
        await until(lambda: sessions.source.condition is Condition.HEARING)

    asyncio.run(Scene(FakeDevice(), tmp_path).play(act))


def test_a_device_that_does_not_let_go_is_told_and_starves_the_watchdog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stuck(FakeDevice):
        def close(self) -> None:
            go.wait(PATIENCE)
            super().close()

    async def act(scene: Scene) -> None:
        sessions = scene.sessions
        await until(lambda: sessions.source.condition is Condition.HEARING)
        answer = await scene.switch.set(muted=True)
        assert answer.notes == (HELD,)
        assert sessions.source.muted
        assert not scene.sign.exists()
        assert sessions.source.condition is Condition.HEARING  # and nothing more is heard
        go.set()
        assert await scene.switch.set(muted=True) == Answer(muted=True, lasting=True)
        assert scene.sign.exists()

    go = threading.Event()
    monkeypatch.setattr("earshot.microphone.LET_GO_SECONDS", 0.05)
    asyncio.run(Scene(Stuck(), tmp_path).play(act))


def test_a_client_that_goes_away_meanwhile_leaves_it_muted_and_a_stopped_one_refuses(
    tmp_path: Path,
) -> None:
    async def act(scene: Scene) -> None:
        asking = asyncio.create_task(scene.switch.set(muted=True))
        await asyncio.sleep(0)
        asking.cancel()
        await until((tmp_path / "kept").exists)
        assert scene.sessions.source.muted
        await scene.switch.stop()
        assert not scene.sign.exists()
        with pytest.raises(DeviceError, match="stopping"):
            await scene.switch.set(muted=True)

    asyncio.run(Scene(FakeDevice(), tmp_path).play(act))


def test_nothing_of_what_lay_in_the_feed_or_was_being_put_there_is_given_later() -> None:
    class Source:
        description, live = "script", False

        def __iter__(self) -> Iterator[Item]:
            for number in range(6):
                if number == 4:
                    go.wait(PATIENCE)
                yield Chunk(number * 1_600, loud(0.1))

        def close(self) -> None:
            go.set()

    async def scene() -> list[int]:
        feed = Feed(Source(), 200, lossless=True)
        first = await anext(feed)
        assert isinstance(first, Chunk)
        await asyncio.sleep(0.1)  # two wait, and the source waits with the next one
        assert await feed.mute()
        feed.unmute()
        await asyncio.sleep(0.1)
        go.set()
        return [item.first // 1_600 async for item in feed if isinstance(item, Chunk)]

    go = threading.Event()
    assert asyncio.run(scene()) == [4, 5]


def test_what_is_being_recognised_when_a_session_forgets_is_not_told() -> None:
    class Slow(FakeRecogniser):
        def accept(self, samples: np.ndarray) -> list[Event]:
            began.set()
            go.wait(PATIENCE)
            return super().accept(samples)

    async def scene() -> list[Event]:
        inference, events = Inference(), list[Event]()
        session = Session(Slow(), inference, 1_600, events.append)
        go.set()
        await session.hear(loud(0.2))
        go.clear()
        began.clear()
        hearing = asyncio.create_task(session.hear(np.concatenate([loud(0.2), quiet(0.5)])))
        await asyncio.to_thread(began.wait, PATIENCE)
        session.forget("muted")
        go.set()
        await hearing
        assert session.position == 3_200
        session.begin_at(160_000)
        await session.hear(np.concatenate([loud(0.1), quiet(0.5)]))
        inference.close()
        return [event for event in events if not hasattr(event, "words")]

    began, go = threading.Event(), threading.Event()
    events = asyncio.run(scene())
    assert [type(e) for e in events] == [
        SpeechStarted,
        Cancelled,
        SpeechStarted,
        EndPoint,
        Committed,
    ]
    assert events[1] == Cancelled(3_200, 1, "muted")
    again = events[2]
    assert isinstance(again, SpeechStarted)
    assert (again.utterance, again.start) == (2, 160_000)


def test_a_fresh_recogniser_knows_nothing_of_before_and_counts_on(tmp_path: Path) -> None:
    networks.phones(tmp_path)
    engine, audio = Engine.open(open_bundle(tmp_path)), contract.script(1, 3)
    plain, used = engine.recogniser(), engine.recogniser()
    alone = plain.accept(audio) + plain.finish()
    used.accept(contract.script(2, 3)[:-8_000])
    fresh = used.anew(160_007, 7)
    assert isinstance(fresh, Recogniser)
    again = fresh.accept(audio) + fresh.finish()
    assert [one.at - 160_007 for one in again] == [one.at for one in alone]
    numbers = [[getattr(one, "utterance", 0) for one in events] for events in (again, alone)]
    assert numbers[0] == [number + 7 for number in numbers[1]]
    texts = [[one.get("text") for one in map(event_object, events)] for events in (again, alone)]
    assert texts[0] == texts[1]
    scores = [
        [e.result.alternatives for e in events if isinstance(e, EndPoint)]
        for events in (again, alone)
    ]
    assert scores[0] == scores[1]


def test_muted_not_even_portaudio_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loaded(*_: object) -> None:
        message = "PortAudio was loaded"
        raise DeviceError(message)

    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setattr("earshot.microphone.PortAudio", loaded)
    monkeypatch.setattr("earshot.compose.PortAudio", loaded)
    with pytest.raises(DeviceError, match="was loaded"):
        compose.open_source(Settings(source="mic"))
    assert isinstance(compose.open_source(Settings(source="auto")), AudioFile)
    (tmp_path / "muted").touch()
    for source in ("mic", "auto"):
        microphone = compose.open_source(Settings(source=source))
        assert isinstance(microphone, Microphone)
        assert microphone.mute()
        microphone.close()
