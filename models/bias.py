"""What a catalog of names gives and what it costs, by its size; with and without.

    python -m models.bias --kit KIT --named build/named --bundle models/bundles/en [--jobs 2]
        [--sizes 10 100 1000 10000] [--count 60] [--only gain rare harm] [--json build/bias.json]

gain    commands with names (models.named) and a catalog with these names and others besides:
        errors in words of the names that are said, and in all others
rare    the same of read speech (librispeech_dev): its rarer words as free phrases, with others
harm    general speech, and a catalog of names that nobody says: errors, and words of names that
        were heard

Ways: `lexicon` knows the names, and the language model where they belong; `fusion` favours them
in the search, `attention` in the network, `both` is what ships.

Recordings are heard in groups, each with a catalog of its own. Percentages are of the words of each
kind, with a bootstrap 95 % interval; CPU is of one thread, a second of audio.
"""

import argparse
import json
import random
import re
import resource
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from earshot.bundle import find
from earshot.compose import load_engine
from earshot.engine import Engine
from earshot.entries import Entry, Kind, KindWeights
from earshot.ngram import Ngram
from earshot.sounds import OWNER
from earshot.sources import AudioFile
from earshot.transcriber import transcribe
from earshot.units import seconds

from models.corpus import table
from models.evaluate import SETS, tasks
from models.named import Pools
from models.score import aligned, rate

Figures = dict[str, Any]
# Recordings that share a catalog of so many names; where none stands here, all do.
TOGETHER = {("gain", 10): 10, ("gain", 100): 80, ("rare", 10): 2, ("rare", 100): 20}
CALL = re.compile("(call|dial|phone|ring|video call|text|message|tell|send|answer) ")  # somebody
UNFAVOURED = {"name_bonus": 0.0, "name_favour": 0.0, "phrase_bonus": 0.0}
WAYS: dict[str, dict[str, Any]] = {
    "lexicon": {"attend": False, **UNFAVOURED},
    "fusion": {"attend": False},
    "attention": UNFAVOURED,
    "both": {},
}
RARE = 5_000  # rank of a word of the language model, from which it is rare
RARE_LETTERS = 4


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording, and the names in it."""

    path: Path
    text: str
    names: tuple[Entry, ...] = ()

    @property
    def listed(self) -> frozenset[str]:
        """Words of its names."""
        return frozenset(word for name in self.names for word in name.name.split())


@dataclass(frozen=True, slots=True)
class Heard:
    """Errors and words of a recording, of the names said and of the rest."""

    listed: tuple[int, int]
    rest: tuple[int, int]
    false: int
    """words of names that were heard though nobody said them"""
    seconds: float
    cpu: float
    memory: float
    """MiB, the most of the process so far"""


def compared(wanted: Sequence[str], given: Sequence[str], listed: frozenset[str]) -> list[int]:
    """Errors in listed words and in others."""
    wrong = [(want or got) in listed for want, got in aligned(wanted, given) if want != got]
    return [sum(wrong), len(wrong) - sum(wrong)]


@dataclass(frozen=True, slots=True)
class Setting:
    """How all is heard."""

    bundle: Path
    search: dict[str, Any]
    weights: dict[str, float]
    jobs: int


def engine_with(setting: Setting, entries: Sequence[Entry]) -> Engine:
    """The bundle with these names."""
    engine = load_engine(str(setting.bundle))
    search = replace(engine.tuning.search, **setting.search)
    engine = engine.tuned(replace(engine.tuning, search=search))
    weights = KindWeights(**setting.weights)
    return engine.naming(entries, weights)[0] if entries else engine


class Hearing:
    """What a process hears with: one engine, one catalog."""

    engine: Engine

    @classmethod
    def begin(cls, setting: Setting, entries: Sequence[Entry]) -> None:
        """Open the bundle with these names."""
        cls.engine = engine_with(setting, entries)

    @classmethod
    def hear(cls, clip: Clip) -> Heard:
        """Hear a recording."""
        found = transcribe(AudioFile(clip.path), cls.engine.recogniser())
        wanted, given = clip.text.split(), [w.text.removesuffix(OWNER) for w in found.words]
        listed, rest = compared(wanted, given, clip.listed)
        named = sum(word in clip.listed for word in wanted)
        told = ((result, one) for result in found.results for one in result.explanations)
        named_words = (result.words[one.word].text for result, one in told if one.names)
        false = sum(word.removesuffix(OWNER) not in wanted for word in named_words)
        audio, memory = seconds(found.samples), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        counts = ((listed, named), (rest, len(wanted) - named))
        return Heard(*counts, false, audio, found.cpu_seconds, memory / 1024)


def heard(setting: Setting, groups: Iterable[tuple[list[Clip], list[Entry]]]) -> list[Heard]:
    """Hear groups of recordings, each with its catalog."""
    found: list[Heard] = []
    for clips, entries in groups:
        begin = partial(Hearing.begin, setting, entries)
        with ProcessPoolExecutor(setting.jobs, initializer=begin) as pool:
            found += pool.map(Hearing.hear, clips, chunksize=4)
    return found


def grouped(
    clips: list[Clip], size: int, together: int, others: Sequence[Entry]
) -> Iterator[tuple[list[Clip], list[Entry]]]:
    """Groups of recordings; the catalog of each has their names, and others up to its size."""
    for first in range(0, len(clips), together):
        some = clips[first : first + together]
        yield some, catalog_of(some, size, others)


def catalog_of(clips: Sequence[Clip], size: int, others: Sequence[Entry]) -> list[Entry]:
    """Their names and others up to a size, in any order: what comes first may be favoured more."""
    names = list(dict.fromkeys(name for clip in clips for name in clip.names))
    found = [*names, *others[: max(0, size - len(names))]]
    random.Random(size).shuffle(found)
    return found


def named(folder: Path) -> list[Clip]:
    """The commands of models.named."""
    return [
        Clip(folder / row["path"], row["text"], (Entry.of(Kind(row["kind"]), row["name"]),))
        for row in table(folder / "manifest.tsv")
    ]


def strangers(kit: Path, clips: Sequence[Clip], count: int) -> list[Entry]:
    """Names of which no word is one of the recordings' names."""
    said = frozenset(word for clip in clips for word in clip.listed)
    every = (one for one in Pools.of(kit).entries() if said.isdisjoint(one.name.split()))
    return list(islice(every, count))


def rare(kit: Path, bundle: Path, count: int) -> tuple[list[Clip], list[Entry]]:
    """Read speech with its rarer words, and other rare words."""
    ngram = Ngram(bundle / "words.lm")
    order = np.argsort(-ngram.unigram[: ngram.unknown], kind="stable")
    words = [ngram.words[i] for i in order[RARE:]]
    known = {word for word in words if len(word) >= RARE_LETTERS and word.isalpha()}
    clips = []
    for task in tasks(kit, "librispeech_dev", count):
        entries = (Entry.of(Kind.PHRASE, word) for word in dict.fromkeys(task.text.split()))
        clips.append(Clip(task.path, task.text, tuple(e for e in entries if e.name in known)))
    left = sorted(known - {word for clip in clips for word in clip.listed})
    random.Random("rare").shuffle(left)
    return clips, [Entry.of(Kind.PHRASE, word) for word in left]


def summary(every: Sequence[Heard]) -> Figures:
    """All groups as figures."""
    audio = sum(one.seconds for one in every)
    found: Figures = {"recordings": len(every), "false_names": sum(one.false for one in every)}
    for name in ("listed", "rest"):
        wrong, words = zip(*(getattr(one, name) for one in every), strict=True)
        if sum(words):
            found[name] = [round(value, 2) for value in rate(wrong, words)]
    both = ([a + b for a, b in zip(one.listed, one.rest, strict=True)] for one in every)
    wrong, words = zip(*both, strict=True)
    found["all"] = [round(value, 2) for value in rate(wrong, words)]
    found["cpu"] = round(sum(one.cpu for one in every) / audio, 4)
    found["memory_mib"] = round(max(one.memory for one in every))
    return found


def gain(options: argparse.Namespace, setting: Setting) -> Iterator[tuple[str, Figures]]:
    """Commands with names: without a catalog, and with one of each size."""
    clips = named(options.named)
    others = strangers(options.kit, clips, max(options.sizes))
    yield from with_catalogs("gain", clips, others, options, setting)


def rarer(options: argparse.Namespace, setting: Setting) -> Iterator[tuple[str, Figures]]:
    """Read speech with its rarer words."""
    clips, others = rare(options.kit, setting.bundle, options.count)
    yield from with_catalogs("rare", clips, others, options, setting)


def harm(options: argparse.Namespace, setting: Setting) -> Iterator[tuple[str, Figures]]:
    """General speech, with names that nobody says."""
    for corpus in options.sets:
        every = tasks(options.kit, corpus, options.count)
        clips = [Clip(task.path, task.text) for task in every if not CALL.match(task.text)]
        said = [replace(clip, names=(Entry.of(Kind.PHRASE, clip.text[:100]),)) for clip in clips]
        others = strangers(options.kit, said, max(options.sizes))
        yield from with_catalogs(f"harm {corpus}", clips, others, options, setting)


def with_catalogs(
    name: str,
    clips: list[Clip],
    others: Sequence[Entry],
    options: argparse.Namespace,
    setting: Setting,
) -> Iterator[tuple[str, Figures]]:
    """The same recordings without a catalog, and in each way with one of each size."""
    yield f"{name} 0", summary(heard(setting, [(clips, [])]))
    for way in options.ways:
        changed = replace(setting, search={**WAYS[way], **setting.search})
        for size in options.sizes:
            together = TOGETHER.get((name, size), len(clips))
            groups = grouped(clips, size, together, others)
            yield f"{name} {way} {size}", summary(heard(changed, groups))


PARTS = {"gain": gain, "rare": rarer, "harm": harm}


def _number(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    return name, float(value)


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--named", type=Path, required=True, help="folder of models.named")
    parser.add_argument("--bundle", default="en")
    parser.add_argument("--sizes", nargs="+", type=int, default=[10, 100, 1_000, 10_000])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=["both"])
    parser.add_argument("--count", type=int, default=60, help="recordings a set of speech; 0: all")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument(
        "--search", nargs="+", type=_number, default=[], metavar="NAME=X", help="settings to try"
    )
    parser.add_argument(
        "--weights", nargs="+", type=_number, default=[], metavar="KIND=X", help="of names, to try"
    )
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS, help="of harm")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    changed = dict(options.search), dict(options.weights)
    setting, found = Setting(find(options.bundle), *changed, options.jobs), dict[str, Figures]()
    for part in options.only:
        for name, figures in PARTS[part](options, setting):
            found[name] = figures
            print(f"{name}: {json.dumps(figures)}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
