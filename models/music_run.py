"""The processes of a measurement with music: the daemon, the player, busy ones; on some cores."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from earshot.client import connected, listen, status
from earshot.errors import DeviceError
from earshot.events import Event
from earshot.generated.v1 import playback_pb2
from earshot.playback.client import play, status_of
from earshot.units import samples, seconds

from models.music_speech import Pcm

PATIENCE = 120.0  # seconds for a process to answer; the machine may be busy
PIECE = samples(80)  # as much as the microphone hands on at a time
BUSY = "while True: pass"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Place:
    """Where processes run and meet."""

    folder: Path
    cores: tuple[int, ...]
    module: str = "earshot"
    """what runs as earshot: models.usual, say, is one with usual defaults"""
    environment: Mapping[str, str] | None = None

    @property
    def daemon(self) -> Path:
        """Socket of the daemon."""
        return self.folder / "earshot.sock"

    @property
    def player(self) -> Path:
        """Socket of the player."""
        return self.folder / "player.sock"

    def log(self, command: str) -> Path:
        """What a command says."""
        return self.folder / f"{command}.log"

    @contextmanager
    def started(self, command: Sequence[str], **given: int) -> Iterator[subprocess.Popen[bytes]]:
        """Run a process on the cores, kill it in the end."""
        before = os.sched_getaffinity(0)
        environment = dict(self.environment or os.environ)
        for name in THREADS:  # what earshot does is measured, not what the caller set
            environment.pop(name, None)
        try:
            os.sched_setaffinity(0, self.cores)  # children have it from their first thread on
            process = subprocess.Popen(command, env=environment, **given)  # type: ignore[call-overload]  # noqa: S603 - ours
        finally:
            os.sched_setaffinity(0, before)
        with process:
            try:
                yield process
            finally:
                process.send_signal(signal.SIGCONT)
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(10.0)
                process.kill()

    @contextmanager
    def earshot(self, *arguments: str, **given: int) -> Iterator[subprocess.Popen[bytes]]:
        """Run a command of earshot."""
        options = ["--socket", str(self.daemon)]
        log = self.log(arguments[0]).open("ab")
        with (
            log,
            self.started(
                [sys.executable, "-m", self.module, *arguments, *options],
                stderr=log.fileno(),
                **given,
            ) as process,
        ):
            yield process


@contextmanager
def hogs(place: Place, count: int) -> Iterator[None]:
    """Keep so many processes busy."""
    if not count:
        yield
        return
    with place.started([sys.executable, "-c", BUSY]), hogs(place, count - 1):
        yield


@contextmanager
def music(place: Place, songs: Sequence[Path], streams: int, *options: str) -> Iterator[int]:
    """Have a player play for a while; its process id."""
    with place.earshot("player", "--player", str(place.player), *options) as process:
        answered(process, lambda: status_of(place.player), place.log("player"))
        names = [str(song) for song in songs]
        request = playback_pb2.PlayRequest(files=names, loop=True, streams=streams, gain_db=-6.0)
        play(place.player, request)
        yield process.pid


def answered(process: subprocess.Popen[bytes], ask: Callable[[], object], log: Path) -> None:
    """Wait until `ask()` raises no DeviceError. Raises SystemExit, with the log, if it does."""
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        with suppress(DeviceError):
            ask()
            return
        time.sleep(0.1)
    said = log.read_text(encoding="utf8", errors="replace")[-2_000:]
    message = f"a process does not answer; its exit code is {process.poll()}; it said: {said}"
    raise SystemExit(message)


def heard_seconds(socket: Path) -> float:
    """How much audio the daemon has recognised."""
    with connected(socket) as channel:
        return status(channel).counters.heard.ToNanoseconds() / 1e9


class Recogniser:
    """A daemon that hears its standard input, and whoever listens to it."""

    def __init__(self, process: subprocess.Popen[bytes], place: Place) -> None:
        self.process, self.place = process, place
        self.events = list[tuple[float, Event]]()
        """what happened, each with when it came (time.monotonic)"""
        self.sent = list[float]()
        """when each piece had been written"""
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        with suppress(DeviceError), connected(self.place.daemon) as channel:
            for event in listen(channel):
                self.events.append((time.monotonic(), event))

    def say(self, audio: Pcm, *, paced: bool = True) -> None:
        """Speak; paced, as fast as time goes."""
        assert self.process.stdin is not None  # noqa: S101 - it was started with a pipe
        began = time.monotonic()
        for number, at in enumerate(range(0, len(audio), PIECE)):
            if paced:
                spoken = began + seconds((number + 1) * PIECE)
                time.sleep(max(0.0, spoken - time.monotonic()))
            self.process.stdin.write(audio[at : at + PIECE].astype("<i2").tobytes())
            self.process.stdin.flush()
            self.sent.append(time.monotonic())

    def until_heard(self, wanted: float) -> None:
        """Wait until so many seconds are recognised. Raises SystemExit if it never is."""
        end = time.monotonic() + PATIENCE
        while (got := heard_seconds(self.place.daemon)) < wanted - 0.3:
            if time.monotonic() > end or self.process.poll() is not None:
                message = f"the daemon has heard {got:.1f} s of {wanted:.1f} and stands still"
                raise SystemExit(message)
            time.sleep(0.1)


@contextmanager
def recogniser(place: Place, bundle: str) -> Iterator[Recogniser]:
    """Have a daemon for a while."""
    command = ("run", "--source", "-", "--quiet", "--bundle", bundle)
    with place.earshot(*command, stdin=subprocess.PIPE) as process:
        answered(process, lambda: heard_seconds(place.daemon), place.log("run"))
        yield Recogniser(process, place)


def cpu_seconds(process: int) -> float:
    """CPU seconds of a process so far."""
    times = psutil.Process(process).cpu_times()
    return float(times.user + times.system)
