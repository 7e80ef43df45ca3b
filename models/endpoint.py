"""Ends when you end? The end-pointers of a bundle on streams with known end of speech.

    python -m models.endpoint --kit KIT --bundle en [--count 20] [--preset normal] [--json [F]]
        [--conditions NAME …] [--alignments build/aligned] [--plot out.svg] [--jobs 1]

Each stream (models/streams.py) is heard twice: by the daemon's own recogniser, and once without
any end-pointer, which tells what the words are as a whole and where other end-pointers would have
ended (models/rivals.py). Latencies are medians and 90th percentiles in milliseconds from the true
end of speech, and a stream that has not ended within 4 s counts as 4 s (never); what was committed
before its end was cut off. `all` is of all conditions but dictation and audio that ends with the
speech. Words lost are those that are understood without end-points, and not with them.

With --json and no file, one JSON object is printed and nothing else.
"""

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from earshot.bundle import find

from models import endpoint_plot
from models.bench import headed
from models.endpoint_figures import Figures, all_figures, tables
from models.endpoint_trial import PRESETS, Trial, Way, hear, kit_of
from models.streams import CONDITIONS, named


def measure(options: argparse.Namespace) -> list[Trial]:
    """Hear all streams. Raises BundleError, and SystemExit where the kit has none."""
    way = Way(options.kit, find(options.bundle), options.alignments, options.preset)
    conditions = named(options.conditions)
    kit = kit_of(way.kit, alignments=way.alignments)
    takes = list(kit.takes(conditions, options.count, options.seed))
    if not takes:
        message = f"{options.kit} has no aligned dev recordings for these conditions"
        raise SystemExit(message)
    with ProcessPoolExecutor(options.jobs) as pool:
        return list(pool.map(partial(hear, way=way), takes, chunksize=4))


def told(trials: Sequence[Trial], figures: Figures, bundle: str) -> dict[str, object]:
    """All figures as one object."""
    sizes = {name: sum(one.condition == name for one in trials) for name in named_in(trials)}
    return {
        **headed(
            "endpoint",
            f"{bundle}, streams of dev: " + ", ".join(f"{n} {c}" for c, n in sizes.items()),
        ),
        "figures": figures,
    }


def named_in(trials: Sequence[Trial]) -> list[str]:
    """Conditions of the trials, in their order."""
    return list(dict.fromkeys(one.condition for one in trials))


def parser() -> argparse.ArgumentParser:
    """Build the command line."""
    found = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    found.add_argument("--kit", type=Path, required=True)
    found.add_argument("--bundle", default="en", help="name or folder")
    found.add_argument("--count", type=int, default=20, help="streams a condition")
    found.add_argument("--seed", type=int, default=0, help="of the draw")
    found.add_argument("--preset", choices=PRESETS, default=PRESETS[0])
    names = [one.name for one in CONDITIONS]
    found.add_argument("--conditions", nargs="+", choices=names, default=names, metavar="NAME")
    found.add_argument("--alignments", type=Path, help="folder of models.align, if not the kit's")
    found.add_argument("--json", nargs="?", const=Path("-"), type=Path, help="file for the figures")
    found.add_argument("--plot", type=Path, metavar="OUT.svg", help="draw latency and cut-offs")
    found.add_argument("--jobs", type=int, default=1, help="processes of one thread each")
    return found


def main() -> None:
    """Command line of this step."""
    options = parser().parse_args()
    trials = measure(options)
    figures = all_figures(trials)
    text = json.dumps(told(trials, figures, options.bundle), indent=2)
    if options.json == Path("-"):
        print(text)
    else:
        print(*tables(figures, named_in(trials)), sep="\n")
    if options.plot:
        about = f"{options.bundle}, {len(trials)} streams, of the dev recordings of the kit"
        endpoint_plot.write(figures, about, options.plot)
    if options.json and options.json != Path("-"):
        options.json.write_text(text + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
