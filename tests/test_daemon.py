"""The daemon as a real process, over a real socket, with a fake recogniser."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import grpc
import numpy as np
import pytest
import soundfile

from tests.fake_recogniser import loud, quiet
from tests.house import kinds
from tests.processes import PATIENCE, ROOT, Daemon, daemon, listening, rest


def test_a_signal_within_an_utterance_commits_it_and_leaves_nothing_behind() -> None:
    with daemon("--source", "-") as d, listening(d) as call:
        d.hear(loud(0.5))
        assert next(call).event.WhichOneof("event") == "speech_started"  # type: ignore[call-overload]
        code, _, err = d.end()
        assert code == 0
        assert kinds(rest(call)) == ["end_point", "committed"]
        assert call.code() is grpc.StatusCode.UNAVAILABLE
        assert "stopping" in call.details()
        assert not d.path.exists()
        assert "SIGTERM: stopping" in err


def test_what_cannot_be_finished_in_time_is_cancelled(tmp_path: Path) -> None:
    config = tmp_path / "earshot.toml"
    config.write_text("[sessions]\nfinish_seconds = 0.1\nturn_ms = 100\n", encoding="utf-8")
    with daemon("--source", "-", "--config", str(config), delay=1.0) as d, listening(d) as call:
        d.hear(loud(1.0))
        assert next(call).event.WhichOneof("event") == "speech_started"  # type: ignore[call-overload]
        code, _, _ = d.end()
        assert code == 0
        assert kinds(rest(call)) == ["cancelled"]


def test_a_second_signal_ends_the_process_at_once() -> None:
    with daemon("--source", "-", delay=60.0) as d:
        d.until(lambda _: True)
        d.hear(loud(1.0))
        d.until(lambda answer: answer.ready)
        d.process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            d.process.wait(0.5)
        d.process.send_signal(signal.SIGINT)
        assert d.process.wait(PATIENCE) == -signal.SIGINT


def test_a_recording_is_heard_printed_and_survived(tmp_path: Path) -> None:
    recording = tmp_path / "words.wav"
    soundfile.write(recording, np.concatenate([loud(0.3), quiet(0.5)]), 16_000)
    with daemon("--source", str(recording)) as d:
        answer = d.until(lambda answer: answer.source.endswith("(ended)"))
        assert answer.ready
        assert answer.counters.committed == 1
        code, out, err = d.end()
        assert code == 0
        assert "“word word word”" in out
        assert out.count("committed") == 1
        assert f"clients are still served at {d.path}" in err
        assert "Ctrl-C or SIGTERM stops the daemon" in err
        assert "word word" not in err


def test_events_are_printed_as_they_happen() -> None:
    with daemon("--source", "-") as d:
        d.until(lambda _: True)
        d.hear(loud(0.5))
        assert d.process.stdout is not None
        assert b"speech started" in d.process.stdout.readline()


def test_the_daemon_ends_when_nobody_reads_its_output_any_more() -> None:
    with daemon("--source", "-") as d:
        d.until(lambda _: True)
        assert d.process.stdout is not None
        d.process.stdout.close()
        d.process.stdout = None
        d.hear(loud(0.5))
        assert d.process.wait(PATIENCE) != 0
        assert not d.path.exists()


def test_a_stale_socket_is_replaced_and_a_live_one_is_respected() -> None:
    with tempfile.TemporaryDirectory(prefix="e") as folder:
        path = Path(folder) / "e.sock"
        with daemon("--source", "-", path=path) as killed:
            killed.until(lambda _: True)
        assert path.exists()
        with daemon("--source", "-", path=path) as first:
            first.until(lambda _: True)
            with daemon("--source", "-", path=path) as second:
                assert second.process.wait(PATIENCE) != 0
                _, err = second.process.communicate()
                assert b"another earshot" in err
            assert first.status().bundle.name == "fake"


def test_systemd_is_told_when_it_is_ready_and_when_it_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "n"))
        manager.settimeout(PATIENCE)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "n"))
        with daemon("--source", "-") as d:
            d.hear(quiet(0.2))
            assert "STATUS=raw audio, 16000 Hz" in told(manager, "READY=1")
            assert d.status().ready
            d.end()
            assert manager.recv(100) == b"STOPPING=1"
            assert manager.recv(100).startswith(b"STATUS=stopping")


def told(manager: socket.socket, last: str) -> list[str]:
    """What the service manager is told up to this."""
    found: list[str] = []
    while last not in found:
        found.append(manager.recv(100).decode())
    return found


def test_the_socket_is_made_in_the_runtime_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="e") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        command = [sys.executable, "-m", "tests.fake_daemon", "0", "--source", "-"]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, env=os.environ) as process:
            d = Daemon(process, Path(folder) / "earshot" / "earshot.sock")
            try:
                assert d.until(lambda _: True).source.startswith("raw audio")
                assert d.end()[0] == 0
            finally:
                process.kill()
