"""The daemon as a real process, over a real socket, with a fake recogniser."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
import pytest
import soundfile
from earshot.client import connected, status
from earshot.errors import DeviceError
from earshot.generated.v1 import recognition_pb2 as pb
from earshot.generated.v1.events_pb2 import Event
from earshot.generated.v1.recognition_pb2_grpc import RecognitionStub
from earshot.generated.v1.status_pb2 import GetStatusResponse

from tests.fake_recogniser import loud, quiet, s16le
from tests.house import kinds

ROOT = Path(__file__).parent.parent
PATIENCE = 30.0  # seconds until a test gives up; the machine may be busy


@dataclass
class Daemon:
    process: subprocess.Popen[bytes]
    path: Path

    def hear(self, samples: np.ndarray) -> None:
        """Speak into standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(s16le(samples))
        self.process.stdin.flush()

    def status(self) -> GetStatusResponse:
        with connected(self.path) as channel:
            return status(channel)

    def until(self, condition: Callable[[GetStatusResponse], bool]) -> GetStatusResponse:
        """Ask for the status until it is as it should be."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with suppress(DeviceError):
                if condition(answer := self.status()):
                    return answer
            time.sleep(0.02)
        message = f"the daemon never came so far; it is {self.process.poll()}"
        raise AssertionError(message)

    def end(self) -> tuple[int, str, str]:
        """Stop it politely: exit code, standard output, standard error."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)  # its input stays open meanwhile, so that it does not end first
        out, err = (
            pipe.read() if pipe else b"" for pipe in (self.process.stdout, self.process.stderr)
        )
        return self.process.returncode, out.decode(), err.decode()


@contextmanager
def daemon(*options: str, delay: float = 0.0, path: Path | None = None) -> Iterator[Daemon]:
    with tempfile.TemporaryDirectory(prefix="e") as folder:
        place = path or Path(folder) / "sub" / "e.sock"
        command = [sys.executable, "-m", "tests.fake_daemon", str(delay), "--socket", str(place)]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        with subprocess.Popen([*command, *options], cwd=ROOT, **pipes) as process:  # type: ignore[call-overload]
            try:
                yield Daemon(process, place)
            finally:
                process.kill()


@contextmanager
def listening(house: Daemon) -> Iterator[grpc.Call]:
    """A call of Listen that has begun."""
    house.until(lambda _: True)
    with grpc.insecure_channel(f"unix:{house.path}") as channel:
        stub = RecognitionStub(channel)  # type: ignore[no-untyped-call]
        call = stub.Listen(pb.ListenRequest(), timeout=PATIENCE)
        house.until(lambda answer: answer.counters.clients == 1)
        yield call


def rest(call: grpc.Call) -> list[Event]:
    """The events until a call ends, however it does."""
    events = []
    with suppress(grpc.RpcError):
        for response in call:  # type: ignore[attr-defined]
            events.append(response.event)  # noqa: PERF401 - those before the error count
    return events


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
            assert manager.recv(100) == b"READY=1"
            assert d.status().ready
            d.end()
            assert manager.recv(100) == b"STOPPING=1"


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
