"""A test set of names: commands with names, spoken by voices, that no training has heard.

    python -m models.named --kit KIT --out build/named [--count 240]

Names of people are those that the kit withholds from all its sentences; things, rooms and titles
come from lists that no sentence is made of. The templates are others than those of the language
model. Voices are those of flite and festival that the kit's synthetic speech lacks, and accents of
espeak-ng; Debian's flite, festival, festvox-kallpc16k, festvox-kdlpc16k, festlex-cmu and espeak-ng
have them. The same programs give the same recordings.
"""

import argparse
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from earshot.entries import Entry, Kind

from models.choose import is_withheld
from models.corpus import table
from models.sayings import Saying
from models.speak import Job, spoken
from models.texts import words_of
from models.tiny_kit import rows_to
from models.voices import ENGINES, RATES, Speaker

PER_SPEAKER = 12
VOICES = (
    ("flite", "kal16"), ("festival", "ked_diphone"), ("festival", "kal_diphone"),
    ("espeak-ng", "en-029+f2"), ("espeak-ng", "en-gb-scotland+Mike"), ("flite", "kal"),
)  # fmt: skip
KINDS = {Kind.CONTACT: 0.55, Kind.DEVICE: 0.15, Kind.ROOM: 0.1, Kind.PLAYLIST: 0.2}
TEMPLATES = {
    Kind.CONTACT: (
        "call {}", "give {} a call", "could you phone {} for me", "text {} that i will be late",
        "let {} know i'm here", "ask {} if dinner is ready", "is there any message from {}",
        "start a video call with {}", "what is the number of {}", "send this picture to {}",
        "i want to talk to {} now", "when did {} last call me",
    ),
    Kind.DEVICE: (
        "turn on the {}", "switch the {} off please", "is the {} still running", "put the {} on",
        "could you start the {}", "shut down the {}", "what is the state of the {}",
    ),
    Kind.ROOM: (
        "turn off everything in the {}", "how warm is it in the {}", "make the {} brighter",
        "is anybody in the {}", "lights on in the {}", "vacuum the {} now",
    ),
    Kind.PLAYLIST: (
        "play {}", "put on {}", "i want to hear {}", "shuffle {} please", "stop playing {}",
        "add this song to {}", "start {} from the beginning",
    ),
}  # fmt: skip
ROOMS = (
    "scullery rotunda solarium mezzanine orangery boudoir snug belvedere gazebo loggia vestibule "
    "conservatory apothecary smithy granary cloister lanai rathskeller inglenook sauna tack-room "
    "muniment-room wet-bar panic-room billiard-room darkroom taproom sunroom crawlspace larder"
).split()
DEVICE_WORDS = range(2, 5)
TITLE_WORDS = range(1, 5)
PEOPLE = 30_000
ALONE = 3  # every so many given names stand alone
USUAL = 2_000  # births, from which a given name is usual; the others say what parents think of
COMMON = 8_000  # rank of a surname


@dataclass(frozen=True, slots=True)
class Pools:
    """Names to draw from, each once: no two entries are one."""

    names: dict[Kind, list[str]]

    @classmethod
    def of(cls, kit: Path) -> "Pools":
        """Of a kit, in an order that is always the same."""
        dice, lists = random.Random("names"), kit / "text/names"
        known = set(_first(lists / "entities/ohf_names_en.tsv"))
        things = [n for n in _first(lists / "entities/homellm_devices_en.tsv") if n not in known]
        titles = _first(lists / "entities/homellm_media_names.tsv")
        found = {
            Kind.CONTACT: _people(lists, dice),
            Kind.DEVICE: [name for name in things if len(name.split()) in DEVICE_WORDS],
            Kind.ROOM: [room.replace("-", " ") for room in ROOMS],
            Kind.PLAYLIST: [name for name in titles if len(name.split()) in TITLE_WORDS],
        }
        for names in found.values():
            names[:] = dict.fromkeys(names)
            dice.shuffle(names)
        return cls(found)

    def entries(self) -> Iterator[Entry]:
        """Mixed by KINDS, without end as long as there are names of people."""
        left = {kind: iter(names) for kind, names in self.names.items()}
        dice = random.Random("kinds")
        while True:
            kind = dice.choices(list(KINDS), list(KINDS.values()))[0]
            name = next(left[kind], None)
            if name is not None:
                yield Entry.of(kind, name)
            elif kind is Kind.CONTACT:
                return


def _people(lists: Path, dice: random.Random) -> list[str]:
    """Given names with a surname, and some alone."""
    given = sorted(
        {
            row["name"]
            for row in table(lists / "given_us_ssa_1960_2020.tsv")
            if int(row["count"]) >= USUAL and is_withheld(row["name"])
        }
    )
    surnames = [
        row["name"]
        for row in table(lists / "surnames_us_census1990.tsv")
        if int(row["rank"]) <= COMMON and is_withheld(row["name"])
    ]
    return [f"{dice.choice(given)} {dice.choice(surnames)}" for _ in range(PEOPLE)] + given[::ALONE]


def _first(path: Path) -> list[str]:
    rows = path.read_text(encoding="utf8").splitlines()
    return [" ".join(words_of(row.split("\t")[0])) for row in rows]


def sentence(entry: Entry, dice: random.Random) -> str:
    """A command with a name in it."""
    return dice.choice(TEMPLATES[entry.kind]).format(entry.name)


def commands(kit: Path, count: int) -> dict[str, Entry]:
    """Different commands, each with the entry in it."""
    dice, found = random.Random("commands"), dict[str, Entry]()
    every = Pools.of(kit).entries()
    while len(found) < count:
        entry = next(every)
        found[sentence(entry, dice)] = entry
    return found


def jobs(texts: list[str], out: Path) -> Iterator[Job]:
    """A speaker after the other, each with some commands."""
    dice = random.Random("speakers")
    for number in range(-(-len(texts) // PER_SPEAKER)):
        engine, voice = VOICES[number % len(VOICES)]
        pitch, formant = dice.uniform(0.88, 1.14), dice.uniform(0.95, 1.06)
        who = Speaker(f"named{number:03d}", engine, voice, pitch, dice.uniform(*RATES), formant)
        said = texts[number * PER_SPEAKER :][:PER_SPEAKER]
        yield Job(who, [Saying("named", text) for text in said], out / who.name, Path(), seed=0)


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=240)
    options = parser.parse_args()
    for engine, voice in VOICES:
        if not ENGINES[engine].installed().get(voice):
            sys.exit(f"{engine} has no voice {voice}: install what this step asks for")
    said = commands(options.kit, options.count)
    rows = []
    for job in jobs(list(said), options.out):
        for row in spoken(job)["rows"]:
            entry = said[row["text"]]
            rows.append({**row, "split": "dev", "kind": entry.kind.value, "name": entry.name})
    rows_to(options.out / "manifest.tsv", rows)
    print(f"{options.out}: {len(rows)} of {len(said)} commands")


if __name__ == "__main__":
    main()
