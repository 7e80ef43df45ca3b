"""What breaks while music plays and the microphone is heard, and whether both come back.

The sound server is killed and started again, the sound card is taken out and put in, the player and
the daemon are stopped and go on. At last the wall clock is stepped an hour ahead and two hours back
and stays so: not that of the machine, which is everybody's, but the one that a sound server, a
player and a daemon of their own see (stepped_clock.py). Without libfaketime that is left out.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from earshot.client import connected, status
from earshot.errors import DeviceError
from earshot.playback.client import status_of

from models.music_run import PATIENCE, Place, answered, heard_seconds, music
from models.music_trial import Load
from models.stepped_clock import NoSteppedClock, SteppedClock, stepped_clock
from tests.sound_server import NoSoundServer, SoundServer, sound_server

AWAY = 2.0  # seconds that a fault lasts
AGAIN_BLOCKS, AGAIN_SECONDS = 50, 1.0  # that are played and heard again, once all is well
HOUR = 3_600.0  # seconds
CONFIG = '[microphone]\ndevice = "pulse"\n[playback]\ndevice = "pulse"\n'

Act = Callable[[], None]
Faults = dict[str, tuple[Act, Act]]
"""how each begins, and how it ends"""


def faults(load: Load) -> dict[str, float]:
    """Break everything in turn. Raises SystemExit where there is no sound server."""
    try:
        with sound_server() as server:
            figures = _broken("earshot", server, load, partial(_breakages, server))
        figures |= _stepped(load)
    except NoSoundServer as reason:
        message = f"faults take a sound server: {reason}"
        raise SystemExit(message) from reason
    recovered = [value for key, value in figures.items() if key.endswith(".recovered")]
    return {"faults": float(len(recovered)), "faults_recovered": sum(recovered), **figures}


def _stepped(load: Load) -> dict[str, float]:
    """Step the clock of other processes; nothing where that cannot be done."""
    try:
        with stepped_clock() as clock, sound_server(clock.environment) as server:
            return _broken("models.stepped", server, load, lambda *_: _steps(clock))
    except NoSteppedClock as reason:
        print(f"the clock is not stepped: {reason}", file=sys.stderr)
        return {}


def _broken(
    module: str, server: SoundServer, load: Load, faults_of: Callable[[int, int], Faults]
) -> dict[str, float]:
    """Have a player and a daemon meet with faults; `faults_of` is given their process ids."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="e")))
        place = Place(folder, tuple(os.sched_getaffinity(0)), module, server.environment)
        config = folder / "earshot.toml"
        config.write_text(CONFIG, encoding="utf8")
        options = ("--config", str(config))
        run = ("run", "--source", "mic", "--quiet", "--bundle", load.bundle, *options)
        player = stack.enter_context(music(place, load.songs, load.streams, *options))
        daemon = stack.enter_context(place.earshot(*run))
        answered(daemon, lambda: heard_seconds(place.daemon), place.log("run"))
        _again(place, daemon)
        figures = dict[str, float]()
        for name, (begin, end) in faults_of(player, daemon.pid).items():
            figures |= _fault(name, begin, end, place, daemon)
    return figures


def _breakages(server: SoundServer, player: int, daemon: int) -> Faults:
    """What is away for a while."""

    def told(process: int, number: signal.Signals) -> Act:
        return lambda: os.kill(process, number)

    return {
        "server_killed": (server.stop, server.start),
        "device_unplugged": (server.unplug, server.plug),
        "player_stopped": (told(player, signal.SIGSTOP), told(player, signal.SIGCONT)),
        "recogniser_stopped": (told(daemon, signal.SIGSTOP), told(daemon, signal.SIGCONT)),
    }


def _steps(clock: SteppedClock) -> Faults:
    """Steps of the clock, which do not end: what is looked at then is whether they were taken."""
    return {
        "clock_ahead": (partial(clock.step, HOUR), clock.check),
        "clock_back": (partial(clock.step, -HOUR), clock.check),
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
