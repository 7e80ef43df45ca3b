"""How long a re-ranker takes, and how many lattices a second one, two and three of it rank.

    python -m models.bench_rescorer --kit KIT --bundle en --rescorer models/rescorers/en
        --out build/rescore [--sets NAME …] [--instances 1 2 3] [--json FILE]

The lattices are those of models.rescore, as they are sent. `alone` is the work for one lattice and
its 64 likeliest paths, in this process; `call` is the same asked of an instance through a Unix
socket, one at a time. `together` are calls of many callers that take turns among the instances:
requests a second, and for each CPU second that the instances took. Beside the callers, who need CPU
as well, instances only add up as far as there are cores.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import cycle
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from earshot.batching import Order, Ranker
from earshot.bundle import find, open_bundle
from earshot.compose import words_of
from earshot.generated.v1.rescoring_pb2 import Parcel, RescoreRequest
from earshot.generated.v1.rescoring_pb2_grpc import RescoringStub
from earshot.neural import open_rescorer
from earshot.parcel import pack
from earshot.rescoring import MOST_PATHS

from models.evaluate import SETS
from models.music_run import cpu_seconds
from models.rescored import Shelf, recordings

PATIENCE = 60.0  # seconds
CALLERS = 16


def parcels(options: argparse.Namespace) -> list[Parcel]:
    """All lattices of the sets as they are sent, those of the sets in turns."""
    words = words_of(open_bundle(find(options.bundle)))
    shelf = Shelf(options.kit, None, options.bundle, options.out, options.count, options.jobs)
    found = [
        pack(lattice, words).parcel
        for corpus in options.sets
        for row in recordings(shelf, corpus)
        for lattice in row.lattices
    ]
    order = np.random.default_rng(0).permutation(len(found))
    return [found[i] for i in order]


def told(seconds: Sequence[float]) -> dict[str, float]:
    """Milliseconds."""
    p50, p95, most = np.percentile(seconds, (50, 95, 100)) * 1000
    names = ("p50_ms", "p95_ms", "most_ms")
    return {name: round(float(x), 2) for name, x in zip(names, (p50, p95, most), strict=True)}


def alone(rescorer: Path, every: Sequence[Parcel]) -> dict[str, float]:
    """One lattice after the other, in this process."""
    bundle, taken = open_rescorer(str(rescorer)), list[float]()
    ranker, loop = Ranker(bundle.model, bundle.settings), asyncio.new_event_loop()
    for parcel in every:
        began = time.perf_counter()
        until = time.monotonic() + PATIENCE
        ranker.rank([Order(parcel, MOST_PATHS, False, until, loop.create_future())])  # noqa: FBT003
        taken.append(time.perf_counter() - began)
    loop.close()
    return told(taken)


@contextmanager
def served(rescorer: Path, folder: Path, number: int) -> Iterator[tuple[str, int]]:
    """An instance at a Unix socket: its address and its process."""
    address = f"unix:{folder / f'{number}.sock'}"
    command = [sys.executable, "-m", "earshot.commands.rescorer", "--listen", address]
    with subprocess.Popen([*command, "--rescorer", str(rescorer)]) as process:  # noqa: S603 - ours
        try:
            with grpc.insecure_channel(address) as channel:
                grpc.channel_ready_future(channel).result(PATIENCE)
            yield address, process.pid
        finally:
            process.terminate()


def calls(address: str, every: Sequence[Parcel]) -> dict[str, float]:
    """One call after the other."""
    taken = list[float]()
    with grpc.insecure_channel(address) as channel:
        call = RescoringStub(channel).Rescore
        for parcel in every:
            began = time.perf_counter()
            call(RescoreRequest(parcel=parcel, n_best=MOST_PATHS), timeout=PATIENCE)
            taken.append(time.perf_counter() - began)
    return told(taken)


async def together(addresses: Sequence[str], every: Sequence[Parcel]) -> tuple[float, int]:
    """Seconds that many callers take for all lattices, and how many were answered in time."""
    channels = [grpc.aio.insecure_channel(address) for address in addresses]
    stubs = cycle([RescoringStub(one) for one in channels])
    left, done = iter(every), list[Parcel]()

    async def caller() -> None:
        for parcel in left:
            with suppress(grpc.aio.AioRpcError):  # late: the instance gives up after a while
                await next(stubs).Rescore(RescoreRequest(parcel=parcel), timeout=PATIENCE)
                done.append(parcel)

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    taken = time.perf_counter() - began
    for channel in channels:
        await channel.close(None)
    return taken, len(done)


def loaded(rescorer: Path, every: Sequence[Parcel], count: int) -> dict[str, float]:
    """So many instances under load."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        some = [stack.enter_context(served(rescorer, Path(folder), i)) for i in range(count)]
        before = [cpu_seconds(process) for _, process in some]
        taken, done = asyncio.run(together([address for address, _ in some], every))
        after = [cpu_seconds(process) for _, process in some]
    spent = sum(after) - sum(before)
    return {
        "a_second": round(done / taken, 1),
        "a_cpu_second": round(done / spent, 1),
        "late": len(every) - done,
        "cores": round(spent / taken, 2),
    }


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """All figures; a line each."""
    every = parcels(options)
    found: dict[str, Any] = {"lattices": len(every), "alone": alone(options.rescorer, every)}
    print(f"alone: {found['alone']}", flush=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        served(options.rescorer, Path(folder), 0) as (address, _),
    ):
        found["call"] = calls(address, every)
    print(f"call: {found['call']}", flush=True)
    for count in options.instances:
        found[f"together {count}"] = loaded(options.rescorer, every, count)
        print(f"together {count}: {found[f'together {count}']}", flush=True)
    return found


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--bundle", default="en")
    parser.add_argument("--rescorer", type=Path, required=True, help="folder of models.rescorer")
    parser.add_argument("--out", type=Path, required=True, help="where models.rescore keeps")
    parser.add_argument("--sets", nargs="+", default=SETS, choices=SETS)
    parser.add_argument("--count", type=int, default=0, help="recordings a set; 0 for all")
    parser.add_argument("--instances", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = measured(options)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", "utf8")


if __name__ == "__main__":
    main()
