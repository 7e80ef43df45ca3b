"""What breaks while music plays and the microphone is heard, and whether both come back.

The sound server is killed and started again, the sound card is taken out and put in, the player and
the daemon are stopped and go on. Nobody steps the clock here, for it is everybody's; all that keeps
time uses CLOCK_MONOTONIC, which is not stepped.
"""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from earshot.client import connected, status
from earshot.errors import DeviceError
from earshot.playback.client import status_of

from models.music_run import PATIENCE, Place, answered, heard_seconds, music
from models.music_trial import Load
from tests.sound_server import NoSoundServer, SoundServer, sound_server

AWAY = 2.0  # seconds that a fault lasts
AGAIN_BLOCKS, AGAIN_SECONDS = 50, 1.0  # that are played and heard again, once all is well
CONFIG = '[microphone]\ndevice = "pulse"\n[playback]\ndevice = "pulse"\n'

Act = Callable[[], None]


def faults(load: Load) -> dict[str, float]:
    """Break everything in turn. Raises SystemExit where there is no sound server."""
    try:
        with sound_server() as server, tempfile.TemporaryDirectory(prefix="e") as folder:
            return _broken(server, Path(folder), load)
    except NoSoundServer as reason:
        message = f"faults take a sound server: {reason}"
        raise SystemExit(message) from reason


def _broken(server: SoundServer, folder: Path, load: Load) -> dict[str, float]:
    place = Place(folder, tuple(os.sched_getaffinity(0)), environment=server.environment)
    config = folder / "earshot.toml"
    config.write_text(CONFIG, encoding="utf8")
    options = ("--config", str(config))
    run = ("run", "--source", "mic", "--quiet", "--bundle", load.bundle, *options)
    with ExitStack() as stack:
        player = stack.enter_context(music(place, load.songs, load.streams, *options))
        daemon = stack.enter_context(place.earshot(*run))
        answered(daemon, lambda: heard_seconds(place.daemon), place.log("run"))
        figures = {"faults": 0.0, "faults_recovered": 0.0}
        _again(place, daemon)
        for name, (begin, end) in _faults(server, player, daemon.pid).items():
            figures |= _fault(name, begin, end, place, daemon)
            figures["faults"] += 1
            figures["faults_recovered"] += figures[f"{name}.recovered"]
    return figures


def _faults(server: SoundServer, player: int, daemon: int) -> dict[str, tuple[Act, Act]]:
    """How each fault begins, and how it ends."""

    def told(process: int, number: signal.Signals) -> Act:
        return lambda: os.kill(process, number)

    return {
        "server_killed": (server.stop, server.start),
        "device_unplugged": (server.unplug, server.plug),
        "player_stopped": (told(player, signal.SIGSTOP), told(player, signal.SIGCONT)),
        "recogniser_stopped": (told(daemon, signal.SIGSTOP), told(daemon, signal.SIGCONT)),
    }


def _fault(
    name: str, begin: Act, end: Act, place: Place, daemon: subprocess.Popen[bytes]
) -> dict[str, float]:
    """Break one thing for a while; seconds until all was well again, and what was lost."""
    missed, lost = _losses(place)
    begin()
    time.sleep(AWAY)
    end()
    took = _again(place, daemon)
    missed_now, lost_now = _losses(place) if took is not None else (missed, lost)
    return {
        f"{name}.recovered": float(took is not None),
        f"{name}.seconds": round(took or PATIENCE, 2),
        f"{name}.music_missed_ms": round(missed_now - missed, 1),
        f"{name}.audio_lost_ms": round(lost_now - lost, 1),
    }


def _losses(place: Place) -> tuple[float, float]:
    """Milliseconds that music missed, and that the recogniser was not given."""
    with connected(place.daemon) as channel:
        lost = status(channel).counters.dropped_samples / 16
    return status_of(place.player).punctuality.missed.ToNanoseconds() / 1e6, lost


def _again(place: Place, daemon: subprocess.Popen[bytes]) -> float | None:
    """Seconds until music plays and the microphone is heard; None if that never comes."""
    began = time.monotonic()
    blocks = heard = None
    while time.monotonic() - began < PATIENCE and daemon.poll() is None:
        time.sleep(0.1)
        try:
            played = status_of(place.player).punctuality.blocks
            listened = heard_seconds(place.daemon)
        except DeviceError:
            continue
        blocks, heard = blocks or played, heard or listened
        if played >= blocks + AGAIN_BLOCKS and listened >= heard + AGAIN_SECONDS:
            return time.monotonic() - began
    return None
