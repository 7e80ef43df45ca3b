"""Whether the daemon is silent: an hour of use in local-only mode, with every packet counted.

    python -m models.packets [--seconds 3600] [--bundle en]

It starts itself again in a network of its own (models/wire.py), in which whatever is sent goes out
and is counted by a capture and by the kernel. There it runs `earshot run` as it ships, and uses it
as a house would, faster than real time: the recordings of tests/audio by standard input, with
pauses, while somebody listens; clients that bring audio and phrases of their own; names that are
added and removed; mute and unmute; status; a restart every so often. Before and after, a program
outside of the sandbox sends datagrams, which must be counted: else nothing is proven.

One JSON object on standard output; the exit code is 1 unless there were no packets.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import numpy as np
from earshot.client import connected, set_muted
from earshot.entries import Entry, Kind
from earshot.errors import DeviceError
from earshot.generated.v1 import recognition_pb2 as pb
from earshot.generated.v1.status_pb2 import MODE_LOCAL_ONLY, SANDBOX_ENFORCED, GetStatusResponse
from earshot.store import Store
from earshot.units import SAMPLE_RATE, seconds

from models.wire import Capture, NoNetworkError, apart, connect, counted, send
from tests.fake_recogniser import quiet, s16le
from tests.processes import PATIENCE, Daemon, channel, earshot, recognition, rest
from tests.recordings import Recording, recordings

PAUSE = quiet(1.2)
STAY = 900.0  # seconds of audio from a start of the daemon to the next
CALL, NAME, MUTE = 5, 7, 11  # every so many recordings, somebody does that
NAMES = ("Siobhan O'Neill", "Jean-Luc", "the greenhouse", "Nefertiti")
TRIES = 6  # times the patience of a test
ROOT = Path(__file__).parent.parent


@dataclass
class Used:
    """What was done."""

    audio_seconds: float = 0.0
    starts: int = 0
    utterances: int = 0
    events: int = 0
    calls: int = 0
    names: int = 0
    mutes: int = 0
    statuses: int = 0


def use(for_seconds: float, bundle: str, folder: Path) -> Used:
    """Use the daemon until it has heard so much audio."""
    used, spoken = Used(), cycle(recordings())
    config = folder / "earshot.toml"
    config.write_text(f'catalog = "{folder}/catalog.db"\n', encoding="utf-8")
    while used.audio_seconds < for_seconds:
        goal = min(for_seconds, used.audio_seconds + STAY)
        with (
            earshot("--quiet", "--bundle", bundle, "--config", str(config)) as d,
            listener(d, used),
        ):
            used.starts += 1
            stay(d, goal, spoken, used, folder)
            answer = until(d, lambda _: True)
            if (answer.mode, answer.sandbox) != (MODE_LOCAL_ONLY, SANDBOX_ENFORCED):
                message = "the daemon is not in local-only mode, or not kept so by the kernel"
                raise NoNetworkError(message)
            used.utterances += answer.counters.utterances
            d.end()
    return used


def stay(d: Daemon, goal: float, spoken: Iterator[Recording], used: Used, folder: Path) -> None:
    """Speak to a daemon, and do now and then what else one does."""
    number = 0
    while used.audio_seconds < goal:
        recording = next(spoken)
        speak(d, recording, used)
        if number % CALL == 0:
            call(d, recording, used)
        if number % NAME == 0:
            rename(folder, used)
        if number % MUTE == 0:
            mute(d, recording, used)
        number += 1


def speak(d: Daemon, recording: Recording, used: Used) -> None:
    """Say a recording, and wait until it was heard."""
    audio = np.concatenate([recording.samples(), PAUSE])
    before = until(d, lambda _: True).counters.heard.ToNanoseconds() / 1e9
    d.hear(audio)
    least = before + seconds(len(audio)) - 0.1  # of a block the end may be under way
    until(d, lambda answer: answer.counters.heard.ToNanoseconds() / 1e9 >= least)
    used.audio_seconds += seconds(len(audio))
    used.statuses += 1


def until(d: Daemon, condition: Callable[[GetStatusResponse], bool]) -> GetStatusResponse:
    """Wait for long: the machine may be busy, or the daemon traced."""
    for _ in range(TRIES - 1):
        with suppress(AssertionError):
            return d.until(condition)
    return d.until(condition)


def call(d: Daemon, recording: Recording, used: Used) -> None:
    """Be a client that brings its own audio, and phrases for it."""
    phrases = [pb.Phrase(text=name) for name in NAMES]
    form = pb.SAMPLE_FORMAT_S16LE
    config = pb.RecognizeConfig(format=form, sample_rate=SAMPLE_RATE, phrases=phrases)
    audio = pb.RecognizeRequest(audio=s16le(recording.samples()))
    with channel(d) as open_channel:
        requests = iter([pb.RecognizeRequest(config=config), audio])
        for _ in recognition(open_channel).Recognize(requests, timeout=TRIES * PATIENCE):
            used.events += 1
    used.calls += 1


def rename(folder: Path, used: Used) -> None:
    """Add a name to the catalog, or take it away."""
    name = NAMES[used.names % len(NAMES)]
    with Store(folder / "catalog.db") as store:
        if not store.remove(name):
            store.put([Entry.of(Kind.CONTACT, name)])
    used.names += 1


def mute(d: Daemon, recording: Recording, used: Used) -> None:
    """Speak while it is muted."""
    for muted in (True, False):
        with suppress(DeviceError), connected(d.path) as open_channel:  # it may be slow to answer
            set_muted(open_channel, muted=muted)
        until(d, lambda answer, muted=muted: answer.muted == muted)  # type: ignore[misc]
        if muted:
            d.hear(recording.samples())
    used.mutes += 1


@contextmanager
def listener(d: Daemon, used: Used) -> Iterator[None]:
    """Somebody who listens until the daemon stops."""
    with channel(d) as open_channel:
        wish = pb.Filter(partials=True, lattices=True)
        calls = recognition(open_channel).Listen(pb.ListenRequest(filter=wish))

        def listen() -> None:
            used.events += len(rest(calls))

        thread = threading.Thread(target=listen)
        thread.start()
        yield
        calls.cancel()
        thread.join()


def measure(for_seconds: float, bundle: str) -> dict[str, float]:
    """The figures, within a network of its own."""
    connect()
    with Capture() as capture, tempfile.TemporaryDirectory(prefix="e") as folder:
        capture.settle()
        first = controlled(capture)
        before, told = capture.packets, counted()
        used = use(for_seconds, bundle, Path(folder))
        capture.settle()
        packets, lost, now = capture.packets - before, capture.missed(), counted()
        second = controlled(capture)
    figures = {"packets": packets, "packets_not_captured": lost}
    figures |= {name: now[name] - told[name] for name in told}
    control = {"control_packets_before": first, "control_packets_after": second}
    done = asdict(used) | {"audio_seconds": round(used.audio_seconds, 1)}
    return {**figures, **control, **done}


def controlled(capture: Capture) -> int:
    """How many packets are counted of what an unguarded program sends. NoNetworkError if none."""
    capture.missed()
    before, sent = capture.packets, send()
    capture.settle()
    if (found := capture.packets - before) < sent:
        message = f"{sent} datagrams were sent, and {found} packets captured: nothing can be proven"
        raise NoNetworkError(message)
    return found


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=3_600.0, help="of audio (3600)")
    parser.add_argument("--bundle", default="en", help="name or folder of the bundle (en)")
    parser.add_argument("--json", action="store_true", help="as it does anyway")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    try:
        if options.inside:
            return told(options.bundle, measure(options.seconds, options.bundle))
        command = [sys.executable, "-m", "models.packets", "--inside", *sys.argv[1:]]
        return subprocess.run(apart(command), cwd=ROOT, check=False).returncode  # noqa: S603
    except NoNetworkError as error:
        print(f"models.packets: {error}", file=sys.stderr)
        return 1


def told(bundle: str, figures: dict[str, float]) -> int:
    """Print the figures; the exit code."""
    data = f"bundle {bundle}; recordings of tests/audio, again and again"
    machine = f"{platform.machine()}, Linux {platform.release()}, {os.cpu_count()} cores"
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    found = {"bench": "packets", "data": data, "machine": machine, "date": date}
    print(json.dumps({**found, "figures": figures}))
    silent = ("packets", "packets_not_captured", "device_packets", "ip_requests", "ipv6_requests")
    return int(any(figures[name] for name in silent))


if __name__ == "__main__":
    sys.exit(main())
