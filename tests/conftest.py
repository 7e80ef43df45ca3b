"""What several files of tests share."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ROOT
from tests.sound_server import NoSoundServer, SoundServer, sound_server


@pytest.fixture(autouse=True)
def nothing_stays_closed() -> Iterator[None]:
    """No test closes the network to the tests behind it: a filter of the kernel stays for ever."""
    before = _filters()
    yield
    assert _filters() == before, "run what puts the sandbox on in a process of its own"


def _filters() -> list[str]:
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return [line for line in lines if line.startswith(("Seccomp", "NoNewPrivs"))]


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for sockets, whose paths have 107 bytes at most: its name is short."""
    return tmp_path_factory.mktemp("s")


@pytest.fixture(scope="module")
def server() -> Iterator[SoundServer]:
    try:
        with sound_server() as running:
            yield running
    except NoSoundServer as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Debian package, built as `make deb` does, but not compressed."""
    out = tmp_path_factory.mktemp("deb")
    command = [sys.executable, "-m", "install.deb", "--out", str(out), "--compression=-Znone"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "systemd")}
    built = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if built.returncode:
        pytest.skip(f"no package can be built here: {built.stderr.strip()}")
    return Path(built.stdout.strip())
