"""What leaves the device in mode assisted, and what it costs in time: one JSON object.

    python -m models.privacy --kit KIT --bundle en [--rescorer en] [--count 40] [--jobs 2]
        [--least 0.001 0.004 0.016 …] [--out build/rescore] [--only bytes|delay] [--delayed 40]

Bytes an utterance as sent are compared with the same speech as 16 kbit/s Opus, over the dev sets of
the kit; with --least, for several prunings, with the oracle WER that each leaves. Delay takes a
rescorer (models/rescorer.py), which is run behind an uplink on this machine, first on a Unix
socket, then over TLS, while recordings are heard in real time (models/privacy_delay.py). Lattices
are heard once and kept in OUT, as by models.rescore.
"""

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path

from earshot.bundle import find, open_bundle
from earshot.compose import words_of
from earshot.parcel import ParcelSettings

from models.bench import headed
from models.evaluate import REAL, SETS, tasks
from models.privacy_bytes import figures, sent
from models.privacy_delay import measured
from models.rescored import Shelf, recordings

ONLY = ("bytes", "delay")


def of_bytes(options: argparse.Namespace) -> dict[str, float]:
    """Bytes and oracle errors, of each set and each pruning."""
    options.out.mkdir(parents=True, exist_ok=True)
    shelf = Shelf(options.kit, None, options.bundle, options.out, options.count, options.jobs)
    words, found = words_of(open_bundle(find(options.bundle))), dict[str, float]()
    heard = {corpus: recordings(shelf, corpus) for corpus in options.sets}
    heard["real"] = [one for corpus in options.sets if corpus in REAL for one in heard[corpus]]
    for name, every in heard.items():
        usual = ParcelSettings()
        found |= figures(name, [sent(one, words, usual) for one in every])
        for least in options.least:
            pruned = replace(usual, least=least, arcs_a_second=1e9)
            found |= figures(f"{name}_at_{least:g}", [sent(one, words, pruned) for one in every])
    return found


def of_delay(options: argparse.Namespace) -> dict[str, float]:
    """What is added until words stand."""
    each = max(1, options.delayed // len(REAL))
    spoken = [task.path for corpus in REAL for task in tasks(options.kit, corpus, each)]
    with tempfile.TemporaryDirectory(prefix="e") as folder:
        return measured(options.bundle, options.rescorer, spoken, Path(folder), options.port)


def parser() -> argparse.ArgumentParser:
    """Build the command line."""
    found = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    found.add_argument("--kit", type=Path, required=True)
    found.add_argument("--bundle", default="en", help="name or folder")
    found.add_argument("--rescorer", default="en", help="name or folder")
    found.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS), metavar="NAME")
    found.add_argument("--count", type=int, default=0, help="recordings a set; 0 for all")
    found.add_argument("--least", type=float, nargs="*", default=[], help="posteriors to prune at")
    found.add_argument("--out", type=Path, default=Path("build/rescore"), help="keeps lattices")
    found.add_argument("--jobs", type=int, default=1)
    found.add_argument("--only", choices=ONLY, help="one of both measurements")
    found.add_argument("--delayed", type=int, default=40, help="recordings heard in real time")
    found.add_argument("--port", type=int, default=7443, help="of this machine, for TLS")
    return found


def main() -> None:
    """Command line of this step."""
    options = parser().parse_args()
    found: dict[str, float] = {}
    if options.only != "delay":
        found |= of_bytes(options)
    if options.only != "bytes":
        found |= of_delay(options)
    told = {
        **headed("privacy", f"{options.bundle}, dev recordings of {', '.join(options.sets)}"),
        "figures": found,
    }
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
