"""The daemon as a process of its own: with the fake recogniser, or as it ships."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from earshot.client import connected, status
from earshot.errors import DeviceError
from earshot.generated.v1 import recognition_pb2 as pb
from earshot.generated.v1.events_pb2 import Event
from earshot.generated.v1.recognition_pb2_grpc import RecognitionStub
from earshot.generated.v1.status_pb2 import GetStatusResponse

from tests.fake_recogniser import s16le

ROOT = Path(__file__).parent.parent
PATIENCE = 30.0  # seconds until a test gives up; the machine may be busy


def until(condition: Callable[[], object]) -> None:
    """Wait until something of this process is as it should be."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came so far"
        time.sleep(0.005)


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
        while time.monotonic() < end and self.process.poll() is None:
            with suppress(DeviceError):
                if condition(answer := self.status()):
                    return answer
            time.sleep(0.02)
        message = f"the daemon never came so far; its exit code is {self.process.poll()}"
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
    """One with the fake recogniser, whose work takes `delay` seconds a block."""
    with process("tests.fake_daemon", str(delay), *options, path=path) as found:
        yield found


@contextmanager
def earshot(*options: str, environment: Mapping[str, str] | None = None) -> Iterator[Daemon]:
    """`earshot run` with the bundle that ships; it hears its standard input, unless told else."""
    command = ("earshot", "run", "--source", "-", *options)
    with process(*command, environment=environment) as found:
        found.until(lambda _: True)  # it serves
        yield found


@contextmanager
def process(
    module: str,
    *options: str,
    path: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Daemon]:
    with tempfile.TemporaryDirectory(prefix="e") as folder:
        place = path or Path(folder) / "sub" / "e.sock"
        command = [sys.executable, "-m", module, *options, "--socket", str(place)]
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=_apart(environment or os.environ, folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                yield Daemon(process, place)
            finally:
                process.kill()


def _apart(environment: Mapping[str, str], folder: str) -> dict[str, str]:
    """With nobody's own catalog or state."""
    return {**environment, "XDG_DATA_HOME": folder, "XDG_STATE_HOME": folder}


def channel(house: Daemon) -> grpc.Channel:
    """A channel to it."""
    return grpc.insecure_channel(f"unix:{house.path}")


def recognition(open_channel: grpc.Channel) -> Any:
    """Its service."""
    return RecognitionStub(open_channel)  # type: ignore[no-untyped-call]


def following(open_channel: grpc.Channel) -> Any:
    """A call of Listen for everything that happens."""
    request = pb.ListenRequest(filter=pb.Filter(partials=True, lattices=True))
    return recognition(open_channel).Listen(request, timeout=4 * PATIENCE)


@contextmanager
def listening(house: Daemon) -> Iterator[grpc.Call]:
    """A call of Listen that has begun."""
    house.until(lambda _: True)
    with channel(house) as open_channel:
        call = recognition(open_channel).Listen(pb.ListenRequest(), timeout=PATIENCE)
        house.until(lambda answer: answer.counters.clients == 1)
        yield call


def rest(call: grpc.Call) -> list[Event]:
    """The events until a call ends, however it does."""
    events = []
    with suppress(grpc.RpcError):
        for response in call:  # type: ignore[attr-defined]
            events.append(response.event)  # noqa: PERF401 - those before the error count
    return events
