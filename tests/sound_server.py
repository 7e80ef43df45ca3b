"""A sound server for tests: PulseAudio with one pretended room, apart from any other that runs.

What is played into the room is heard by the ALSA device `pulse` of processes that have
`environment`. Unplugging takes the room away.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ALSA = """
pcm.!pulse { type pulse }
ctl.!pulse { type pulse }
pcm.!default { type pulse }
ctl.!default { type pulse }
"""
ROOM = ["module-null-sink", "sink_name=room", "rate=16000", "channels=1"]
PATIENCE = 20.0  # seconds


class NoSoundServer(Exception):  # noqa: N818 - a reason to skip, not a failure
    """PulseAudio cannot start here; the message says why."""


class SoundServer:
    """A running PulseAudio."""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        (home / ".asoundrc").write_text(ALSA)
        self._socket, self._log = home / "native", home / "log"
        self.environment = {
            **os.environ,
            **environment,
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "PULSE_RUNTIME_PATH": str(home),
            "PULSE_SERVER": f"unix:{self._socket}",
            "PULSE_SINK": "room",
            "PULSE_SOURCE": "room.monitor",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run, with the room. Raises NoSoundServer."""
        if shutil.which("pulseaudio") is None or shutil.which("pactl") is None:
            message = "pulseaudio and pulseaudio-utils are not installed"
            raise NoSoundServer(message)
        self._socket.unlink(missing_ok=True)
        native = f"module-native-protocol-unix auth-anonymous=1 socket={self._socket}"
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1"]
        command += ["--use-pid-file=no", "--disable-shm=yes", "-L", native, "-L", " ".join(ROOM)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while self._control("info", check=False):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise NoSoundServer("PulseAudio does not start: " + self._log.read_text()[-500:])
            time.sleep(0.05)

    def stop(self) -> None:
        """Be gone, as when it crashed."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def unplug(self) -> None:
        """Take the room away."""
        self._control("unload-module", "module-null-sink")

    def plug(self) -> None:
        """Bring the room back."""
        self._control("load-module", *ROOM)

    def recorded(self) -> bool:
        """Whether anybody has the room open to hear it."""
        run = ["pactl", "list", "short", "source-outputs"]
        told = subprocess.run(
            run, env=self.environment, check=True, capture_output=True, timeout=PATIENCE
        )
        return bool(told.stdout.strip())

    def play(self, recording: Path) -> None:
        """Play a recording into the room, to its end."""
        subprocess.run(["paplay", recording], env=self.environment, check=True, timeout=60)

    def _control(self, *command: str, check: bool = True) -> int:
        run = ["pactl", *command]
        finished = subprocess.run(
            run, env=self.environment, check=check, capture_output=True, timeout=PATIENCE
        )
        return finished.returncode


@contextmanager
def sound_server(environment: Mapping[str, str] | None = None) -> Iterator[SoundServer]:
    """Have one for a while; `environment` is what it has besides. Raises NoSoundServer."""
    with tempfile.TemporaryDirectory(prefix="earshot-") as home:  # short, for it holds a socket
        server = SoundServer(Path(home), environment or {})
        try:
            server.start()
            yield server
        finally:
            server.stop()
