"""What a bundle hears where nobody speaks: words in the noise and music of the kit.

    python -m models.noises --kit KIT --bundle models/bundles/en [--nothing -3 -6 -9] [--count 120]

The other side of WER: a recogniser that never keeps silent loses no word. Clips are heard as they
are, many of them loud (dogs, babies, sneezes), up to 30 s each; songs with singing are left out.
`--nothing` tries values of that setting of the search.
"""

import argparse
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from earshot.bundle import find, open_bundle
from earshot.engine import Engine
from earshot.events import SpeechStarted
from earshot.sources import Chunk
from earshot.transcriber import transcribe
from earshot.units import SAMPLE_RATE, seconds

from models.corpus import read, table
from models.evaluate import spaced

LONGEST = 30 * SAMPLE_RATE  # samples of a clip


class Heard(NamedTuple):
    """Counts of one kind of noise."""

    seconds: float = 0.0
    opened: int = 0  # how often the gate took it for speech
    utterances: int = 0  # with words
    words: int = 0


def hear(engine: Engine, path: Path) -> Heard:
    """Hear one clip."""
    samples = read(path)[:LONGEST]
    found = transcribe([Chunk(0, samples)], engine.recogniser())
    words = [len(result.words) for result in found.results if result.words]
    opened = sum(isinstance(event, SpeechStarted) for event in found.events)
    return Heard(seconds(len(samples)), opened, len(words), sum(words))


def clips(kit: Path, count: int) -> list[tuple[str, Path]]:
    """Kind and path of evenly spaced clips without singing."""
    rows = table(kit / "noise" / "manifest.tsv")
    wanted = [
        (r["kind"], kit / "noise" / r["path"]) for r in rows if not r["class"].startswith("vocal")
    ]
    return spaced(wanted, count)


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--bundle", default="en", help="name or folder")
    parser.add_argument("--nothing", type=float, nargs="+", help="instead of the bundle's")
    parser.add_argument("--count", type=int, default=120, help="clips; 0 for all")
    options = parser.parse_args()
    engine = Engine.open(open_bundle(find(options.bundle)))
    for nothing in options.nothing or [engine.tuning.search.nothing]:
        search = replace(engine.tuning.search, nothing=nothing)
        tried = engine.tuned(replace(engine.tuning, search=search))
        total: dict[str, Heard] = defaultdict(Heard)
        for kind, path in clips(options.kit, options.count):
            pairs = zip(total[kind], hear(tried, path), strict=True)
            total[kind] = Heard._make(a + b for a, b in pairs)
        for kind, heard in total.items():
            print(
                f"nothing {nothing:g}, {kind}: {heard.seconds / 60:.1f} min, the gate opened "
                f"{heard.opened} times, {heard.utterances} with words, {heard.words} words",
                flush=True,
            )


if __name__ == "__main__":
    main()
