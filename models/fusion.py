"""What tells that the speaker is done -> weights and thresholds of a bundle's end-pointers.

    python -m models.fusion --kit KIT --bundle BUNDLE --out build/ending/fusion.toml [--count 30]
        [--conditions NAME …] [--jobs 2]

BUNDLE holds ending.onnx (models.ending) and cadence.onnx (models.cadence). Streams to tune on
(models/streams.py), whose recordings no network was trained on, are heard without end-pointers; at
every frame after the first word the evidence is kept. A logistic regression learns to tell the
silence after the last word, soon after it, from that between words. Then the thresholds of each
preset are chosen on those of the streams that are commands in quiet: `likely` as low as the share
of them allows that may be announced before they are over, `done` as low as that allows that may be
cut off, and the stillness that an end takes at least so that it is announced LEAD milliseconds
ahead in the median. What comes out is a file for models.bundle --tuning.
"""

import argparse
from bisect import bisect_left
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from earshot.bundle import find
from earshot.endpointers import STILL_MS, EndPointSettings, Fusion, Glance, features, rules
from earshot.engine import PATIENT
from earshot.events import EndPointKind
from earshot.units import SAMPLES_PER_MS

from models.bundle import changed, lines
from models.endpoint_trial import glances_of, kit_of
from models.evaluate import engine_of
from models.logistic import regression
from models.replay import Clocks, Replay, replayed
from models.streams import COMMANDS, CONDITIONS, NOISY, Stream, Take, named
from models.tracks import PAUSES_MS

Floats = npt.NDArray[np.float64]
SPLIT = "tune"
UNSURE = (-60.0, 60.0)  # ms around the end that alignments leave open
SOON = 1_000.0  # ms after the end that count
DONE = 0.3  # weight of a frame behind the end, where one before it has 1
STILL = [f.name for f in fields(Fusion)].index("still")  # column of the rows
RIDGE = 1e-3  # of all that counts
LEAD = 200.0  # ms
GRID = np.arange(0.25, 1.001, 0.005).round(3).tolist()  # of thresholds
STILLS = range(140, 501, 40)  # ms of stillness that an end may take at least
NEVER = 2.0  # a threshold
FINAL = (EndPointKind.FINAL,)
LEFT_OUT = ("cut off", "dictation")  # have no silence behind them, or ends within


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a preset may do to streams, as shares of them, and the times of its other rules."""

    cut: float
    """may be ended before they are over"""
    early: float
    """may be announced before"""
    settings: EndPointSettings


LONG = EndPointSettings(long_still_ms=100)
# An announcement that waits for 220 ms of stillness instead of 100 needs less evidence: of as many
# that are too early, nine in ten come 250 ms sooner.
PRESETS = {
    "endpoint": Wanted(
        0.02, 0.045,
        replace(LONG, likely_ms=220, short_pause_ms=900, pause_ms=1_000, others=0.6),
    ),
    "quick": Wanted(
        0.08, 0.12, replace(LONG, likely_ms=120, short_pause_ms=700, pause_ms=800, others=0.5)
    ),
    "patient": Wanted(
        0.01, 0.02,
        replace(
            PATIENT, long_still_ms=100, likely_ms=260, short_pause_ms=1_400, pause_ms=1_500,
            others=0.8,
        ),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Heard:
    """A stream's clocks, and its evidence [T, features] with the pause in it."""

    clocks: Clocks
    rows: Floats
    end: int  # sample
    command: bool
    """in quiet, without a longer pause than those of who is waited for"""

    def late(self) -> Floats:
        """Milliseconds after the end of each frame [T]."""
        return (self.clocks.at - self.end) / SAMPLES_PER_MS


def row(glance: Glance) -> tuple[float, ...]:
    """What Fusion weighs, in the order of its fields."""
    evidence = glance.evidence
    if evidence is None:
        message = "the bundle has no end-pointing network; add ending.onnx (models.ending)"
        raise SystemExit(message)
    return features(evidence, glance.pause_ms)


def heard_of(stream: Stream, bundle: Path) -> Heard:
    """Hear a stream without end-pointers."""
    glances, _ = glances_of(stream, engine_of(bundle))
    rows = np.array([row(one) for one in glances]).reshape(len(glances), len(fields(Fusion)))
    clean = stream.condition not in NOISY and stream.longest_pause <= PAUSES_MS[1]
    command = stream.corpus in COMMANDS and clean
    return Heard(Clocks.of(glances), rows, stream.end, command)


def hear(take: Take, kit: Path, bundle: Path) -> Heard:
    """Make a stream and hear it."""
    return heard_of(kit_of(kit, SPLIT).make(take), bundle)


def frames_of(one: Heard) -> tuple[Floats, Floats, Floats]:
    """Rows that count, whether the speaker was done, and how much each counts."""
    late, still = one.late(), one.rows[:, STILL] * 1_000
    counts = (one.clocks.words > 0) & (still >= STILL_MS) & (late < SOON)
    counts &= (late < UNSURE[0]) | (late > UNSURE[1])
    done = late[counts] > 0
    return one.rows[counts], done.astype(float), np.where(done, DONE, 1.0)


def fit(every: Sequence[Heard]) -> Fusion:
    """Learn the weights."""
    rows, done, weight = map(np.concatenate, zip(*map(frames_of, every), strict=True))
    scale = rows.std(0) + (rows.std(0) == 0)
    ridge = np.full(rows.shape[1], RIDGE * weight.sum())
    found = regression(rows / scale, done, weight, ridge) / scale
    return Fusion(*(round(float(one), 4) for one in found))


def judged(one: Heard, fusion: Fusion) -> Clocks:
    """The clocks with probabilities."""
    weights = np.array([getattr(fusion, f.name) for f in fields(Fusion)])
    odds = np.where(one.rows[:, STILL] * 1_000 < STILL_MS, -np.inf, one.rows @ weights)
    return replace(one.clocks, probability=1 / (1 + np.exp(-np.clip(odds, -30, 30))))


def first_ends(
    every: Sequence[Clocks], settings: EndPointSettings, kinds: Sequence[EndPointKind]
) -> list[int | None]:
    """Where rules of these kinds first end each stream, in samples."""
    table = tuple(rule for rule in rules(settings) if rule.kind in kinds)
    return [next((s.end for s in replayed(one, Replay(table)) if s.heard), None) for one in every]


def cut_off(ends: Sequence[int | None], every: Sequence[Heard]) -> float:
    """Share of streams that end before they are over."""
    pairs = zip(ends, every, strict=True)
    return float(np.mean([end is not None and end < one.end for end, one in pairs]))


def chosen(every: Sequence[Heard], clocks: Sequence[Clocks], wanted: Wanted) -> EndPointSettings:
    """The lowest thresholds that keep to the shares, LEAD apart."""

    def share(settings: EndPointSettings, kinds: Sequence[EndPointKind]) -> float:
        return cut_off(first_ends(clocks, settings, kinds), every)

    unsure = replace(wanted.settings, done=NEVER)
    likely = lowest(lambda x: share(replace(unsure, likely=x), tuple(EndPointKind)) <= wanted.early)
    best, apart = unsure, np.inf
    for still in STILLS:
        tried = replace(unsure, likely=likely, done_ms=still)
        done = lowest(lambda x, t=tried: share(replace(t, done=x), FINAL) <= wanted.cut)  # type: ignore[misc]
        tried = replace(tried, done=max(likely, done))
        found = leads(clocks, first_ends(clocks, tried, FINAL), tried)
        if len(found) and abs(np.median(found) - LEAD) < apart:
            best, apart = tried, abs(np.median(found) - LEAD)
    return best


def lowest(fits: Callable[[float], bool]) -> float:
    """The lowest threshold that fits, where all higher ones do; the highest where none does."""
    found = bisect_left(GRID, True, key=fits)  # noqa: FBT003 - what is looked for
    return float(GRID[min(found, len(GRID) - 1)])


def leads(
    clocks: Sequence[Clocks], ends: Sequence[int | None], settings: EndPointSettings
) -> Floats:
    """Milliseconds by which the last announcement was before each end."""
    found = []
    for one, end in zip(clocks, ends, strict=True):
        if end is None:
            continue
        seems = (
            (one.probability >= settings.likely)
            & (one.still >= settings.likely_ms)
            & (one.words > 0)
            & (one.at <= end)
        )
        unsure = one.at[~seems & (one.at <= end)].max(initial=0)
        first = one.at[seems & (one.at > unsure)].min(initial=end)
        found.append((end - first) / SAMPLES_PER_MS)
    return np.array(found)


def tuned(every: Sequence[Heard]) -> dict[str, Any]:
    """Weights and the settings of each preset; none where no command was heard."""
    commands = [one for one in every if one.command]
    if not commands:
        print("no command was heard in quiet, so the usual rules stay")
        return {}
    fusion = fit(every)
    clocks = [judged(one, fusion) for one in commands]
    found: dict[str, Any] = {"fusion": {f.name: getattr(fusion, f.name) for f in fields(fusion)}}
    for name, wanted in PRESETS.items():
        found[name] = changed(chosen(commands, clocks, wanted))
    return found


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--bundle", required=True, help="name or folder")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    parser.add_argument("--count", type=int, default=30, help="streams a condition")
    usual = [one.name for one in CONDITIONS if one.name not in LEFT_OUT]
    parser.add_argument("--conditions", nargs="+", default=usual, metavar="NAME")
    parser.add_argument("--jobs", type=int, default=1, help="processes of one thread each")
    options = parser.parse_args()
    takes = list(kit_of(options.kit, SPLIT).takes(named(options.conditions), options.count))
    work = partial(hear, kit=options.kit, bundle=find(options.bundle))
    with ProcessPoolExecutor(options.jobs) as pool:
        every = [one for one in pool.map(work, takes, chunksize=8) if one.clocks.words.any()]
    text = "\n".join(lines({"tuning": tuned(every)})).lstrip() + "\n"
    options.out.write_text(text, encoding="utf8")
    print(f"{len(every)} of {len(takes)} streams had words\n{text}")


if __name__ == "__main__":
    main()
