"""Mute: the microphone is closed, nothing is heard or kept, and that outlives the daemon."""

import asyncio
import errno
import json
import os
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from earshot import compose
from earshot.__main__ import main
from earshot.bundle import open_bundle
from earshot.client import connected, set_muted
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
from earshot.mute import HELD, KEPT_MODE, Answer, Flag, MuteSwitch
from earshot.outbox import Outbox
from earshot.place import default_state
from earshot.recogniser import Recogniser
from earshot.session import Session
from earshot.sessions import Condition, Sessions, SessionSettings
from earshot.sources import AudioFile, Chunk, Item

from tests import contract, networks
from tests.fake_recogniser import FakeRecogniser, loud, quiet
from tests.fakes import FakeDevice
from tests.house import kinds, spoken, until
from tests.processes import PATIENCE, Daemon, channel, listening, process, recognition
from tests.sound_server import SoundServer

UTTERANCE = ["speech_started", "end_point", "committed"]


@contextmanager
def muting(state: Path, *options: str, source: str = "-", **more: str) -> Iterator[Daemon]:
    """A daemon that keeps its state there."""
    environment = {**os.environ, "STATE_DIRECTORY": str(state), **more}
    command = ("tests.fake_daemon", "0", "--source", source, *options)
    with process(*command, environment=environment) as d:
        d.until(lambda _: True)
        yield d


def switched(d: Daemon, *, muted: bool) -> Answer:
    with connected(d.path) as open_channel:
        answer = set_muted(open_channel, muted=muted)
    return Answer(answer.muted, answer.lasting, tuple(answer.notes))


def eventually(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.02)


def test_muting_cancels_what_is_said_and_what_is_said_meanwhile_is_never_heard(
    tmp_path: Path,
) -> None:
    with muting(tmp_path) as d, listening(d) as call:
        d.hear(loud(0.5))
        assert next(call).event.WhichOneof("event") == "speech_started"  # type: ignore[call-overload]
        assert switched(d, muted=True) == Answer(muted=True, lasting=True)
        heard = d.status().counters.heard
        d.hear(np.concatenate([loud(0.7), quiet(0.5)]))
        time.sleep(0.5)
        assert d.status().counters.heard == heard
        assert switched(d, muted=False) == Answer(muted=False, lasting=True)
        d.hear(np.concatenate([loud(0.2), quiet(0.5)]))
        answer = d.until(lambda answer: answer.counters.committed == 1)
        assert answer.counters.heard.ToNanoseconds() <= 1.2e9  # what was muted is no silence either
        d.end()
        events = [event.event for event in iterate(call)]
    assert kinds(events) == ["cancelled", "muted", "muted", *UTTERANCE]
    assert events[0].cancelled.reason == "muted"
    assert [event.muted.muted for event in events[1:3]] == [True, False]
    assert events[-2].end_point.result.text == "word word"
    assert events[-2].end_point.utterance == 2
    assert events[3].speech_started.start.sample >= 1.2 * 16_000  # its place in the source


def iterate(call: Any) -> Iterator[Any]:
    try:
        yield from call
    except grpc.RpcError as error:
        assert error.code() is grpc.StatusCode.UNAVAILABLE  # noqa: PT017 - it is stopped


def test_it_outlives_a_restart_and_who_listens_is_told_at_once(tmp_path: Path) -> None:
    with muting(tmp_path) as d:
        switched(d, muted=True)
        assert d.end()[0] == 0
    kept = tmp_path / "muted"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    with muting(tmp_path) as d:
        d.until(lambda answer: answer.muted and answer.ready)
        with listening(d) as call:
            assert next(call).event.muted.muted  # type: ignore[call-overload]
        d.hear(loud(0.5))
        time.sleep(0.3)
        assert d.status().counters.heard.ToNanoseconds() == 0
        switched(d, muted=False)
        assert not kept.exists()
        _, _, err = d.end()
        assert "ready: raw audio, 16000 Hz, muted" in err
    with muting(tmp_path) as d:
        d.hear(loud(0.5))
        d.until(lambda answer: answer.counters.utterances == 1 and not answer.muted)


def test_killed_it_is_muted_again(tmp_path: Path) -> None:
    with muting(tmp_path) as d:
        switched(d, muted=True)
        d.process.kill()
    with muting(tmp_path) as d:
        d.until(lambda answer: answer.muted)


def test_a_file_beside_the_socket_stands_exactly_while_it_is_muted(tmp_path: Path) -> None:
    with muting(tmp_path) as d, listening(d) as call:
        sign = d.path.with_name("muted")
        for muted in (True, True, False, False, True):
            assert switched(d, muted=muted) == Answer(muted=muted, lasting=True)
            assert sign.exists() == muted == d.status().muted
        d.end()
        assert not sign.exists()
        told = [response.event.muted.muted for response in iterate(call)]
        assert told == [True, False, True]  # only what changed


def test_a_stale_file_is_taken_away_and_another_ones_is_left(tmp_path: Path) -> None:
    sign = tmp_path / "muted"
    sign.touch()
    flag = Flag(sign, 0o644)
    flag.set(up=False)
    assert not flag.up
    sign.write_text("mine", encoding="utf-8")
    with pytest.raises(DeviceError, match="something else in its place"):
        flag.set(up=False)
    assert sign.read_text("utf-8") == "mine"


def test_what_cannot_be_known_counts_as_muted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    assert not Flag(tmp_path / "absent" / "muted", KEPT_MODE).up
    monkeypatch.setattr(Path, "lstat", refuse)
    assert Flag(tmp_path / "muted", KEPT_MODE).up


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EACCES])
def test_a_disk_that_takes_nothing_is_named(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    flag = Flag(tmp_path / "muted", KEPT_MODE)
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(DeviceError, match=f"{flag.path}: {os.strerror(number).lower()}"):
            flag.set(up=True)
    assert not flag.up


def test_where_it_cannot_be_kept_it_works_for_now_and_says_so(tmp_path: Path) -> None:
    state = tmp_path / "file"
    state.touch()  # no folder: root may write into any that is one
    with muting(state) as d:
        answer = switched(d, muted=True)
        assert (answer.muted, answer.lasting) == (True, False)
        assert "will not survive a restart" in answer.notes[0]
        d.hear(loud(0.5))
        time.sleep(0.2)
        assert d.status().muted
        assert d.status().counters.utterances == 0
        assert not switched(d, muted=False).muted
        d.hear(loud(0.5))
        d.until(lambda answer: answer.counters.utterances == 1)


def test_audio_that_a_client_brings_is_served_all_the_same(tmp_path: Path) -> None:
    with muting(tmp_path) as d:
        switched(d, muted=True)
        with channel(d) as open_channel:
            call = recognition(open_channel).Recognize(iter(spoken(loud(0.3))), timeout=PATIENCE)
            assert kinds(response.event for response in call) == UTTERANCE


def test_systemd_has_its_ready_and_its_watchdog_while_muted(tmp_path: Path) -> None:
    (tmp_path / "muted").touch()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "n"))
        manager.settimeout(PATIENCE)
        asked = {"NOTIFY_SOCKET": str(tmp_path / "n"), "WATCHDOG_USEC": "200000"}
        with muting(tmp_path, **asked):
            told = [manager.recv(100) for _ in range(5)]
    assert told.count(b"READY=1") == 1
    assert told.count(b"WATCHDOG=1") == 4


def test_the_commands_switch_and_the_status_tells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with muting(tmp_path) as d:
        place = ["--socket", str(d.path)]
        for command, muted in (("mute", True), ("mute", True), ("unmute", False)):
            assert main([command, *place]) == 0
            assert capsys.readouterr() == (f"{command}d\n", "")
            assert main(["status", "--json", *place]) == 0
            found = json.loads(capsys.readouterr().out)
            assert (found["muted"], found["ready"]) == (muted, muted)
        main(["mute", *place])
        main(["doctor", *place])
        out = capsys.readouterr().out
        assert "note     microphone: muted, and so closed" in out
        assert "`earshot unmute`" in out
        (tmp_path / "muted").unlink()
        (tmp_path / "muted").write_text("mine", encoding="utf-8")
        assert main(["unmute", *place]) == 0
        out, err = capsys.readouterr()
        assert out == "unmuted\n"
        assert err.startswith("earshot: this will not survive a restart (")


@pytest.mark.parametrize("command", ["mute", "unmute"])
def test_without_a_daemon_the_commands_say_so(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "e.sock"
    assert main([command, "--socket", str(path)]) == 1
    caught = capsys.readouterr()
    assert caught.out == ""
    assert caught.err == f"earshot: no daemon answers at {path}; start one with `earshot run`\n"


class Scene:
    """Sessions, a feed and a switch around a pretended microphone."""

    def __init__(self, device: FakeDevice, folder: Path) -> None:
        self.device, self.events = device, list[Event]()
        self.sessions = Sessions(FakeRecogniser, SessionSettings(), "the room")
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


def test_the_state_is_that_of_the_service_or_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/earshot:/var/lib/other")
    assert default_state() == Path("/var/lib/earshot")
    monkeypatch.delenv("STATE_DIRECTORY")
    monkeypatch.setenv("XDG_STATE_HOME", "/home/one/state")
    assert default_state() == Path("/home/one/state/earshot")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/one")
    assert default_state() == Path("/home/one/.local/state/earshot")


@pytest.mark.microphone
def test_the_sound_server_sees_the_microphone_closed_and_opened_again(
    server: SoundServer, tmp_path: Path
) -> None:
    config = tmp_path / "earshot.toml"
    config.write_text('[microphone]\ndevice = "pulse"\nretry_ms = 200\n', encoding="utf-8")
    state = tmp_path / "state"
    given = ("--config", str(config))
    with muting(state, *given, source="mic", **server.environment) as d:
        d.until(lambda answer: answer.ready)
        eventually(server.recorded)
        assert switched(d, muted=True) == Answer(muted=True, lasting=True)
        eventually(lambda: not server.recorded())
        heard = d.status().counters.heard
        time.sleep(0.5)
        assert d.status().counters.heard == heard
        switched(d, muted=False)
        eventually(server.recorded)
        d.until(lambda answer: answer.counters.heard.ToNanoseconds() > heard.ToNanoseconds())
        switched(d, muted=True)
        d.end()
    with muting(state, *given, source="mic", **server.environment) as d:
        d.until(lambda answer: answer.ready and answer.muted)
        assert not server.recorded()
        switched(d, muted=False)
        eventually(server.recorded)
