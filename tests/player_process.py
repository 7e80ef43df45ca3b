"""The player as a process of its own."""

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

from earshot import reference
from earshot.errors import DeviceError
from earshot.generated.v1 import playback_pb2 as pb
from earshot.playback import client
from earshot.reference import Played, Reference

from tests.processes import PATIENCE, ROOT

Status = pb.GetPlaybackStatusResponse


@dataclass
class PlayerProcess:
    process: subprocess.Popen[str]
    place: Path

    @property
    def reference(self) -> Path:
        return self.place.with_name(reference.NAME)

    def play(self, *files: Path, **asked: object) -> pb.PlayResponse:
        names = [str(file) for file in files]
        return client.play(self.place, pb.PlayRequest(files=names, **asked))  # type: ignore[arg-type]

    def status(self) -> Status:
        return client.status_of(self.place)

    def until(self, condition: Callable[[Status], bool]) -> Status:
        """Ask for the status until it is as it should be."""
        end = time.monotonic() + PATIENCE
        answer = None
        while time.monotonic() < end and self.process.poll() is None:
            with suppress(DeviceError):
                if condition(answer := self.status()):
                    return answer
            time.sleep(0.02)
        message = f"the player never came so far: {answer}; exit code {self.process.poll()}"
        raise AssertionError(message)

    def until_it_plays(self, blocks: int = 25) -> Status:
        """Wait until it has played some more."""
        begun = self.until(lambda s: s.state == pb.PLAYBACK_STATE_PLAYING)
        enough = begun.punctuality.blocks + blocks
        return self.until(lambda s: s.punctuality.blocks >= enough)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> tuple[int, str]:
        """Stop it politely: exit code, standard error."""
        self.signal(signal.SIGTERM)
        _, told = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, told


def collected(path: Path, count: int) -> list[Played]:
    """So many blocks of the reference."""
    reader, found, end = Reference(path, 0.05), list[Played](), time.monotonic() + PATIENCE
    while len(found) < count and time.monotonic() < end:
        found += reader.take()
        time.sleep(0.005)
    reader.close()
    return found[:count]


@contextmanager
def player(
    *options: str,
    settings: str = "",
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    daemon: Path | None = None,
) -> Iterator[PlayerProcess]:
    """One that serves; `settings` are lines of [playback], `folder` is where its sockets are."""
    with tempfile.TemporaryDirectory(prefix="e") as own:
        home = folder or Path(own)
        config, place = Path(own) / "earshot.toml", home / "player.sock"
        config.write_text(f"[playback]\nretry_ms = 100\n{settings}\n")
        command = [sys.executable, "-m", "earshot", "player", *options, "--config", str(config)]
        command += ["--player", str(place), "--socket", str(daemon or home / "earshot.sock")]
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment or os.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            found = PlayerProcess(process, place)
            try:
                found.until(lambda _: True)
                yield found
            finally:
                process.kill()
