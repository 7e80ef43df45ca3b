"""Figures of end-pointing: latencies, cut-offs and what speculation brings, by condition."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from models.ended import LIMIT_MS, Outcome
from models.endpoint_trial import WORKS, Trial
from models.evaluate import SYNTHETIC
from models.rivals import EARLY, FINAL
from models.score import rate
from models.streams import COMMANDS, NOISY
from models.tracks import PAUSES_MS

APART = ("cut off", "dictation")  # conditions that are not in `all`
SHORT = f"commands, clean, pauses to {PAUSES_MS[1]} ms"  # who pauses for longer asks for a preset
ALL = ("all", "clean", "noisy", "commands", "commands, clean", SHORT, "read", "real", "synthetic")
Figures = dict[str, float]
Group = tuple[str, Callable[[Trial], bool]]


def all_figures(trials: Sequence[Trial]) -> Figures:
    """By group of streams, end-pointer and name."""
    found: Figures = {}
    for name, within in groups(trials):
        some = [one for one in trials if within(one)]
        if not some:
            continue
        key = name.replace(" ", "_")
        found[f"{key}.streams"] = len(some)
        for system in some[0].outcomes:
            figures = ended([one.outcomes[system] for one in some])
            found |= {f"{key}.{system}.{figure}": value for figure, value in figures.items()}
        figures = announced(some) | intervals(some)
        found |= {f"{key}.{figure}": value for figure, value in figures.items()}
    return {name: round(value, 4) for name, value in found.items()}


def groups(trials: Sequence[Trial]) -> Iterator[Group]:
    """Names of groups, and who is in them: each condition, all, by noise, text and voice."""
    for name in dict.fromkeys(one.condition for one in trials):
        yield name, lambda one, name=name: one.condition == name  # type: ignore[misc]
    within: dict[str, Callable[[Trial], bool]] = {
        "all": lambda _: True,
        "clean": lambda one: one.condition not in NOISY,
        "noisy": lambda one: one.condition in NOISY,
        "commands": lambda one: one.corpus in COMMANDS,
        "commands, clean": lambda one: one.corpus in COMMANDS and one.condition not in NOISY,
        SHORT: lambda one: within["commands, clean"](one) and one.longest_pause <= PAUSES_MS[1],
        "read": lambda one: one.corpus not in COMMANDS,
        "real": lambda one: one.corpus not in SYNTHETIC,
        "synthetic": lambda one: one.corpus in SYNTHETIC,
    }
    for name in ALL:
        yield name, lambda one, of=within[name]: one.condition not in APART and of(one)  # type: ignore[misc]


def ended(outcomes: Sequence[Outcome]) -> Figures:
    """Of an end-pointer: latency in milliseconds, shares in percent.

    What never ended counts as LIMIT_MS, or whoever ends only what is easy would seem quick.
    """
    known = [one.latency for one in outcomes if one.latency is not None]
    cut, never = sum(one.cut for one in outcomes), sum(one.never for one in outcomes)
    return {
        **percentiles("ep", [*known, *[float(LIMIT_MS)] * never]),
        "cut": percent(cut, len(outcomes)),
        "never": percent(never, len(outcomes)),
        "missed": percent(len(outcomes) - len(known) - never, len(outcomes)),
    }


def announced(trials: Sequence[Trial]) -> Figures:
    """Of both end-pointers of earshot together."""
    of = [one.speculated for one in trials]
    known = [one.latency for one in of if one.latency is not None]
    never = sum(one.outcomes[FINAL].never for one in trials)
    pairs = [(one.outcomes[FINAL].latency, one.speculated.latency) for one in trials]
    ahead = [sure - first for sure, first in pairs if sure is not None and first is not None]
    count = len(trials)
    return {
        **percentiles("early.ep", [*known, *[float(LIMIT_MS)] * never]),
        "early.cut": percent(sum(one.cut for one in of), count),
        "early.never": percent(never, count),
        "early.ahead_ms": float(np.median(ahead)) if ahead else 0.0,
        "early.announced": percent(sum(one.ahead for one in of), sum(o.utterances for o in of)),
        "early.correct": percent(sum(one.first_right for one in of), sum(one.ahead for one in of)),
        "early.stood": percent(sum(one.stood for one in of), sum(one.announced for one in of)),
        "utterances": sum(one.utterances for one in of) / count,
        "early.retracted": sum(one.retracted for one in of) / count,
        "early.revised": sum(one.revised for one in of) / count,
        "lost_first": percent(sum(0 in one.lost for one in trials), count),
        "lost_last": percent(sum(one.words - 1 in one.lost for one in trials), count),
        "cut_and_lost": percent(sum(cut_and_lost(one) for one in trials), count),
        "cpu_per_second": sum(o.cpu_seconds for o in trials) / sum(o.seconds for o in trials),
        **worked(trials),
    }


def intervals(trials: Sequence[Trial]) -> Figures:
    """Bootstrap 95 % intervals, over streams, of the shares that matter most."""
    of = [one.speculated for one in trials]
    cut = [int(one.outcomes[FINAL].cut) for one in trials]
    shares = {
        f"{FINAL}.cut": (cut, [1] * len(trials)),
        "early.correct": ([one.first_right for one in of], [one.ahead for one in of]),
    }
    found: Figures = {}
    for name, (part, whole) in shares.items():
        _, found[f"{name}_low"], found[f"{name}_high"] = rate(part, whole)
    return found


def cut_and_lost(trial: Trial) -> bool:
    """Whether words were lost where it was cut off."""
    return trial.outcomes[FINAL].cut and bool(trial.lost)


def worked(trials: Sequence[Trial]) -> Figures:
    """What the user waits for, and what is done in vain, by the length of the work."""
    found: Figures = {}
    for place, work in enumerate(WORKS):
        pairs = [one.delays[place] for one in trials]
        known = np.array([pair for pair in pairs if pair is not None]).reshape(-1, 2)
        for way, column in zip(("waiting", "speculating"), known.T, strict=True):
            found[f"work_{work}.{way}"] = float(column.mean()) if len(column) else 0.0
        wasted = sum(one.wasted[place] for one in trials)
        found[f"work_{work}.wasted"] = wasted / len(trials)
    return found


def percentiles(name: str, values: Sequence[float]) -> Figures:
    """Median and 90th percentile; none of nothing."""
    if not values:
        return {}
    pair = np.percentile(values, (50, 90)).tolist()
    return {f"{name}{share}": value for share, value in zip((50, 90), pair, strict=True)}


def percent(part: float, whole: float) -> float:
    """A share; 0 of nothing."""
    return 100 * part / whole if whole else 0.0


def tables(figures: Figures, conditions: Sequence[str]) -> Iterator[str]:
    """For people, as Markdown."""
    every = [*conditions, *ALL]
    yield from _table(BY_CONDITION, figures, [(name, name) for name in every], "streams")
    keys = dict.fromkeys(key.split(".")[1] for key in figures if key.endswith(".cut"))
    systems = {key: NAMES.get(key, key) for key in keys if " @ " not in key}
    for group in ALL[:3]:
        rows = [(name, f"{group}.{key}") for key, name in systems.items()]
        yield from _table(BY_SYSTEM, figures, rows, f"end-pointer, {group}")
    yield from _table(BY_WORK, figures, [(f"{w} ms", f"all.work_{w}") for w in WORKS], "work")


NAMES = {"early": EARLY}
BY_CONDITION = {
    "n": "streams",
    "early EP50": "early.ep50",
    "EP90": "early.ep90",
    "final EP50": f"{FINAL}.ep50",
    "EP90 ": f"{FINAL}.ep90",
    "cut off, %": f"{FINAL}.cut",
    "and lost": "cut_and_lost",
    "never": f"{FINAL}.never",
    "missed": f"{FINAL}.missed",
    "announced": "early.announced",
    "correct": "early.correct",
    "stood": "early.stood",
    "retracted": "early.retracted",
    "revised": "early.revised",
    "utterances": "utterances",
    "first lost": "lost_first",
    "last lost": "lost_last",
    "CPU s a second": "cpu_per_second",
}
BY_SYSTEM = {
    "EP50": "ep50", "EP90": "ep90", "cut off, %": "cut", "never": "never", "missed": "missed"
}  # fmt: skip
BY_WORK = {"waiting, ms": "waiting", "speculating": "speculating", "in vain": "wasted"}


def _table(
    columns: dict[str, str], figures: Figures, rows: Sequence[tuple[str, str]], head: str
) -> Iterator[str]:
    yield f"| {head} | {' | '.join(columns)} |"
    yield "|---" * (len(columns) + 1) + "|"
    for name, key in rows:
        place = key if "." in key else key.replace(" ", "_")
        cells = [_cell(figures, f"{place}.{column}") for column in columns.values()]
        yield f"| {name} | {' | '.join(cells)} |"
    yield ""


def _cell(figures: Figures, key: str) -> str:
    """A figure, with its interval where there is one."""
    if key not in figures:
        return "–"
    low, high = (figures.get(f"{key}_{end}") for end in ("low", "high"))
    known = low is not None and high is not None
    return f"{figures[key]:.4g}" + (f" [{low:.3g}, {high:.3g}]" if known else "")
