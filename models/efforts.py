"""What each step of the governor saves, and what it costs in words: one JSON object at the end.

    python -m models.efforts --kit KIT --bundle en [--count 100] [--sets NAME …]

Every recording is heard with each effort in turn (earshot.effort), so that whatever else the
machine does weighs on all of them alike. The share of CPU time is the `cost` of the table there:
`earshot.governor` goes by it.
"""

import argparse
import json
from pathlib import Path

from earshot.bundle import find
from earshot.compose import load_engine
from earshot.effort import EFFORTS, Effort
from earshot.engine import Engine
from earshot.sources import AudioFile
from earshot.transcriber import Transcript, transcribe

from models.bench import headed
from models.evaluate import SETS, Heard, counted, summary, tasks


def heard(engine: Engine, path: Path, effort: Effort) -> Transcript:
    """A recording, with so much effort."""
    recogniser = engine.recogniser()
    recogniser.effort(effort)
    return transcribe(AudioFile(path), recogniser)


def table(results: dict[str, list[list[Heard]]]) -> dict[str, float]:
    """Figures by level: WER of each set with its interval, share of the CPU time of level 0."""
    figures: dict[str, float] = {}
    spent = [sum(one.cpu_seconds for rows in results.values() for one in rows[level])
             for level in range(len(EFFORTS))]  # fmt: skip
    for level in range(len(EFFORTS)):
        figures[f"{level}.cpu_ratio"] = round(spent[level] / spent[0], 3)
        for corpus, rows in results.items():
            found = summary(corpus, rows[level])
            for name in ("wer", "low", "high"):
                figures[f"{level}.{corpus}.{name}"] = float(found[name])
    return figures


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--bundle", default="en", help="name or folder")
    parser.add_argument("--count", type=int, default=100, help="recordings a set; 0 for all")
    parser.add_argument("--sets", nargs="+", default=SETS, choices=SETS, metavar="NAME")
    options = parser.parse_args()
    engine = load_engine(str(find(options.bundle)))
    results: dict[str, list[list[Heard]]] = {}
    for corpus in options.sets:
        rows: list[list[Heard]] = [[] for _ in EFFORTS]
        for task in tasks(options.kit, corpus, options.count):
            for level, effort in enumerate(EFFORTS):
                rows[level].append(counted(task, heard(engine, task.path, effort)))
        if rows[0]:
            results[corpus] = rows
    sizes = ", ".join(f"{len(rows[0])} of {corpus}" for corpus, rows in results.items())
    found = {
        **headed("efforts", f"bundle {engine.bundle.label}; dev recordings: {sizes}"),
        "figures": table(results),
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
