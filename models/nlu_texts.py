"""Sentences of the kit with what they mean, in earshot's own intents and slots.

`models/nlu_intents.toml` says what the intents and slots of each table are to us. What is tested on
is not trained on, whichever table has it: nlu-eval, slurp and massive-en share many sentences. All
that the kit's machine voices say is left out of training as well (but for what is made up), so that
what is recognised of their recordings tells how new sentences are understood.
"""

import gzip
import hashlib
import json
import lzma
import random
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from earshot.nlu import TALK
from earshot.sounds import OWNER

from models.corpus import table
from models.made_up import Drawn, drawn
from models.sayings import lists
from models.texts import words_of

INTENTS = Path(__file__).with_name("nlu_intents.toml")
OUTSIDE = ""
READ = {"read-cv": 6_000, "read-books": 4_000}  # sentences that mean nothing to a device
MADE = 400  # sentences of each template
UNITS = frozenset("hour hours minute minutes second seconds".split())
MEASURED = "duration"  # the slot whose units stand outside in the tables
Tags = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A table of the kit: its file, which names it has, and whether it always tells its slots."""

    file: str
    family: str
    slots: str  # "all", "some" (no slots may mean that they are unknown), or "none"
    split: bool = True  # it has a test part of its own


SOURCES = {
    "nlu-eval": Source("nlu-eval/nlu_eval.tsv.gz", "assistant", "all"),
    "slurp": Source("slurp/slurp_devel_test.tsv", "assistant", "all"),
    "massive": Source("massive-en/massive_en.tsv.gz", "assistant", "some"),
    "clinc150": Source("clinc150/clinc150.tsv.gz", "clinc", "none"),
    "snips": Source("snips/snips2017.tsv.gz", "snips", "all"),
    "ohf": Source("ohf-intents/ohf_en_sampled.tsv.gz", "ohf", "all", split=False),
    "home-llm": Source("home-llm/homellm_en.tsv", "homellm", "some", split=False),
}


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence, what it means, and which slot each word is part of, where that is known."""

    words: tuple[str, ...]
    source: str
    split: str  # train, devel or test
    intent: str
    tags: Tags | None = None

    @property
    def text(self) -> str:
        """The words."""
        return " ".join(self.words)


@dataclass(frozen=True, slots=True)
class Meanings:
    """Our names for those of the tables, by family."""

    intents: tuple[str, ...]
    slots: tuple[str, ...]
    intent: Mapping[tuple[str, str], str]
    slot: Mapping[tuple[str, str], str]
    made: Mapping[str, Sequence[str]]

    def meant(self, family: str, row: Mapping[str, str], slots: Sequence[tuple[str, str]]) -> str:
        """Our intent of a row; empty where it has none."""
        name = row["intent"]
        more = [f"{name} saying {word}" for word in row["text"].split()]
        more += [f"{name} with {slot}" for slot, _ in slots]
        found = (self.intent.get((family, one), "") for one in (*more, name))
        return next(filter(None, found), "")


@cache
def meanings(path: Path = INTENTS) -> Meanings:
    """Read the table of meanings."""
    found = tomllib.loads(path.read_text(encoding="utf8"))

    def turned(named: Mapping[str, Mapping[str, Sequence[str]]]) -> dict[tuple[str, str], str]:
        return {
            (family, theirs): ours
            for ours, families in named.items()
            for family, every in families.items()
            for theirs in every
        }

    intents, slots = found["intents"], found["slots"]
    return Meanings(tuple(intents), tuple(slots), turned(intents), turned(slots), found["made"])


def tagged(words: Sequence[str], slots: Sequence[tuple[str, str]]) -> Tags:
    """The slot of each word; a value that does not stand there is passed over."""
    tags = [OUTSIDE] * len(words)
    bare = [word.removesuffix(OWNER) for word in words]
    for slot, value in sorted(slots, key=lambda one: -len(one[1].split())):
        said = value.split()
        for at in range(len(words) - len(said) + 1):
            end = at + len(said)
            there = list(words[at:end]) == said or bare[at:end] == said
            if said and there and not any(tags[at:end]):
                while slot == MEASURED and end < len(words) and words[end] in UNITS:
                    end += 1
                tags[at:end] = [slot] * (end - at)
                break
    return tuple(tags)


def _share(text: str) -> int:
    """A number below 10 that a text always has."""
    return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(), 16) % 10


def _split(source: Source, row: Mapping[str, str], words: Sequence[str], tags: Tags | None) -> str:
    """The part of a sentence: as its table says, or by its template, which values do not change."""
    if source.split:
        return row["split"]
    template = " ".join(tag or word for word, tag in zip(words, tags or words, strict=True))
    return {0: "test", 1: "devel"}.get(_share(template), "train")


def labelled(kit: Path, name: str) -> Iterator[Example]:
    """The sentences of a table that mean something to us."""
    source, ours = SOURCES[name], meanings()
    path = kit / "text" / source.file
    for row in table(path) if path.exists() else ():
        words = tuple(words_of(row["text"]))
        theirs = [(one["slot"], one["value"]) for one in json.loads(row["slots"] or "[]")]
        intent = ours.meant(source.family, row, theirs)
        if not (words and intent):
            continue
        slots = [(ours.slot.get((source.family, slot), ""), value) for slot, value in theirs]
        tags = tagged(words, [one for one in slots if one[0]])
        known = source.slots == "all" or (source.slots == "some" and bool(theirs))
        split = _split(source, row, words, tags if known else None)
        yield Example(words, name, split, intent, tags if known else None)


def _read(kit: Path) -> Iterator[Example]:
    """Sentences of books and of Common Voice."""
    files = {
        "read-cv": (kit / "text/common-voice/cv_en.txt.gz", gzip.open),
        "read-books": (kit / "text/gutenberg/sentences.txt.xz", lzma.open),
    }
    for name, (path, opener) in files.items():
        every: list[str] = []
        if path.exists():
            with opener(path, "rt", encoding="utf8") as file:  # type: ignore[operator]
                every = sorted({" ".join(words_of(line)) for line in file} - {""})
        random.Random(name).shuffle(every)
        for text in every[: READ[name]]:
            split = {0: "test", 1: "devel"}.get(_share(text), "train")
            yield Example(tuple(text.split()), name, split, TALK)


def _made(kit: Path) -> Iterator[Example]:
    """Sentences made up."""
    ours, values, dice = meanings(), lists(kit, []), random.Random("made up")
    for intent, templates in ours.made.items():
        for template in templates:
            for _ in range(MADE):
                try:
                    found: Drawn = drawn(template, values, dice)
                except LookupError:  # a list of this kit is empty
                    break
                tags = tuple(ours.slot.get(("made", slot), "") for slot in found.slots)
                meant = ours.intent.get(("made", intent), intent)
                yield Example(found.words, "made", "train", meant, tags)


def spoken(kit: Path) -> set[str]:
    """What the machine voices and all dev recordings say, which is not trained on."""
    found = set()
    for manifest in sorted((kit / "speech").glob("*/manifest.tsv")):
        for row in table(manifest):
            if row["split"] == "dev" or manifest.parent.name == "synthetic":
                found.add(" ".join(words_of(row["text"])))
    return found


def examples(kit: Path, *, devel: bool = False) -> tuple[list[Example], dict[str, list[Example]]]:
    """What is trained on, and the test sentences of each source.

    With `devel`, its sentences are the test, and neither is trained on. Otherwise they are trained
    on like the others.
    """
    every = [one for name in SOURCES for one in labelled(kit, name)]
    every += _read(kit)
    part = "devel" if devel else "test"
    tested: dict[str, dict[tuple[str, str], Example]] = defaultdict(dict)
    for one in every:
        if one.split == part:
            tested[one.source].setdefault((one.text, one.intent), one)
    held = {one.text for one in every if one.split == "test" or (devel and one.split == "devel")}
    held |= spoken(kit)
    seen: dict[tuple[str, str, bool], Example] = {}
    for one in [*every, *_made(kit)]:
        if one.text not in held:
            seen.setdefault((one.text, one.intent, one.tags is not None), one)
    kept = [
        one for (text, intent, known), one in seen.items()
        if known or (text, intent, True) not in seen
    ]  # fmt: skip
    return kept, {name: list(found.values()) for name, found in tested.items()}
