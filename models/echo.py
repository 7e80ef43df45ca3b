"""Words and ends of utterances while our own music plays, with its echo taken out and without.

    python -m models.echo --kit KIT --bundle en [--count 10] [--sets NAME …] [--levels -5 0 5]
        [--ways none earshot …] [--jobs 1] [--json [F]]

Recordings of dev are said in a room while a song of the kit, one that nobody trained on, plays
through a loudspeaker (models/loudspeaker.py); level 5 is music that is 5 dB louder than the speech.
Each way (models/cancellers.py) hears the same scenes, and begins each knowing nothing; `quiet` is
the same speech without music. WER counts words that are heard in the music alone as well; how many
those are before anybody speaks, a recording, stands apart. ERLE is by how many decibel the echo is
weaker: in the music alone, and while somebody speaks, where what is done to the speech counts as
echo. Ends are those of models.endpoint: milliseconds from the true end of speech to the commit, cut
off, and never within 4 s.
"""

import argparse
import json
import random
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from itertools import groupby
from pathlib import Path

import numpy as np
from earshot.bundle import find
from earshot.sources import Chunk
from earshot.transcriber import transcribe
from earshot.units import seconds

from models.bench import headed
from models.cancellers import WAYS, usable
from models.corpus import Samples
from models.ended import LIMIT_MS, Outcome, courses, outcome
from models.endpoint_figures import ended
from models.evaluate import SETS, engine_of, kinds, spaced
from models.loudspeaker import Places, Scene, music_alone
from models.paired import difference
from models.score import rate
from models.streams import LONGEST
from models.texts import words_of
from models.tracks import Spoken, spoken

QUIET = "quiet"
NONE = "none"
LEVELS = (-5.0, 0.0, 5.0)
USUAL_SETS = ("librispeech_dev", "an4", "speech_commands", "synthetic")
FAINT = 1e-12  # power


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a scene, one way."""

    corpus: str
    level: str
    way: str
    words: int
    errors: int
    early: int
    """words heard in the music before anybody speaks"""
    alone: float
    """ERLE in dB, in music alone"""
    spoken: float
    """and while somebody speaks"""
    ended: Outcome
    seconds: float
    cpu_seconds: float
    """of taking the echo out"""


@cache
def places_of(kit: Path) -> Places:
    """Read once a process."""
    return Places.of(kit)


def hear(
    one: Spoken, kit: Path, bundle: Path, levels: Sequence[float], ways: Sequence[str]
) -> list[Heard]:
    """A recording at all levels and in all ways, and in quiet."""
    found = list[Heard]()
    for level in levels:
        scene = places_of(kit).scene(one, level, f"echo {one.path.name}")
        if not found:
            found.append(understood(scene, (QUIET, QUIET), scene.speech, 0.0, bundle))
        for way in ways:
            began = time.process_time()
            clean = WAYS[way](scene)
            cost = time.process_time() - began
            name = (scene.stream.condition, way)
            found.append(understood(scene, name, clean, cost, bundle))
    return found


def understood(
    scene: Scene, name: tuple[str, str], clean: Samples, cost: float, bundle: Path
) -> Heard:
    """Recognise what a way made of a scene; `name` is of level and way."""
    stream = scene.stream
    found = transcribe([Chunk(0, clean)], engine_of(bundle).recogniser())
    errors = sum(kinds(list(stream.words), words_of(found.text)))
    early = sum(word.end <= stream.start for word in found.words)
    segments = [each.segment for each in courses(found.events)]
    return Heard(
        stream.corpus, *name, len(stream.words), errors, early,
        weaker(scene, clean, music_alone(stream)), weaker(scene, clean, (stream.start, stream.end)),
        outcome(stream, segments), seconds(len(clean)), cost,
    )  # fmt: skip


def weaker(scene: Scene, clean: Samples, span: tuple[int, int]) -> float:
    """By how many decibel the echo is weaker in a span: echo return loss enhancement."""
    part = slice(*span)
    echo, left = scene.echo[part], clean[part] - scene.speech[part]
    powers = [float(np.square(one).mean()) + FAINT for one in (echo, left)]
    return 10 * float(np.log10(powers[0] / powers[1]))


def recordings_of(kit: Path, corpus: str, count: int) -> list[Spoken]:
    """Evenly spaced dev recordings of a set, in an order that is no corpus's own."""
    every = [one for one in spoken(kit, corpus, "dev") if one.seconds <= LONGEST]
    random.Random(corpus).shuffle(every)
    return spaced(every, count)


def figures_of(heard: Sequence[Heard], plain: Sequence[Heard]) -> dict[str, float]:
    """Figures of a set, level and way; `plain` is the same with the echo left in."""
    errors, words = [one.errors for one in heard], [one.words for one in heard]
    wer, low, high = rate(errors, words)
    ends = ended([one.ended for one in heard])
    found = {"recordings": len(heard), "wer": wer, "wer_low": low, "wer_high": high}
    if plain and plain[0].way != heard[0].way:
        better = difference([one.errors for one in plain], errors, words)
        found |= dict(zip(("gain", "gain_low", "gain_high"), better, strict=True))
    return found | {
        "early_words": sum(one.early for one in heard) / len(heard),
        "erle_alone_db": float(np.mean([one.alone for one in heard])),
        "erle_spoken_db": float(np.mean([one.spoken for one in heard])),
        "end_p50_ms": ends.get("ep50", LIMIT_MS),
        "end_p90_ms": ends.get("ep90", LIMIT_MS),
        "cut_percent": ends["cut"],
        "never_percent": ends["never"],
        "missed_percent": ends["missed"],
        "cpu_per_second": sum(one.cpu_seconds for one in heard) / sum(one.seconds for one in heard),
    }


def all_figures(every: Iterable[Heard]) -> dict[str, dict[str, float]]:
    """By set, level and way, as "set, level, way"."""
    groups: dict[tuple[str, str, str], list[Heard]] = {}
    for one in every:
        groups.setdefault((one.corpus, one.level, one.way), []).append(one)
    return {
        ", ".join(key): figures_of(heard, groups.get((*key[:2], NONE), []))
        for key, heard in groups.items()
    }


HEADS = (
    "music", "way", "WER, %", "points fewer than none", "words before speech",
    "ERLE alone / spoken, dB", "ends after, ms, median / nine in ten", "cut off, %",
    "never / missed, %", "CPU s a second",
)  # fmt: skip


def tables(figures: dict[str, dict[str, float]]) -> str:
    """Everything as tables of Markdown, one a set."""
    lines = list[str]()
    rows = [(name.split(", "), found) for name, found in figures.items()]
    for corpus, some in groupby(rows, lambda row: row[0][0]):
        lines += [f"\n{corpus}\n", f"| {' | '.join(HEADS)} |", "|---" * len(HEADS) + "|"]
        lines += [row_of(level, way, found) for (_, level, way), found in some]
    return "\n".join(lines)


def row_of(level: str, way: str, found: dict[str, float]) -> str:
    """A row of a table."""
    f = {"gain": 0.0, "gain_low": 0.0, "gain_high": 0.0, **found}
    cells = (
        level,
        way,
        "{wer:.1f} [{wer_low:.1f}, {wer_high:.1f}]",
        "{gain:.1f} [{gain_low:.1f}, {gain_high:.1f}]" if "gain" in found else "",
        "{early_words:.2f}",
        "" if level == QUIET else "{erle_alone_db:.1f} / {erle_spoken_db:.1f}",
        "{end_p50_ms:.0f} / {end_p90_ms:.0f}",
        "{cut_percent:.0f}",
        "{never_percent:.0f} / {missed_percent:.0f}",
        "{cpu_per_second:.4f}",
    )
    return f"| {' | '.join(cells).format(**f)} |"


def measure(options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Hear everything. Raises BundleError, and SystemExit where the kit lacks something."""
    bundle, ways = find(options.bundle), [way for way in options.ways if way in usable()]
    rows = [
        one for corpus in options.sets for one in recordings_of(options.kit, corpus, options.count)
    ]
    if not rows:
        message = f"{options.kit} has no aligned dev recordings of {', '.join(options.sets)}"
        raise SystemExit(message)
    places_of(options.kit)
    hear_row = partial(hear, kit=options.kit, bundle=bundle, levels=options.levels, ways=ways)
    with ProcessPoolExecutor(options.jobs) as pool:
        return all_figures(one for some in pool.map(hear_row, rows) for one in some)


def told(options: argparse.Namespace, figures: dict[str, dict[str, float]]) -> dict[str, object]:
    """All figures as one object."""
    flat = {
        f"{name.replace(', ', '.').replace(' ', '_')}.{key}": round(value, 4)
        for name, found in figures.items()
        for key, value in found.items()
    }
    sets = ", ".join(options.sets)
    return {
        **headed(
            "echo", f"{options.bundle}, {options.count} dev recordings each of {sets}, in music"
        ),
        "figures": flat,
    }


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--bundle", default="en", help="name or folder")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=USUAL_SETS, metavar="NAME")
    parser.add_argument("--count", type=int, default=10, help="recordings a set; 0 for all")
    parser.add_argument("--levels", nargs="+", type=float, default=LEVELS, metavar="DB")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), metavar="WAY")
    parser.add_argument("--jobs", type=int, default=1, help="processes of one thread each")
    parser.add_argument(
        "--json", nargs="?", const=Path("-"), type=Path, help="file for the figures"
    )
    options = parser.parse_args()
    figures = measure(options)
    text = json.dumps(told(options, figures), indent=2)
    print(text if options.json == Path("-") else tables(figures))
    if options.json and options.json != Path("-"):
        options.json.write_text(text + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
