"""The units under a service manager that a test plays, with a real microphone and what ships.

Where a machine can be booted, tests/test_installed.py does this with systemd itself.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from tests.manager import service
from tests.sound_server import SoundServer

pytestmark = pytest.mark.microphone

# A sound server that stands still is not to count as a microphone that is gone.
PATIENT = "[microphone]\nstall_ms = 600000\nretry_ms = 200\n"


@contextmanager
def frozen(server: SoundServer) -> Iterator[None]:
    """The sound server stands still."""
    home = server.environment["HOME"]
    (number,) = [
        process.pid
        for process in psutil.process_iter(["name"])
        if process.info["name"] == "pulseaudio" and process.environ().get("HOME") == home
    ]
    os.kill(number, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(number, signal.SIGCONT)


def test_a_unit_is_ready_when_it_hears_and_is_watched_by_the_audio(server: SoundServer) -> None:
    with service("user/earshot.service", server.environment, PATIENT, watchdog=1.0) as started:
        assert started.until("READY=1") == "READY=1"
        before = started.told
        assert before[0].startswith("EXTEND_TIMEOUT_USEC=")
        assert before[1].startswith("STATUS=loading the bundle")
        assert any(text.startswith("STATUS=microphone ") for text in before)
        started.until("WATCHDOG=1")
        started.until("WATCHDOG=1")
        with frozen(server):
            started.later(1.0)  # what was still on its way
            assert "WATCHDOG=1" not in started.later(2.0)  # now systemd would restart it
        code, log = started.stop()
        assert code == 0
        assert started.until("STOPPING=1") == "STOPPING=1"
        assert "stopped: " in log


def test_it_is_not_ready_while_there_is_no_microphone_and_asks_for_time(
    server: SoundServer,
) -> None:
    server.unplug()
    with service("earshot.service", server.environment, PATIENT, watchdog=60.0) as started:
        waiting = started.until("STATUS=the microphone cannot be opened")
        assert waiting.endswith("waiting for it")
        assert "READY=1" not in started.told
        assert any(text.startswith("EXTEND_TIMEOUT_USEC=") for text in started.told)
        server.plug()
        started.until("READY=1")
        started.stop()
