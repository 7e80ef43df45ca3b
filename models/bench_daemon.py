"""What the running daemon costs, and how fast it answers: one JSON object on standard output.

    python -m models.bench_daemon [--bundle en] [--seconds 30] [--starts 3]

It starts `earshot run --source mic` on a silent room of a sound server of its own (PulseAudio),
waits for READY as systemd does, and counts the CPU seconds of the process while nobody speaks,
which other programs hardly disturb. Then a client of Recognize speaks the recordings of tests/audio
in real time; the delay of a partial counts from when the audio it was made from had been sent. The
seconds until READY are those of a busy machine, if it is one; the CPU seconds beside them are not.
"""

import argparse
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import grpc
import numpy as np
import psutil
from earshot.client import connected, status
from earshot.generated.v1 import recognition_pb2 as pb
from earshot.generated.v1.events_pb2 import Event
from earshot.generated.v1.recognition_pb2_grpc import RecognitionStub
from earshot.units import SAMPLE_RATE, samples, seconds

from models.music_run import cpu_seconds
from tests.recordings import recordings
from tests.sound_server import SoundServer, sound_server

PATIENCE = 60.0  # seconds for the daemon to become ready
PIECE = samples(20)  # samples a message of the client
SETTLE = 3.0  # seconds after READY that are not counted as idle
SETTINGS = '[microphone]\ndevice = "pulse"\n'
PAUSE = np.zeros(samples(1_200), np.float32)


@contextmanager
def daemon(
    server: SoundServer, bundle: str, folder: Path, settings: str = SETTINGS
) -> Iterator[tuple[int, Path, float]]:
    """A daemon that hears the room: its process id, its socket, and seconds until it was ready."""
    config = folder / "earshot.toml"
    config.write_text(settings, encoding="utf-8")
    place, told = folder / "e.sock", folder / "notify"
    told.unlink(missing_ok=True)
    command = [sys.executable, "-m", "earshot", "run", "--source", "mic", "--quiet"]
    command += ["--bundle", bundle, "--config", str(config), "--socket", str(place)]
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
        (folder / "log").open("w") as log,
    ):
        manager.bind(str(told))
        manager.settimeout(PATIENCE)
        environment = {**server.environment, "NOTIFY_SOCKET": str(told), "OMP_NUM_THREADS": "1"}
        began = time.monotonic()
        with subprocess.Popen(command, env=environment, stderr=log) as process:  # noqa: S603 - ours
            try:
                while b"READY=1" not in manager.recv(1_000):
                    pass  # how it stands until then
                yield process.pid, place, time.monotonic() - began
            finally:
                process.terminate()


def idle(process: int, for_seconds: float) -> dict[str, float]:
    """CPU time and memory of a process while nobody speaks."""
    time.sleep(SETTLE)
    before, began = cpu_seconds(process), time.monotonic()
    time.sleep(for_seconds)
    used, took = cpu_seconds(process) - before, time.monotonic() - began
    memory = psutil.Process(process).memory_info().rss
    return {
        "idle_cpu_percent": round(100 * used / took, 2),
        "idle_rss_mb": round(memory / 1e6, 1),
    }


def speech() -> np.ndarray:
    """All recordings of the tests, with pauses."""
    return np.concatenate([part for r in recordings() for part in (r.samples(), PAUSE)])


def answers(place: Path) -> tuple[list[Event], list[float], list[float]]:
    """Speak to the daemon in real time: events, when each came, when each piece was sent."""
    audio, sent = (speech() * 32_767).astype("<i2"), list[float]()

    def requests() -> Iterator[pb.RecognizeRequest]:
        wish = pb.Filter(partials=True, lattices=True)
        form = pb.SAMPLE_FORMAT_S16LE
        config = pb.RecognizeConfig(format=form, sample_rate=SAMPLE_RATE, filter=wish)
        yield pb.RecognizeRequest(config=config)
        began = time.monotonic()
        for first in range(0, len(audio), PIECE):
            spoken = began + seconds(first + PIECE)
            time.sleep(max(0.0, spoken - time.monotonic()))
            sent.append(time.monotonic())
            yield pb.RecognizeRequest(audio=audio[first : first + PIECE].tobytes())

    events, came = [], []
    with grpc.insecure_channel(f"unix:{place}") as channel:
        stub = RecognitionStub(channel)
        for response in stub.Recognize(requests()):
            came.append(time.monotonic())
            events.append(response.event)
    return events, came, sent


def delays(place: Path) -> dict[str, float]:
    """How long events are under way, in milliseconds."""
    events, came, sent = answers(place)
    found: dict[str, float] = {}
    for kind in ("partial", "end_point"):
        taken = [
            1_000 * (now - sent[min(len(sent), -(-event.at.sample // PIECE)) - 1])
            for event, now in zip(events, came, strict=True)
            if event.WhichOneof("event") == kind
        ]
        found[f"{kind}s"] = len(taken)
        found[f"{kind}_delay_ms_p50"] = round(float(np.percentile(taken, 50)), 1)
        found[f"{kind}_delay_ms_p95"] = round(float(np.percentile(taken, 95)), 1)
    lag = [seconds(e.at.sample - e.partial.heard.sample) for e in events if e.HasField("partial")]
    found["partial_behind_audio_ms_p50"] = round(1_000 * float(np.median(lag)))
    return found


def measure(options: argparse.Namespace) -> tuple[str, dict[str, float]]:
    """The name of the bundle, and all figures."""
    ready, worked, figures = list[float](), list[float](), dict[str, float]()
    with sound_server() as server, tempfile.TemporaryDirectory(prefix="e") as home:
        for start in range(options.starts):
            with daemon(server, options.bundle, Path(home)) as (process, place, took):
                ready.append(took)
                worked.append(cpu_seconds(process))
                if start < options.starts - 1:
                    continue
                with connected(place) as channel:
                    bundle = status(channel).bundle
                figures |= idle(process, options.seconds) | delays(place)
                figures["rss_mb_after_speech"] = round(
                    psutil.Process(process).memory_info().rss / 1e6, 1
                )
    figures["ready_seconds_median"] = round(float(np.median(ready)), 2)
    figures["ready_seconds_least"] = round(min(ready), 2)
    figures["ready_cpu_seconds_median"] = round(float(np.median(worked)), 2)
    return f"{bundle.name} {bundle.version}", figures


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default="en", help="name or folder of the bundle")
    parser.add_argument("--seconds", type=float, default=30.0, help="of silence")
    parser.add_argument("--starts", type=int, default=3, help="of the daemon")
    bundle, figures = measure(parser.parse_args())
    spoken = f"{len(recordings())} recordings of tests/audio"
    data = f"bundle {bundle}; silence of a null sink of PulseAudio; {spoken}"
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    found = {"bench": "daemon", "data": data, "machine": machine, "date": date, "figures": figures}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
