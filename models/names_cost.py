"""The CPU that a catalog of names costs, by its size, beside none.

    python -m models.names_cost --kit KIT --named build/named --bundle models/bundles/en
        [--sizes 100 1000 10000] [--ways fusion both] [--count 60]

Commands with names (models.named) are heard in one process and one thread, each in all ways by
turns, since a machine is not equally fast at all times. In percent of the CPU seconds without a
catalog, with a bootstrap 95 % interval over recordings; ways are those of models/bias.py.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from earshot.bundle import find
from earshot.engine import Engine
from earshot.sources import AudioFile
from earshot.transcriber import transcribe

from models.bias import WAYS, Clip, Setting, catalog_of, engine_with, named, strangers
from models.score import rate

NONE = "none"


def spent(clips: Sequence[Clip], engines: Mapping[str, Engine]) -> dict[str, list[float]]:
    """CPU seconds of each recording in each way; the first is heard once before it counts."""
    found: dict[str, list[float]] = {name: [] for name in engines}
    for clip in [clips[0], *clips]:
        for name, engine in engines.items():
            heard = transcribe(AudioFile(clip.path), engine.recogniser())
            found[name].append(heard.cpu_seconds)
    return {name: seconds[1:] for name, seconds in found.items()}


def engines_of(options: argparse.Namespace, clips: Sequence[Clip]) -> dict[str, Engine]:
    """With no catalog, and in each way with one of each size."""
    others = strangers(options.kit, clips, max(options.sizes))
    plain = Setting(find(options.bundle), {}, {}, 1)
    found = {NONE: engine_with(plain, [])}
    for way in options.ways:
        changed = replace(plain, search=WAYS[way])
        for size in options.sizes:
            found[f"{way} {size}"] = engine_with(changed, catalog_of(clips, size, others))
    return found


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--named", type=Path, required=True, help="folder of models.named")
    parser.add_argument("--bundle", default="en")
    parser.add_argument("--sizes", nargs="+", type=int, default=[100, 1_000, 10_000])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=["fusion", "both"])
    parser.add_argument("--count", type=int, default=60, help="recordings; 0: all")
    options = parser.parse_args()
    clips = named(options.named)[: options.count or None]
    found = spent(clips, engines_of(options, clips))
    for name, seconds in found.items():
        share, low, high = rate(seconds, found[NONE])
        print(f"{name}: {share:.1f} % [{low:.1f}, {high:.1f}]", flush=True)


if __name__ == "__main__":
    main()
