"""The mode: local-only hands nothing over; assisted has lattices ranked anew; both last."""

import json
import os
import socket
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from earshot.__main__ import main
from earshot.client import connected, set_mode
from earshot.events import Mode
from earshot.generated.v1 import privacy_pb2, status_pb2
from earshot.generated.v1.privacy_pb2_grpc import PrivacyStub
from earshot.mode import kept_mode

from tests.fake_recogniser import loud, quiet
from tests.house import kinds, spoken
from tests.processes import PATIENCE, Daemon, channel, listening, process, recognition, until
from tests.uplinks import assisted_daemon, rescorer, uplink

SAID = np.concatenate([loud(0.2), quiet(0.5)])
PLAIN = ["speech_started", "end_point", "committed"]
READY, ABSENT = status_pb2.UPLINK_STATE_READY, status_pb2.UPLINK_STATE_ABSENT


def local_daemon(folder: Path) -> Any:
    """A daemon that keeps its state in the folder."""
    environment = {**os.environ, "STATE_DIRECTORY": str(folder)}
    return process("tests.choosy_daemon", "0", "--source", "-", environment=environment)


def switch(d: Daemon, mode: Mode) -> privacy_pb2.SetModeResponse:
    with connected(d.path) as open_channel:
        return set_mode(open_channel, mode)


def utterance(call: Any) -> list[Any]:
    """The events up to the end of an utterance."""
    found = list[Any]()
    while not found or found[-1].WhichOneof("event") not in {"committed", "cancelled"}:
        found.append(next(call).event)
    return found


def test_in_local_only_nobody_connects_to_the_uplink(folder: Path) -> None:
    with local_daemon(folder) as d, socket.socket(socket.AF_UNIX) as watched:
        d.path.parent.mkdir()
        watched.bind(str(d.path.with_name("uplink.sock")))
        watched.listen()
        watched.settimeout(0.5)
        with listening(d) as call:
            d.hear(SAID)
            assert kinds(utterance(call)) == PLAIN
        answer = d.status()
        assert answer.mode == status_pb2.MODE_LOCAL_ONLY
        assert answer.assist.uplink == status_pb2.UPLINK_STATE_OFF
        assert answer.assist.asked == 0
        with pytest.raises(TimeoutError):
            watched.accept()
        switch(d, Mode.ASSISTED)
        watched.settimeout(PATIENCE)
        watched.accept()[0].close()  # so the look was at the right place


def test_the_mode_outlives_a_restart_and_is_told_and_shown(folder: Path) -> None:
    with local_daemon(folder) as d, listening(d) as call:
        sign = d.path.with_name("assisted")
        assert not sign.exists()
        answer = switch(d, Mode.ASSISTED)
        assert (answer.mode, answer.lasting) == (status_pb2.MODE_ASSISTED, True)
        assert next(call).event.mode_changed.mode == status_pb2.MODE_ASSISTED  # type: ignore[call-overload]
        assert sign.exists()
        d.process.kill()
    with local_daemon(folder) as d:
        answer = d.until(lambda now: now.mode == status_pb2.MODE_ASSISTED)
        assert answer.assist.uplink == ABSENT
        assert "no uplink answers" in answer.assist.about
        sign = d.path.with_name("assisted")
        assert sign.exists()
        switch(d, Mode.LOCAL_ONLY)
        assert not sign.exists()
        assert not (folder / "assisted").exists()
        switch(d, Mode.ASSISTED)
        assert d.end()[0] == 0
        assert not sign.exists()
    with local_daemon(folder) as d:
        d.until(lambda now: now.mode == status_pb2.MODE_ASSISTED)


def test_whatever_is_doubtful_is_local_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "assisted"
    assert kept_mode(kept) is Mode.LOCAL_ONLY
    kept.touch(0o600)
    assert kept_mode(kept) is Mode.ASSISTED
    kept.chmod(0o666)
    assert kept_mode(kept) is Mode.LOCAL_ONLY
    kept.chmod(0o600)
    kept.write_text("x", encoding="utf-8")
    assert kept_mode(kept) is Mode.LOCAL_ONLY
    kept.rename(tmp_path / "other")
    kept.symlink_to(tmp_path / "other")
    assert kept_mode(kept) is Mode.LOCAL_ONLY
    kept.unlink()
    kept.mkdir()
    assert kept_mode(kept) is Mode.LOCAL_ONLY

    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "lstat", refuse)
    assert kept_mode(kept) is Mode.LOCAL_ONLY


def test_a_mode_that_is_none_is_refused(folder: Path) -> None:
    with local_daemon(folder) as d, channel(d) as open_channel:
        d.until(lambda _: True)
        stub = PrivacyStub(open_channel)  # type: ignore[no-untyped-call]
        with pytest.raises(grpc.RpcError) as caught:
            stub.SetMode(privacy_pb2.SetModeRequest(), timeout=PATIENCE)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert d.status().mode == status_pb2.MODE_LOCAL_ONLY


def test_where_it_cannot_be_kept_it_works_for_now_and_says_so(folder: Path) -> None:
    state = folder / "file"
    state.touch()  # no folder: root may write into any that is one
    with local_daemon(state) as d:
        d.until(lambda _: True)
        answer = switch(d, Mode.ASSISTED)
        assert not answer.lasting
        assert "will not survive a restart" in answer.notes[0]
        assert d.status().mode == status_pb2.MODE_ASSISTED


def test_words_are_revised_for_who_listens_and_for_clients_with_audio_of_their_own(
    folder: Path,
) -> None:
    address = f"unix:{folder}/r"
    config = "deadline_ms = 10000\n"
    with rescorer(address), uplink(folder, address), assisted_daemon(folder, config) as d:
        d.until(lambda now: now.assist.uplink == READY)
        with listening(d) as call:
            d.hear(SAID)
            events = utterance(call)
        assert kinds(events) == ["speech_started", "end_point", "revised", "committed"]
        assert events[-2].revised.result.text == "ward ward"
        assert events[-1].committed.version == events[-2].revised.version == 2
        with channel(d) as open_channel:
            call = recognition(open_channel).Recognize(iter(spoken(SAID)), timeout=PATIENCE)
            told = [response.event for response in call]
        assert kinds(told) == ["speech_started", "end_point", "revised", "committed"]
        counts = d.status().assist
        assert (counts.asked, counts.revised, counts.late, counts.failed) == (2, 2, 0, 0)


def test_local_only_counts_at_once_also_within_an_utterance(folder: Path) -> None:
    address = f"unix:{folder}/r"
    config = "deadline_ms = 10000\n"
    with (
        rescorer(address, "slow"),
        uplink(folder, address) as u,
        assisted_daemon(folder, config) as d,
    ):
        d.until(lambda now: now.assist.uplink == READY)
        with listening(d) as call:
            d.hear(SAID)
            assert kinds([next(call).event, next(call).event]) == PLAIN[:2]  # type: ignore[call-overload]
            until(lambda: len(u.log) == 1)
            assert switch(d, Mode.LOCAL_ONLY).lasting
            events = [next(call).event for _ in range(2)]  # type: ignore[call-overload]
            assert kinds(events) == ["committed", "mode_changed"]
            assert events[0].committed.version == 1
            assert u.ended()[0] == 0
            assert [r.outcome.status for r in u.log if r.HasField("outcome")] == ["CANCELLED"]
            d.hear(SAID)
            assert kinds(utterance(call)) == PLAIN
        assert len(u.log) == 2
        assert not (folder / "assisted").exists()


def test_the_commands_say_how_it_is_and_change_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"unix:{folder}/r"
    with rescorer(address), uplink(folder, address), assisted_daemon(folder) as d:
        place = ["--socket", str(d.path)]
        d.until(lambda now: now.assist.uplink == READY)
        assert main(["privacy", *place]) == 0
        assert capsys.readouterr() == (f"assisted\nlattices go to {address}\n", "")
        assert main(["status", "--json", *place]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["mode"], found["uplink"]) == ("assisted", "ready")
        assert found["lattices_asked"] == 0
        for _ in range(2):
            assert main(["privacy", "local-only", *place]) == 0
            assert capsys.readouterr() == ("local-only\nnothing leaves the device\n", "")
        assert main(["privacy", "assisted", *place]) == 0
        out = capsys.readouterr().out
        assert out.startswith("assisted\nno lattice leaves for now: no uplink answers at")
        assert "`earshot uplink --config FILE`" in out
