"""Whether the network attends to the name that is said, and what that does to its sounds.

    python -m models.attended --kit KIT --bundle models/bundles/en [--entries 100] [--count 60]

Names are words in a row of the dev recordings, as in training; the catalog of a recording has its
own and others up to `--entries`. Right are the frames in which a phone of a name is to come next
and that name has more of the attention than any other and than none; `right later` of those after
its first three phones, since before them nobody can know. Errors of phones, greedily, in what is
said of names and in the rest: with no names, with these, and with a catalog that nobody says.
"""

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from earshot.attention import Attended, AttendingEncoder
from earshot.attention_map import attended
from earshot.bundle import find
from earshot.engine import Engine
from earshot.events import Named
from earshot.features import features
from earshot.sounds import Tokens
from earshot.transducer import greedy

from models.attention import spans, when
from models.corpus import Recording, read, recordings
from models.data import due_frames
from models.evaluate import SETS, engine_of, spaced
from models.score import aligned

WORDS, SIZES = 3, (4, 24)  # of a name: words at most, and tokens
NAMES = 2  # of a recording
KNOWN = 3  # phones that tell a name from most others
WAYS = ("none", "names", "strangers")


@dataclass
class Tally:
    """Counts of a set: frames of names, and errors of phones."""

    frames: int = 0
    right: int = 0
    late: int = 0
    """frames after the first KNOWN phones of a name"""
    right_late: int = 0
    named: int = 0
    """phones of names"""
    rest: int = 0
    wrong: dict[str, list[int]] = field(default_factory=lambda: {way: [0, 0] for way in WAYS})
    """errors in names and in the rest"""


def most(told: Sequence[Attended]) -> list[int]:
    """The name with the most attention in each frame, -1 for none."""
    return [
        int(one.chosen[best]) if best < len(one.chosen) else -1
        for one in told
        for best in one.share.argmax(-1).tolist()
    ]


def errors(one: Recording, tokens: list[int], listed: set[int]) -> tuple[int, int]:
    """Errors in the tokens at the listed places and in the others."""
    wrong, place = [0, 0], len(one.token)
    for want, got in aligned([str(t) for t in one.token], [str(t) for t in tokens]):
        place -= bool(want)
        wrong[place not in listed] += want != got
    return wrong[0], wrong[1]


def chosen(one: Recording, dice: random.Random) -> list[tuple[int, int]]:
    """Words in a row that are names here: at most two, apart from each other."""
    found: list[tuple[int, int]] = []
    for first, end in spans(one.token.tolist(), dice, WORDS, SIZES):
        if all(end <= a or b <= first for a, b in found):
            found.append((first, end))
    return found[:NAMES]


def attending(engine: Engine, names: Sequence[Tokens]) -> AttendingEncoder:
    """The encoder with these names. Raises SystemExit where the bundle has no adapter."""
    if engine.parts.attention is None:
        message = f"{engine.bundle.label} has no attention.onnx; models.export_attention makes it"
        raise SystemExit(message)
    rows = engine.parts.attention.rows([(Named("name", str(i)), t) for i, t in enumerate(names)])
    return AttendingEncoder(engine.parts.encoder, rows)


def listen(
    engine: Engine, one: Recording, others: list[Tokens], dice: random.Random, tally: Tally
) -> None:
    """Hear a recording without names, with its own, and with those of others only."""
    names, x = chosen(one, dice), features(read(one.path))
    own = [tuple(one.token[first:end].tolist()) for first, end in names]
    listed = {i for first, end in names for i in range(first, end)}
    tally.named += len(listed)
    tally.rest += len(one.token) - len(listed)
    catalogs = {"none": [], "names": [*own, *others[len(own) :]], "strangers": others}
    for way, catalog in catalogs.items():
        told = attended(attending(engine, catalog), x)
        encoded = np.concatenate([one.frames for one in told])
        tokens, _ = greedy(engine.parts.new_scorer(), encoded)
        for place, count in enumerate(errors(one, tokens, listed)):
            tally.wrong[way][place] += count
        if way == "names":
            _look(one, names, most(told), tally)


def _look(one: Recording, names: list[tuple[int, int]], best: list[int], tally: Tally) -> None:
    """Count the frames of names, and those in which they have the most attention."""
    due = due_frames(one.start.astype(np.int64), one.end.astype(np.int64)).tolist()
    for i, (first, end) in enumerate(names):
        begin, phones = when(due, first, end)
        right = [got == i for got in best[begin : begin + len(phones)]]
        tally.frames += len(right)
        tally.right += sum(right)
        known = [good for good, phone in zip(right, phones, strict=False) if phone >= KNOWN]
        tally.late += len(known)
        tally.right_late += sum(known)


def figures(tally: Tally) -> dict[str, float]:
    """Percentages of a set."""
    found = {"right": tally.right / max(1, tally.frames)}
    found["right later"] = tally.right_late / max(1, tally.late)
    for way, (named, rest) in tally.wrong.items():
        found[f"{way}: names"] = named / max(1, tally.named)
        found[f"{way}: rest"] = rest / max(1, tally.rest)
    return {name: round(100 * value, 2) for name, value in found.items()}


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--bundle", default="en")
    parser.add_argument("--entries", type=int, default=100)
    parser.add_argument("--count", type=int, default=60, help="recordings a set")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    options = parser.parse_args()
    engine, dice = engine_of(find(options.bundle)), random.Random("attended")
    every = {s: list(recordings(options.kit, [s], "dev")) for s in options.sets}
    pool = [one for some in every.values() for one in some]
    for corpus, some in every.items():
        tally = Tally()
        for one in spaced(some, options.count):
            others: list[Tokens] = []
            while len(others) < options.entries:
                other = dice.choice(pool)
                if other is not one:
                    others += [tuple(other.token[a:b].tolist()) for a, b in chosen(other, dice)]
            listen(engine, one, others[: options.entries], dice, tally)
        print(f"{corpus}: {json.dumps(figures(tally))}", flush=True)


if __name__ == "__main__":
    main()
