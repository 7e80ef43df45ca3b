"""A bundle on the dev recordings of the kit, in the way of `earshot transcribe`: WER and its cost.

    python -m models.evaluate --kit KIT --bundle models/bundles/en [--sets NAME …] [--count 100]
        [--jobs 2] [--phones] [--show 5] [--json build/measured.json]

Gate, end-pointer and search are those of the daemon. CPU seconds are of one thread, per second of
audio, with all that is done to it (the fp32 export is just another bundle). Errors of phones are
those of the network alone, greedily, against the forced alignment.
"""

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import TypeVar

import numpy as np
from earshot.bundle import find
from earshot.compose import load_engine
from earshot.encoder import Frames, Windows
from earshot.engine import Engine
from earshot.features import Features
from earshot.sources import AudioFile
from earshot.transcriber import Transcript, transcribe
from earshot.transducer import greedy
from earshot.units import seconds
from earshot.utterance import TAIL

from models.corpus import Samples, read, recordings, table
from models.score import edits, rate
from models.texts import words_of

REAL = ("librispeech_dev", "common_voice_en", "an4", "speech_commands")
SYNTHETIC = ("synthetic",)
SETS = (*REAL, *SYNTHETIC)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Heard:
    """One recording: what was said, what was understood, and the count of each kind of error."""

    path: str
    wanted: str
    given: str
    substituted: int
    deleted: int
    inserted: int
    seconds: float
    cpu_seconds: float
    phones: int = 0
    phone_errors: int = 0

    @property
    def words(self) -> int:
        """Words said."""
        return len(self.wanted.split())

    @property
    def errors(self) -> int:
        """Of all kinds."""
        return self.substituted + self.deleted + self.inserted


@dataclass(frozen=True, slots=True)
class Task:
    """One recording to hear: its transcript, and its tokens where phones are counted."""

    path: Path
    text: str
    tokens: tuple[int, ...] = ()


def spaced(rows: Sequence[T], count: int) -> list[T]:
    """Take `count` of the rows, evenly spaced; all for 0."""
    if not count or count >= len(rows):
        return list(rows)
    return [rows[i * len(rows) // count] for i in range(count)]


def tasks(kit: Path, corpus: str, count: int, *, phones: bool = False) -> list[Task]:
    """The dev recordings of a corpus. Empty where the kit has none."""
    folder = kit / "speech" / corpus
    if not folder.exists():
        return []
    known: dict[Path, tuple[int, ...]] = {}
    if phones:
        found = recordings(kit, [corpus], "dev")
        known = {one.path: tuple(one.token.tolist()) for one in found}
    rows = [row for row in table(folder / "manifest.tsv") if row["split"] == "dev"]
    every = [
        Task(
            folder / row["path"],
            " ".join(words_of(row["text"])),
            known.get(folder / row["path"], ()),
        )
        for row in rows
    ]
    return spaced(every, count)


def kinds(wanted: Sequence[str], given: Sequence[str]) -> tuple[int, int, int]:
    """Substitutions, deletions and insertions of a shortest way from one to the other."""
    # A row of (errors, substituted, deleted, inserted) for the words wanted so far.
    row = [(i, 0, 0, i) for i in range(len(given) + 1)]
    for count, want in enumerate(wanted, 1):
        above, row = row, [(count, 0, count, 0)]
        for i, got in enumerate(given):
            errors, s, d, n = above[i]
            wrong = int(want != got)
            lost, more = above[i + 1], row[i]
            ways = (
                (errors + wrong, s + wrong, d, n),
                (lost[0] + 1, lost[1], lost[2] + 1, lost[3]),
                (more[0] + 1, more[1], more[2], more[3] + 1),
            )
            row.append(min(ways, key=itemgetter(0)))
    return row[-1][1:]


@cache
def engine_of(bundle: Path) -> Engine:
    """A bundle, opened once a process."""
    return load_engine(str(bundle))


def encoded_of(engine: Engine, samples: Samples) -> Frames:
    """Encoded frames [T, J] of a whole recording, without gate and end-pointer."""
    encoder, features = engine.parts.encoder, Features()
    windows = Windows(encoder.window, encoder.shift)
    ready = windows.accept(features.accept(samples))
    state, found = encoder.start(), []
    for window in [*ready, *windows.finish(features.finish(), TAIL)]:
        encoded, state = encoder.step(window, state)
        found.append(encoded)
    return np.concatenate(found)


def hear(task: Task, bundle: Path) -> Heard:
    """One recording through the recogniser, and greedily where tokens are known."""
    engine = engine_of(bundle)
    found = transcribe(AudioFile(task.path), engine.recogniser())
    phone_errors = 0
    if task.tokens:
        tokens, _ = greedy(engine.parts.new_scorer(), encoded_of(engine, read(task.path)))
        phone_errors = edits(task.tokens, tokens)
    return counted(task, found, phone_errors)


def counted(task: Task, found: Transcript, phone_errors: int = 0) -> Heard:
    """Compare what was understood of a recording with what was said."""
    given = " ".join(words_of(found.text))
    counts = kinds(task.text.split(), given.split())
    cpu, phones = found.cpu_seconds, len(task.tokens)
    return Heard(
        task.path.name, task.text, given, *counts, seconds(found.samples), cpu, phones, phone_errors
    )


def summary(corpus: str, heard: Sequence[Heard]) -> dict[str, str | int | float]:
    """Figures of a set: WER in percent with its 95 % interval, kinds of errors, cost."""
    wer, low, high = rate([one.errors for one in heard], [one.words for one in heard])
    words, audio = sum(one.words for one in heard), sum(one.seconds for one in heard)
    found: dict[str, str | int | float] = {
        "kind": "synthetic" if corpus in SYNTHETIC else "real",
        "recordings": len(heard),
        "words": words,
        "wer": round(wer, 2),
        "low": round(low, 2),
        "high": round(high, 2),
        "seconds": round(audio, 1),
        "cpu_per_second": round(sum(one.cpu_seconds for one in heard) / audio, 4),
    }
    for kind in ("substituted", "deleted", "inserted"):
        found[kind] = round(100 * sum(getattr(one, kind) for one in heard) / words, 2)
    phones = sum(one.phones for one in heard)
    if phones:
        found["phone_errors"] = round(100 * sum(one.phone_errors for one in heard) / phones, 2)
    return found


def line(corpus: str, figures: dict[str, str | int | float]) -> str:
    """A line for people."""
    f = figures
    phones = f", phones {f['phone_errors']} %" if "phone_errors" in f else ""
    return (
        f"{corpus} ({f['kind']}): {f['recordings']} recordings, {f['words']} words, "
        f"WER {f['wer']} % [{f['low']}, {f['high']}] (substituted {f['substituted']}, "
        f"deleted {f['deleted']}, inserted {f['inserted']}){phones}, "
        f"{f['cpu_per_second']} CPU s a second"
    )


def worst(heard: Sequence[Heard], count: int) -> list[Heard]:
    """The recordings with the most errors, shortest first where equal."""
    return sorted(heard, key=lambda one: (-one.errors, one.words))[:count]


def evaluate(options: argparse.Namespace) -> dict[str, dict[str, str | int | float]]:
    """Hear all sets, a line each. Raises BundleError."""
    folder, sets = find(options.bundle), {}
    with ProcessPoolExecutor(options.jobs) as pool:
        for corpus in options.sets:
            rows = tasks(options.kit, corpus, options.count, phones=options.phones)
            if not rows:
                continue
            size = max(1, len(rows) // (8 * options.jobs))
            heard = list(pool.map(hear, rows, [folder] * len(rows), chunksize=size))
            sets[corpus] = summary(corpus, heard)
            print(line(corpus, sets[corpus]), flush=True)
            for one in worst(heard, options.show):
                print(f"    {one.path}: {one.wanted} | {one.given}")
    real = [float(one["wer"]) for one in sets.values() if one["kind"] == "real"]
    if real:
        print(f"mean over {len(real)} real sets: WER {np.mean(real):.2f} %")
    return sets


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--bundle", default="en", help="name or folder")
    parser.add_argument("--sets", nargs="+", default=SETS, choices=SETS, metavar="NAME")
    parser.add_argument("--count", type=int, default=0, help="recordings a set; 0 for all")
    parser.add_argument("--jobs", type=int, default=2, help="processes of one thread each")
    parser.add_argument("--phones", action="store_true", help="errors of phones as well")
    parser.add_argument("--show", type=int, default=0, help="worst recordings of each set")
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    sets = evaluate(options)
    if options.json:
        label = engine_of(find(options.bundle)).bundle.label
        found = {"bundle": label, "count": options.count, "sets": sets}
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
