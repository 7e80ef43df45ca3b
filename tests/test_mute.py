"""Mute: the microphone is closed, nothing is heard or kept, and that outlives the daemon."""

import errno
import json
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from earshot.__main__ import main
from earshot.client import connected, set_muted
from earshot.errors import DeviceError
from earshot.mute import KEPT_MODE, Answer, Flag
from earshot.place import default_state

from tests.fake_recogniser import loud, quiet
from tests.house import kinds, spoken
from tests.processes import PATIENCE, Daemon, channel, listening, process, recognition, until
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
            told: list[bytes] = []
            while told.count(b"WATCHDOG=1") < 4:
                told.append(manager.recv(100))
    assert told.count(b"READY=1") == 1
    assert b"STATUS=raw audio, 16000 Hz, muted" in told


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
        assert main(["mute", "--json", *place]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found == {"muted": True, "lasting": True, "notes": []}
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
        until(server.recorded)
        assert switched(d, muted=True) == Answer(muted=True, lasting=True)
        until(lambda: not server.recorded())
        heard = d.status().counters.heard
        time.sleep(0.5)
        assert d.status().counters.heard == heard
        switched(d, muted=False)
        until(server.recorded)
        d.until(lambda answer: answer.counters.heard.ToNanoseconds() > heard.ToNanoseconds())
        switched(d, muted=True)
        d.end()
    with muting(state, *given, source="mic", **server.environment) as d:
        d.until(lambda answer: answer.ready and answer.muted)
        assert not server.recorded()
        switched(d, muted=False)
        until(server.recorded)
