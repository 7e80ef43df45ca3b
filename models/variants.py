"""The variants of models/compare.py: recipes read from a table, with steps for a time to train."""

import statistics
import time
import tomllib
from pathlib import Path
from typing import Any

from models.data import Corpus
from models.train import Losses, Recipe, Run, batches, step

WARM, TRIED = 2, 6  # steps by which the time of one is told: first ones that do not count


def merged(base: Recipe, changes: Recipe) -> Recipe:
    """The base with what changes, in all tables within."""
    found = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        found[key] = merged(base[key], value) if both else value
    return found


def variants(path: Path) -> dict[str, Recipe]:
    """Recipes by name. Raises SystemExit if one is like none before it."""
    table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf8"))
    found: dict[str, Recipe] = {}
    for name, changes in table["variant"].items():
        like = changes.pop("like", None)
        if like is not None and like not in found:
            message = f"{path}: {name} is like {like!r}, which does not stand above it"
            raise SystemExit(message)
        found[name] = merged(found[like] if like else table["base"], changes)
    return found


def paced(recipe: Recipe, corpus: Corpus, minutes: float, scratch: Path) -> Recipe:
    """The recipe with as many steps of each stage as its share of the CPU minutes allows."""
    stages = [{"name": name, **one} for name, one in recipe["stage"].items() if one["share"]]
    whole = sum(stage["share"] for stage in stages)
    for stage in stages:
        each = seconds_a_step({**recipe, "stage": stages}, stage, corpus, scratch)
        stage["steps"] = max(1, round(60 * minutes * stage["share"] / whole / each))
    return {**recipe, "stage": stages}


def seconds_a_step(recipe: Recipe, stage: Recipe, corpus: Corpus, scratch: Path) -> float:
    """CPU seconds of a step of a stage, tried on a network that is thrown away."""
    run = Run(recipe, corpus, scratch)
    losses, data, each = Losses(run.network, recipe["data"]["window"]), batches(run, 0, 1), []
    for _ in range(WARM + TRIED):
        began = time.process_time()
        loss, _ = losses(next(data), stage)
        step(run, loss, 0.0)
        each.append(time.process_time() - began)
    return statistics.median(each[WARM:])
