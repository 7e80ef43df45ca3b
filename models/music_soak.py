"""Hours of audio, as fast as they can be heard: neither memory nor open files may grow."""

import os
import tempfile
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

import numpy as np
import psutil
from earshot.units import seconds

from models.music_run import PIECE, Place, music, recogniser
from models.music_speech import EVERY
from models.music_trial import Load

EDGE = 0.05  # share of the audio at each end that is compared
WARM = 60  # slots that are not counted: ten minutes


class Watched:
    """Memory and open files of a process over time."""

    def __init__(self, process: int) -> None:
        self._process = psutil.Process(process)
        self._rss: list[float] = []
        self._files: list[int] = []

    def look(self) -> None:
        """Note how it stands."""
        self._rss.append(self._process.memory_info().rss / 1e6)
        self._files.append(self._process.num_fds())

    def figures(self, name: str) -> dict[str, float]:
        """What it had at the beginning and in the end, medians of the edges."""
        warm = min(WARM, len(self._rss) // 4)
        rss, files = np.array(self._rss[warm:]), np.array(self._files[warm:])
        edge = max(1, round(EDGE * len(rss)))
        first, last = float(np.median(rss[:edge])), float(np.median(rss[-edge:]))
        return {
            f"soak.{name}_rss_mb": round(last, 1),
            f"soak.{name}_rss_growth_percent": round(100 * (last / first - 1), 2),
            f"soak.{name}_files_growth": float(np.median(files[-edge:]) - np.median(files[:edge])),
        }


def soak(load: Load, hours: float) -> dict[str, float]:
    """Hear the commands of a track again and again, while music plays."""
    with tempfile.TemporaryDirectory(prefix="e") as folder, ExitStack() as stack:
        place = Place(Path(folder), (min(os.sched_getaffinity(0)),))
        player = Watched(stack.enter_context(music(place, load.songs, load.streams, "--null")))
        daemon = stack.enter_context(recogniser(place, load.bundle))
        hearing, slots = Watched(daemon.process.pid), round(3_600 * hours / EVERY)
        for number, slot in enumerate(cycle(load.track.audio())):
            if number >= slots:
                break
            daemon.say(slot, paced=False)
            daemon.events.clear()  # this process may grow no more than that one
            hearing.look()
            player.look()
        heard = seconds(PIECE * len(daemon.sent))
        daemon.until_heard(heard)
    return {
        "soak.hours": round(heard / 3_600, 3),
        **hearing.figures("recogniser"),
        **player.figures("player"),
    }
