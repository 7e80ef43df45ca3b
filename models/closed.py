"""How well a closed set of commands is told from all else, over the reject score.

    python -m models.closed --kit KIT --bundle models/bundles/en [--count 80] [--jobs 2]
        [--json build/closed.json]

Two closed sets: a *home*, models/home.toml with rooms and devices of the kit, as machine-spoken dev
sentences say it; and the *words* of speech_commands that have many dev recordings. What is none of
their commands: other dev sentences, other single words, pieces of librispeech_dev as long as a
command and whole sentences of it, noise without speech (its `test` clips are left alone).

Everything is heard once, with nothing rejected, by the daemon's own recogniser. *Right* are intent
and all slots, said once; *wrong* is another command, *false* one where none was said. The control
is dictation: its text, if it is a command word for word. Rates are in percent of recordings. The
fewest errors are the least sum of what was not right and what was false, each a mean over parts.
"""

import argparse
import json
import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from earshot.bundle import find
from earshot.command_set import REJECT, Commands
from earshot.engine import Engine
from earshot.intents import read as read_intents
from earshot.places import Places
from earshot.sources import Chunk
from earshot.transcriber import transcribe
from earshot.units import SAMPLE_RATE, seconds

from models.corpus import read, table
from models.evaluate import engine_of, spaced
from models.score import rate
from models.texts import words_of

Meaning = tuple[str, frozenset[tuple[str, str]]]  # intent and slots
Figures = dict[str, float]
Part = dict[str, Figures]  # of what was said: figures by threshold and other names

HOME = Path(__file__).with_name("home.toml")
NAMES = ("ohf_names_en.tsv", "homellm_devices_en.tsv")
DEVICES = "light fan cover lock switch media_player garage_door blinds".split()
PLAIN = "light|lights|lamp|fan|fans|switch|door|garage door|blinds|shutter|shutters".split("|")
MORE_DEVICES = 100  # that no dev sentence names
OFTEN = 30  # dev recordings of a word of the closed set of words
PIECE = (0.8, 2.5)  # seconds of a piece of a sentence
LONGEST = 10.0  # seconds of a noise
REJECTS = (0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.5, 2.0, 3.0, 100.0)


@dataclass(frozen=True, slots=True)
class Clip:
    """Something to hear: a recording, or a piece of one."""

    path: Path
    text: str = ""
    first: float = 0.0  # seconds
    last: float = math.inf


@dataclass(frozen=True, slots=True)
class Heard:
    """What was understood of a clip."""

    wanted: Meaning | None
    found: tuple[tuple[Meaning, float], ...]  # with misfits
    dictated: Meaning | None
    seconds: float
    cpu_seconds: float
    dictation_cpu_seconds: float

    def accepted(self, reject: float) -> list[Meaning]:
        """What is taken for commands at a threshold."""
        return [meaning for meaning, misfit in self.found if misfit <= reject]

    def right(self, reject: float) -> bool:
        """Whether that is what was said."""
        return self.accepted(reject) == ([self.wanted] if self.wanted else [])


def dev(kit: Path, corpus: str) -> list[dict[str, str]]:
    """The dev rows of a manifest."""
    rows = table(kit / "speech" / corpus / "manifest.tsv")
    return [row for row in rows if row["split"] == "dev"]


def home(kit: Path) -> str:
    """Add rooms and devices to HOME: what dev sentences name, and as many others again."""
    names = [
        (" ".join(words_of(fields[0])), fields[2])
        for name in NAMES
        for line in (kit / "text/names/entities" / name).read_text(encoding="utf8").splitlines()
        if len(fields := line.split("\t")) > 2  # noqa: PLR2004 - name, as written, kind
    ]
    said = " | ".join(row["text"] for row in dev(kit, "synthetic"))
    devices = sorted({name for name, kind in names if name and kind in DEVICES})
    named = [name for name in devices if f" {name} " in f" {said} "]
    others = spaced([name for name in devices if name not in named], MORE_DEVICES)
    rooms = sorted({name for name, kind in names if name and kind == "area"})
    lists = f"room = {json.dumps(rooms)}\ndevice = {json.dumps(sorted({*named, *others, *PLAIN}))}"
    return f"{HOME.read_text(encoding='utf8')}\n{lists}\n"


def common(kit: Path) -> list[str]:
    """Words of speech_commands with many dev recordings."""
    counts = Counter(row["text"] for row in dev(kit, "speech_commands"))
    return sorted(word for word, count in counts.items() if count >= OFTEN)


def closed_words(words: Sequence[str]) -> str:
    """A closed set of single words."""
    return f"intents.Say.sentences = ['{{word}}']\nlists.word = {json.dumps(words)}\n"


def sentences(kit: Path, kind: str, places: Places, count: int) -> list[Clip]:
    """Machine-spoken dev sentences that are commands (`home`), or are none."""
    folder = kit / "speech" / "synthetic"
    clips = [
        Clip(folder / row["path"], " ".join(words_of(row["text"]))) for row in dev(kit, "synthetic")
    ]
    wanted = [one for one in clips if bool(places.meaning(one.text.split())) == (kind == "home")]
    return spaced(wanted, count)


def single(kit: Path, kind: str, words: Sequence[str], count: int) -> list[Clip]:
    """Dev recordings of the words of the closed set (`words`), or of others."""
    folder = kit / "speech" / "speech_commands"
    rows = [
        row for row in dev(kit, "speech_commands") if (row["text"] in words) == (kind == "words")
    ]
    return [Clip(folder / row["path"], row["text"]) for row in spaced(rows, count)]


def read_aloud(kit: Path, count: int, *, whole: bool) -> list[Clip]:
    """Sentences of librispeech_dev, or a piece of each."""
    folder, dice = kit / "speech" / "librispeech_dev", random.Random("pieces")
    clips = []
    for row in spaced(dev(kit, "librispeech_dev"), count):
        length = dice.uniform(*PIECE)
        first = dice.uniform(0.0, max(0.0, float(row["seconds"]) - length))
        clip = Clip(folder / row["path"], "", first, first + length)
        clips.append(Clip(clip.path) if whole else clip)
    return clips


def noises(kit: Path, count: int) -> list[Clip]:
    """Noise and music without singing."""
    rows = [
        row
        for row in table(kit / "noise" / "manifest.tsv")
        if row["use"] == "train" and not row["class"].startswith("vocal")
    ]
    return [Clip(kit / "noise" / row["path"], last=LONGEST) for row in spaced(rows, count)]


def parts(kit: Path, count: int) -> Iterator[tuple[str, str, str, list[Clip]]]:
    """Name of a closed set, its TOML, name of what is said, clips."""
    at_home, words = home(kit), common(kit)
    places = known(at_home)
    rest = {
        "pieces": read_aloud(kit, count, whole=False),
        "whole": read_aloud(kit, count, whole=True),
        "noise": noises(kit, count),
    }
    others = {kind: sentences(kit, kind, places, count) for kind in ("home", "sentences")}
    alone = {kind: single(kit, kind, words, count) for kind in ("words", "other words")}
    for name, text, said in (("home", at_home, others), ("words", closed_words(words), alone)):
        for kind, clips in {**said, **rest}.items():
            yield name, text, kind, clips


@cache
def known(text: str) -> Places:
    """The sentences of a closed set."""
    return Places(read_intents(text, "the closed set"), "the closed set")


@cache
def commanded(bundle: Path, text: str) -> Engine:
    """An engine that rejects nothing."""
    return engine_of(bundle).commanded(Commands(text, "the closed set", math.inf))


def meaning(text: str, words: str) -> Meaning | None:
    """What words mean in a closed set."""
    found = known(text).meaning(words.split())
    return (found[0].intent, frozenset(found[1].items())) if found else None


def hear(clip: Clip, bundle: Path, text: str) -> Heard:
    """One clip, as a command and by dictation."""
    samples = read(clip.path)
    last = round(min(clip.last * SAMPLE_RATE, len(samples)))
    chunk = Chunk(0, samples[round(clip.first * SAMPLE_RATE) : last])
    found = transcribe([chunk], commanded(bundle, text).recogniser())
    dictated = transcribe([chunk], engine_of(bundle).recogniser())
    commands = [result.command for result in found.results if result.command]
    return Heard(
        meaning(text, clip.text),
        tuple(((one.intent, frozenset(one.slots)), one.misfit) for one in commands if one.intent),
        meaning(text, " ".join(words_of(dictated.text))),
        seconds(len(chunk.samples)),
        found.cpu_seconds,
        dictated.cpu_seconds,
    )


def percent(flags: Sequence[bool]) -> float:
    """Share of what is true."""
    return round(100 * sum(flags) / len(flags), 1)


def rates(heard: Sequence[Heard], reject: float) -> Figures:
    """Right and wrong where commands were said, false where none was."""
    right = [one.right(reject) for one in heard]
    wrong = [bool(one.accepted(reject)) and not one.right(reject) for one in heard]
    if any(one.wanted for one in heard):
        return {"right": percent(right), "wrong": percent(wrong)}
    return {"false": percent(wrong)}


def figures(heard: Sequence[Heard]) -> Part:
    """Rates of a part over the thresholds, and of dictation; what both cost.

    The interval is that of right, or of false, at the daemon's own threshold.
    """
    audio = sum(one.seconds for one in heard)
    said = any(one.wanted for one in heard)
    hits = [one.right(REJECT) if said else bool(one.accepted(REJECT)) for one in heard]
    _, low, high = rate([int(hit) for hit in hits], [1] * len(hits))
    dictated = [one.dictated == one.wanted if said else bool(one.dictated) for one in heard]
    return {
        "recordings": {"count": len(heard), "seconds": round(audio, 1)},
        "cpu_per_second": {
            "commands": round(sum(one.cpu_seconds for one in heard) / audio, 4),
            "dictation": round(sum(one.dictation_cpu_seconds for one in heard) / audio, 4),
        },
        "dictation": {"right" if said else "false": percent(dictated)},
        "interval": {"low": round(low, 1), "high": round(high, 1)},
        **{f"{reject:g}": rates(heard, reject) for reject in REJECTS},
    }


def errors(sets: Mapping[str, Mapping[str, Part]], reject: str) -> float:
    """What is not right, as a mean over parts, and what is false: in percent, at a threshold."""
    columns = [part[reject] for said in sets.values() for part in said.values()]
    missed = [100 - column["right"] for column in columns if "right" in column]
    false = [column["false"] for column in columns if "false" in column]
    return sum(missed) / len(missed) + sum(false) / len(false)


def table_of(name: str, said: Mapping[str, Part]) -> str:
    """A table for people: a row for each threshold, and columns for each part."""
    rows = [*(f"{reject:g}" for reject in REJECTS), "dictation"]
    columns = [(kind, rate) for kind, part in said.items() for rate in part[rows[0]]]
    heads = [rate if kind == name else kind for kind, rate in columns]
    lines = [f"{name + ': reject':>15}" + "".join(f"{head:>13}" for head in heads)]
    for row in rows:
        cells = [said[kind][row].get(rate, "") for kind, rate in columns]
        lines.append(f"{row:>15}" + "".join(f"{cell!s:>13}" for cell in cells))
    counts = ", ".join(f"{part['recordings']['count']} {kind}" for kind, part in said.items())
    return "\n".join([*lines, f"% of recordings: {counts}"])


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--bundle", default="en", help="name or folder")
    parser.add_argument("--count", type=int, default=80, help="recordings a part; 0 for all")
    parser.add_argument("--jobs", type=int, default=2, help="processes of one thread each")
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    bundle = find(options.bundle)
    sets: dict[str, dict[str, Part]] = {}
    with ProcessPoolExecutor(options.jobs) as pool:
        for name, text, kind, clips in parts(options.kit, options.count):
            heard = pool.map(hear, clips, [bundle] * len(clips), [text] * len(clips), chunksize=4)
            sets.setdefault(name, {})[kind] = figures(list(heard))
    for name, said in sets.items():
        print(table_of(name, said), end="\n\n")
    best = min((f"{reject:g}" for reject in REJECTS), key=lambda one: errors(sets, one))
    print(f"fewest errors at reject {best}; the daemon's is {REJECT:g}")
    if options.json:
        label = engine_of(bundle).bundle.label
        found = {"bundle": label, "count": options.count, "reject": REJECT, "sets": sets}
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
