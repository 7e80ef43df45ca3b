"""What listening costs, thread by thread: one JSON object on standard output.

    python -m models.idle [--bundle en] [--seconds 60] [--config F …]

It starts `earshot run --source mic` in a room of its own (PulseAudio) that is silent, and then in
one where the recordings of tests/audio are played without a pause, and counts the CPU time of its
threads (/proc), in percent of a core, and how often they woke up. With several settings, a daemon
for each hears the same room at the same time, so that whatever else the machine does weighs on all
of them alike.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import psutil
import soundfile

from models.bench import headed
from models.bench_daemon import SETTINGS, SETTLE, daemon, speech
from tests.sound_server import SoundServer, sound_server


@contextmanager
def talking(server: SoundServer, folder: Path) -> Iterator[None]:
    """Have somebody speak in the room, all the time."""
    path = folder / "talk.wav"
    soundfile.write(path, np.tile(speech(), 20), 16_000)
    with subprocess.Popen(["paplay", path], env=server.environment) as player:  # noqa: S603, S607
        try:
            yield
        finally:
            player.terminate()


def threads(process: int) -> dict[int, tuple[float, int]]:
    """CPU seconds of each thread, and how often it gave the processor away."""
    found = {}
    for task in Path(f"/proc/{process}/task").iterdir():
        spent = int((task / "schedstat").read_text("ascii").split()[0]) / 1e9
        told = (task / "status").read_text("ascii")
        wakes = int(told.partition("\nvoluntary_ctxt_switches:")[2].split()[0])
        found[int(task.name)] = spent, wakes
    return found


def watched(processes: dict[str, int], seconds: float, what: str) -> dict[str, float]:
    """Percent of a core and wake-ups a second of each daemon, and the dearest of its threads."""
    time.sleep(SETTLE)
    before, began = {name: threads(pid) for name, pid in processes.items()}, time.monotonic()
    time.sleep(seconds)
    after, took = {name: threads(pid) for name, pid in processes.items()}, time.monotonic() - began
    figures: dict[str, float] = {}
    for name in processes:
        both = [(before[name].get(task, (0.0, 0)), now) for task, now in after[name].items()]
        spent = sorted(((now[0] - was[0]) / took * 100 for was, now in both), reverse=True)
        figures[f"{name}.{what}_cpu_percent"] = round(sum(spent), 3)
        figures[f"{name}.{what}_wakes_a_second"] = round(
            sum(now[1] - was[1] for was, now in both) / took, 1
        )
        for place, one in enumerate(spent[:4], 1):
            figures[f"{name}.{what}_thread_{place}_cpu_percent"] = round(one, 3)
    return figures


def measure(options: argparse.Namespace) -> dict[str, float]:
    """All figures."""
    figures: dict[str, float] = {}
    with sound_server() as server, ExitStack() as stack:
        processes = {}
        for path in options.config or [None]:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="e")))
            more = path.read_text("utf-8") if path else SETTINGS
            parts = server, options.bundle, home, more
            pid, _, _ = stack.enter_context(daemon(*parts))
            processes[path.stem if path else "usual"] = pid
        figures |= watched(processes, options.seconds, "silence")
        with talking(server, home):
            figures |= watched(processes, options.seconds, "speech")
        for name, pid in processes.items():
            figures[f"{name}.rss_mb"] = round(psutil.Process(pid).memory_info().rss / 1e6, 1)
    return figures


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bundle", default="en", help="name or folder of the bundle")
    parser.add_argument("--seconds", type=float, default=60.0, help="of silence, and of speech")
    parser.add_argument("--config", type=Path, action="append", help="settings to compare")
    options = parser.parse_args()
    found = {
        **headed(
            "idle",
            "silence of a null sink of PulseAudio; the recordings of tests/audio played there",
        ),
        "figures": measure(options),
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
