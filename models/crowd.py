"""What gives first when others want the processor: one JSON object on standard output.

    python -m models.crowd [--bundle en] [--hogs 0 2 8] [--seconds 60]

It starts `earshot run --source mic` in a room of its own (PulseAudio) where the recordings of
tests/audio are played without a pause, as many busy processes beside it as are said, and none again
for a while. Of each it tells to what level effort was saved (earshot.effort), for what share of the
time each level lasted, how long audio waited at most, how much was lost, and what was committed.
"""

import argparse
import json
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
from earshot.client import connected, status
from earshot.effort import EFFORTS
from earshot.generated.v1 import recognition_pb2 as pb
from earshot.generated.v1.events_pb2 import Event
from earshot.units import SAMPLE_RATE

from models.bench import headed
from models.bench_daemon import SETTLE, daemon
from models.idle import talking
from models.music_run import Place, hogs
from tests.processes import recognition, rest
from tests.sound_server import sound_server

LOOK = 0.2  # seconds from one look at the daemon to the next


@contextmanager
def listening(place: Path) -> Iterator[list[Event]]:
    """All events of the room meanwhile; they are there once it is over."""
    found: list[Event] = []

    def listen() -> None:
        request = pb.ListenRequest(filter=pb.Filter(partials=True))
        found.extend(rest(recognition(channel).Listen(request)))

    with grpc.insecure_channel(f"unix:{place}") as channel:
        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield found
        finally:
            channel.close()
            thread.join()


def watched(place: Path, seconds: float) -> dict[str, float]:
    """How the daemon fares for so long."""
    levels, queue, share, end = Counter[int](), 0, 0.0, time.monotonic() + seconds
    with connected(place) as channel, listening(place) as events:
        lost = status(channel).counters.dropped_samples
        while time.monotonic() < end:
            load = status(channel).load
            levels[load.level] += 1
            queue, share = max(queue, load.queue_ms), max(share, load.share)
            time.sleep(LOOK)
        lost = status(channel).counters.dropped_samples - lost
    kinds = Counter(event.WhichOneof("event") for event in events)
    looks = levels.total()
    return {
        "level_most": max(levels),
        **{f"level_{n}_share": round(levels[n] / looks, 3) for n in range(len(EFFORTS))},
        "queue_ms_most": queue,
        "real_time_share_most": round(share, 2),
        "lost_seconds": round(lost / SAMPLE_RATE, 2),
        "partials": kinds["partial"],
        "committed": kinds["committed"],
        "load_changes": kinds["load_changed"],
    }


def measure(options: argparse.Namespace) -> dict[str, float]:
    """All figures."""
    figures, cores = dict[str, float](), tuple(os.sched_getaffinity(0))
    with sound_server() as server, tempfile.TemporaryDirectory(prefix="e") as home:
        folder = Path(home)
        with daemon(server, options.bundle, folder) as (_, place, _), talking(server, folder):
            time.sleep(SETTLE)
            for count in options.hogs:
                for busy, name in ((count, f"hogs_{count}"), (0, f"after_{count}")):
                    with hogs(Place(folder, cores), busy):
                        found = watched(place, options.seconds)
                    figures |= {f"{name}.{key}": value for key, value in found.items()}
    return figures


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bundle", default="en", help="name or folder of the bundle")
    parser.add_argument("--hogs", type=int, nargs="+", default=[2, 8], help="busy processes")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each")
    options = parser.parse_args()
    found = {
        **headed("crowd", "the recordings of tests/audio, played into a null sink of PulseAudio"),
        "figures": measure(options),
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
