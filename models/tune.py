"""What a bundle is tuned to, found on the dev recordings of the kit, as a file for models.bundle.

    python -m models.tune --kit KIT --bundle build/bundle --out build/tuning.toml [--count 60]
        [--seconds 300]

The objective is the mean over the dev sets, real and synthetic, of WER in percent. Gate and
encoder hear each recording once, and what the encoder gives is kept, so a setting of the search
costs only the search. Each setting climbs over a small grid from where it is, one after the other
(coordinate descent), then the search is made as narrow as it may be without a loss, and at last
gates are tried. The delay is what lies between the middle of an aligned phone and the encoder frame
that takes its token, as the median over tokens the network got right.
"""

import argparse
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from earshot.bundle import find
from earshot.engine import Engine, Tuning
from earshot.search import SearchSettings
from earshot.transducer import greedy
from earshot.units import ENCODER_FRAME_MS, FEATURE_HOP_MS
from earshot.vad import VadSettings

from models.bundle import changed, lines
from models.corpus import read, recordings
from models.evaluate import SETS, encoded_of, engine_of, spaced
from models.trial import Study, Trial, chosen

# The grid of each setting, in the order of the descent: what matters most comes first.
GRIDS: Mapping[str, tuple[float, ...]] = {
    "ilm_scale": (0.2, 0.3, 0.4, 0.5, 0.6),
    "word_bonus": (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5),
    "lm_scale": (0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
}
# Widths, from narrow to wide: the first that loses at most LOSS percent points is taken.
WIDTHS: Mapping[str, tuple[float, ...]] = {
    "beam": (60, 100, 150, 200),
    "width": (9.0, 12.0, 14.0),
    "extend_width": (4.0, 6.0),
}
LOSS = 0.15
GATES = ({"aggressiveness": 1}, {"aggressiveness": 3}, {"start_ms": 40}, {"start_ms": 100})
GATE_GAIN = 0.3  # percent points a gate must win: gates were tuned on more than words
SHARE_OF_SEARCH = 0.75  # of the time; the rest is for the gates


def climb(trial: Trial, settings: SearchSettings, name: str) -> SearchSettings:
    """Walk along the grid of a setting as long as the objective falls."""
    grid = sorted({*GRIDS[name], getattr(settings, name)})
    best, at = trial(settings)[0], grid.index(getattr(settings, name))
    for direction in (1, -1):
        moved = False
        while 0 <= at + direction < len(grid) and not trial.over:
            tried = replace(settings, **{name: grid[at + direction]})
            wer = trial(tried)[0]
            if wer >= best:
                break
            best, at, settings, moved = wer, at + direction, tried, True
        if moved:
            break  # the other side is where it came from
    return settings


def descend(trial: Trial, settings: SearchSettings) -> SearchSettings:
    """Climb along each grid, again and again until nothing moves or the time is over."""
    while not trial.over:
        before = settings
        for name in GRIDS:
            settings = climb(trial, settings, name)
        if settings == before:
            break
    return settings


def narrow(trial: Trial, settings: SearchSettings) -> SearchSettings:
    """Take of each width the narrowest that loses next to nothing; a wider one if it wins more."""
    for name, grid in WIDTHS.items():
        kind = type(getattr(settings, name))
        tried = [replace(settings, **{name: kind(value)}) for value in grid]
        known = [(one, trial(one)[0]) for one in tried if not trial.over]
        if known:
            best = min(wer for _, wer in known)
            settings = next(one for one, wer in known if wer <= best + LOSS)
    return settings


def gate(study: Study, tuning: Tuning, best: float) -> VadSettings:
    """Another gate, if one wins enough; each costs gate, encoder and search."""
    found, bar = tuning.vad, best - GATE_GAIN
    for change in GATES:
        if time.monotonic() > study.until:
            break
        vad = replace(tuning.vad, **change)
        wer, _ = study.trial(vad, study.until)(tuning.search)
        print(f"    with the gate at {change}", flush=True)
        if wer < bar:
            found, bar = vad, wer
    return found


def delays(engine: Engine, kit: Path, count: int) -> npt.NDArray[np.float64]:
    """From the middles of aligned phones to their tokens' frames, in ms, of tokens got right."""
    found: list[float] = []
    for corpus in SETS:
        for one in spaced(list(recordings(kit, [corpus], "dev")), count):
            tokens, frames = greedy(engine.parts.new_scorer(), encoded_of(engine, read(one.path)))
            wanted = one.token.tolist()
            for match in SequenceMatcher(
                None, wanted, tokens, autojunk=False
            ).get_matching_blocks():
                for i in range(match.size):
                    middle = (one.start[match.a + i] + one.end[match.a + i]) / 2 * FEATURE_HOP_MS
                    found.append(frames[match.b + i] * ENCODER_FRAME_MS - middle)
    return np.array(found)


def delay_of(bundle: Path, kit: Path, count: int) -> int:
    """The median delay in ms; spread and count are printed. 0 where no token was got right."""
    ms = delays(engine_of(bundle), kit, count)
    if not len(ms):
        print("delay: no token was got right")
        return 0
    low, median, high = np.percentile(ms, (10, 50, 90))
    print(f"delay: {median:.0f} ms, from {low:.0f} (10 %) to {high:.0f} (90 %), {len(ms)} tokens")
    return round(float(median))


def with_delay(bundle: Path, kit: Path, count: int) -> Tuning:
    """What the bundle brings, with the delay as measured."""
    return replace(engine_of(bundle).tuning, delay_ms=delay_of(bundle, kit, count))


def changes(tuning: Tuning) -> dict[str, Any]:
    """What was tuned, and whatever else is not the default, as tables."""
    found: dict[str, Any] = {"delay_ms": tuning.delay_ms}
    for part in ("search", "lattice", "vad", "endpoint"):
        tuned = {*GRIDS, *WIDTHS} if part == "search" else set()
        if kept := changed(getattr(tuning, part), tuned):
            found[part] = kept
    return found


def tune(study: Study, tuning: Tuning) -> Tuning:
    """Find all settings within the time."""
    now = time.monotonic()
    trial = study.trial(tuning.vad, now + SHARE_OF_SEARCH * (study.until - now))
    before = trial(tuning.search)[0]
    best = narrow(trial, descend(trial, tuning.search))
    after = trial(best)[0]
    print(f"objective: {before:.2f} % before, {after:.2f} % after the search", flush=True)
    tuning = replace(tuning, search=best)
    return replace(tuning, vad=gate(study, tuning, after))


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--bundle", default="en", help="name or folder")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=60, help="recordings a set")
    parser.add_argument(
        "--seconds", type=float, default=300, help="after which nothing new is tried"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes of one thread each")
    options = parser.parse_args()
    until, bundle = time.monotonic() + options.seconds, find(options.bundle)
    with ProcessPoolExecutor(options.jobs) as pool:  # engines are opened in its processes only
        few = max(1, options.count // 6)
        tuning = pool.submit(with_delay, bundle, options.kit, few).result()
        found = tune(Study(bundle, chosen(options.kit, options.count), pool, until), tuning)
    text = "\n".join(lines({"tuning": changes(found)}))
    options.out.write_text(text.lstrip() + "\n", encoding="utf8")
    print(text)


if __name__ == "__main__":
    main()
