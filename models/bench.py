"""earshot beside what else there is, on the same recordings, in one run, one thread each.

    python -m models.bench --kit KIT --bundle models/bundles/en [--count 20] [--only NAME …]

Prints one JSON object and nothing else. `earshot` is the whole way to words, PocketSphinx 5 (with
its own model) as well; sherpa-onnx runs the bundle's network to phones only, so it is compared with
`earshot_greedy`. Compare ratios: seconds depend on the machine and on what else it does.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from models.contenders import CONTENDERS, rows_of
from models.evaluate import SETS


def machine() -> str:
    """Processor, cores and system in a line."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf8").splitlines()
        if line.startswith("model name")
    ]
    name = names[0] if names else platform.processor() or platform.machine()
    busy = os.getloadavg()[0]
    return f"{name}, {os.cpu_count()} cores, {platform.system()}, load {busy:.1f}"


def headed(bench: str, data: str) -> dict[str, object]:
    """The head of what a measurement prints: which it is, of what data, where and when."""
    date = datetime.now(UTC).date().isoformat()
    return {"bench": bench, "data": data, "machine": machine(), "date": date}


def figures_of(name: str, options: argparse.Namespace) -> dict[str, float]:
    """Run one contender. Raises SystemExit with what it said if it failed."""
    given = ["--kit", str(options.kit), "--bundle", options.bundle, "--count", str(options.count)]
    command = [sys.executable, "-m", "models.contenders", name, *given, "--sets", *options.sets]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603 - our own module
    if done.returncode:
        message = f"{name} ended with {done.returncode}: {done.stderr[-2000:]}"
        raise SystemExit(message)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return {f"{name}.{figure}": value for figure, value in found.items()}


def main() -> None:
    """Command line of the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--bundle", default="en", help="name or folder")
    parser.add_argument("--count", type=int, default=20, help="recordings a set")
    parser.add_argument("--sets", nargs="+", default=SETS, choices=SETS, metavar="NAME")
    parser.add_argument("--only", nargs="+", default=list(CONTENDERS), choices=CONTENDERS)
    options = parser.parse_args()
    rows = rows_of(options.kit, options.sets, options.count)
    sizes = {corpus: sum(name == corpus for name, _ in rows) for corpus in options.sets}
    figures: dict[str, float] = {}
    for name in options.only:
        figures |= figures_of(name, options)
    found = {
        **headed(
            "engine", "dev recordings: " + ", ".join(f"{n} of {c}" for c, n in sizes.items() if n)
        ),
        "figures": figures,
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
