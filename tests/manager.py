"""A service manager for tests: starts what a unit says, as systemd would, and hears what it tells.

It gives a service its folders and its sockets, and sets what can be set without privileges: the
mask of new files, and that no privileges are gained. tests/booted.py has the real one.
"""

import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.processes import ROOT

UNITS = ROOT / "systemd"
PATIENCE = 60.0  # seconds; the machine may be busy
FOLDERS = {"RuntimeDirectory": "RUNTIME_DIRECTORY", "StateDirectory": "STATE_DIRECTORY"}


class Service:
    """A started one, and all that it has told so far."""

    def __init__(self, process: "subprocess.Popen[str]", end: socket.socket) -> None:
        self.process, self._end = process, end
        self.told: list[str] = []

    def until(self, beginning: str) -> str:
        """Hear the service until it tells something that begins so."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            self.told += self._end.recv(1_000).decode().split("\n")
            if self.told[-1].startswith(beginning):
                return self.told[-1]
        message = f"never told {beginning}; {self.told}"
        raise AssertionError(message)

    def later(self, seconds: float) -> list[str]:
        """What it tells in the next seconds."""
        deadline, found = time.monotonic() + seconds, list[str]()
        try:
            while (left := deadline - time.monotonic()) > 0:
                self._end.settimeout(left)
                found.append(self._end.recv(1_000).decode())
        except TimeoutError:
            pass
        finally:
            self._end.settimeout(PATIENCE)
        return found

    def stop(self) -> tuple[int, str]:
        """Ask it to end: its exit code, and what it logged."""
        self.process.send_signal(signal.SIGTERM)
        _, log = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, log


@contextmanager
def service(
    unit: str, environment: Mapping[str, str], settings: str, watchdog: float
) -> Iterator[Service]:
    """Start a unit with these settings; `watchdog` is in seconds."""
    text = (UNITS / unit).read_text("utf-8")
    with (
        tempfile.TemporaryDirectory(prefix="e") as place,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end,
    ):
        folder = Path(place)
        end.bind(str(folder / "n"))
        end.settimeout(PATIENCE)
        (folder / "earshot.toml").write_text(settings, encoding="utf-8")
        own = {"NOTIFY_SOCKET": str(folder / "n"), "WATCHDOG_USEC": f"{watchdog * 1e6:.0f}"}
        own |= {"CONFIGURATION_DIRECTORY": place}
        for key, name in FOLDERS.items():
            if f"\n{key}=" in text:
                (folder / key).mkdir()
                own[name] = str(folder / key)
        with subprocess.Popen(
            _command(text, folder),
            env={**environment, **own},
            umask=int(_said(text, "UMask"), 8),
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield Service(process, end)
            finally:
                process.kill()


def _command(text: str, folder: Path) -> list[str]:
    """What the unit starts, from this environment, and without privileges to be gained."""
    program, *arguments = shlex.split(_said(text, "ExecStart"))
    assert program == "/opt/earshot/bin/earshot"
    arguments = [one.replace("/etc/earshot", str(folder)) for one in arguments]
    privileged = ["setpriv", "--no-new-privs"] if "NoNewPrivileges=yes" in text else []
    return [*privileged, str(Path(sys.executable).parent / "earshot"), *arguments]


def _said(text: str, key: str) -> str:
    found = re.search(rf"^{key}=(.+)$", text, re.MULTILINE)
    assert found is not None
    return found[1]
