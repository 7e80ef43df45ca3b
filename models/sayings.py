"""What is spoken by machine: sentences of the kit, of its books, and made up, mixed by kind.

The same kit and seed give the same sayings, and a longer plan begins as a shorter one.
"""

import gzip
import lzma
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from pathlib import Path

from models.choose import Coverage, Rules, is_withheld
from models.corpus import table
from models.templates import LETTERS, Lists, drawn
from models.texts import sentences, words_of
from models.vocabulary import GIVEN, SURNAMES

SHARES = {  # of the clips
    "kit": 0.24,
    "cv": 0.15,
    "books": 0.14,
    "contacts": 0.12,
    "values": 0.14,
    "spelling": 0.07,
    "phrases": 0.06,
    "words": 0.08,
}
LENGTHS = {"kit": range(2, 17), "cv": range(3, 21), "books": range(4, 21)}  # words
POOL = 60_000  # sentences of a kind to choose from
TRIES = 200  # to make up a sentence that may be spoken and was not yet
COMMANDS = (
    "yes no on off stop go up down left right cancel pause play next previous back louder quieter "
    "mute resume repeat help okay hello thanks skip open close start wait continue again volume "
    "lights music timer alarm weather news time today tomorrow morning evening happy house dog cat "
    "bed bird tree wow follow forward backward learn visual computer enter erase rubout home "
    "zero one two three four five six seven eight nine ten eleven twelve twenty thirty hundred "
    "red green blue yellow white black monday friday saturday sunday kitchen bedroom percent"
).split() + list(LETTERS)
USUAL = 3  # times in the kit's sentences, from which a word is said alone
SPELT = range(2, 9)  # letters
# "ten am" is said by the names of its letters, "i am" is not.
_AM = re.compile(
    r"\b(o'clock|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty) am\b"
)


@dataclass(frozen=True, slots=True)
class Saying:
    """A text to speak: lower-case words, and letters said by their names in capitals."""

    kind: str
    text: str


def pools(kit: Path, rules: Rules, dice: random.Random) -> dict[str, list[str]]:
    """Sentences of each of LENGTHS that may be spoken, POOL of them at most, in random order."""
    reading = _common_voice(kit)
    texts: dict[str, list[str]] = {kind: [] for kind in LENGTHS}
    for words, _ in sentences(kit):
        text = " ".join(words)
        texts["cv" if text in reading else "kit"].append(text)
    texts["books"] += _books(kit)
    found: dict[str, list[str]] = {}
    for kind, every in texts.items():
        dice.shuffle(every)
        found[kind] = []
        while every and len(found[kind]) < POOL:
            text = every.pop()
            if len(text.split()) in LENGTHS[kind] and rules.allow(text):
                found[kind].append(_AM.sub(r"\1 AM", text))
    return found


def _common_voice(kit: Path) -> frozenset[str]:
    path = kit / "text/common-voice/cv_en.txt.gz"
    if not path.exists():
        return frozenset()
    with gzip.open(path, "rt", encoding="utf8") as file:
        return frozenset(" ".join(words_of(line)) for line in file)


def _books(kit: Path) -> list[str]:
    path = kit / "text/gutenberg/sentences.txt.xz"
    if not path.exists():
        return []
    with lzma.open(path, "rt", encoding="utf8") as file:
        return list(dict.fromkeys(" ".join(words_of(line)) for line in file))


def lists(kit: Path, words: list[str]) -> Lists:
    """Values of the templates: names of people, places and things; words to spell.

    A list of which the kit has nothing is empty.
    """
    names, entities = kit / "text/names", kit / "text/names/entities"
    given = [
        row["name"]
        for row in _rows(names / "given_us_ssa_1960_2020.tsv")
        if int(row["count"]) >= GIVEN
    ]
    ranked = _rows(names / "surnames_us_census1990.tsv")
    surnames = [row["name"] for row in ranked if int(row["rank"]) <= SURNAMES]
    homes = [line for line in _lines(entities / "ohf_names_en.tsv") if line[2] != "person"]
    rooms = ("area", "floor")
    short = [word for word in words if len(word) in SPELT and word.isalpha()]
    return {
        "given": [name for name in dict.fromkeys(given) if not is_withheld(name)],
        "surname": [name for name in dict.fromkeys(surnames) if not is_withheld(name)],
        "room": [said for said, _, kind in homes if kind in rooms],
        "device": [said for said, _, kind in homes if kind not in rooms],
        "city": [said for said, *_ in _lines(entities / "snips_city.tsv")],
        "artist": [said for said, *_ in _lines(entities / "snips_artist.tsv")],
        "word": short,
        "spelt": [" ".join(word.upper()) for word in short],
    }


def _rows(path: Path) -> list[dict[str, str]]:
    return list(table(path)) if path.exists() else []


def _lines(path: Path) -> list[list[str]]:
    """Rows of a table without a header."""
    if not path.exists():
        return []
    return [line.split("\t") for line in path.read_text(encoding="utf8").splitlines()]


def usual(texts: list[str]) -> list[str]:
    """Words that are often said, the commonest first; of the same count in order of the letters."""
    counts = Counter(word for text in texts for word in text.split() if word.islower())
    return [word for word in sorted(counts, key=lambda w: (-counts[w], w)) if counts[word] >= USUAL]


class _Sources:
    """A stream of texts for each kind; it ends where there is nothing new any more."""

    def __init__(self, kit: Path, seed: int) -> None:
        self.dice = random.Random(f"texts {seed}")
        self._rules = Rules(kit)
        self.coverage = Coverage(self._rules.dictionary)
        self._pools = pools(kit, self._rules, self.dice)
        self._usual = usual(self._pools["kit"])
        self._lists = lists(kit, self._usual)
        self._seen: set[str] = set()

    def streams(self) -> dict[str, Iterator[str]]:
        """A stream for each of SHARES."""
        made: dict[str, Iterator[str]] = {
            kind: self._made(partial(drawn, kind, self._lists, self.dice))
            for kind in ("contacts", "values", "spelling")
        }
        ordered = {k: self.coverage.order(pool, self.dice) for k, pool in self._pools.items()}
        return {**ordered, **made, "phrases": self._made(self._phrase), "words": self._words()}

    def _made(self, make: Callable[[], str]) -> Iterator[str]:
        for tries in repeat(range(TRIES)):
            for _ in tries:
                try:
                    text = make()
                except LookupError:  # a list of this kit is empty
                    continue
                if text not in self._seen and self._rules.allow(text):
                    break
            else:
                return
            self._seen.add(text)
            yield text

    def _phrase(self) -> str:
        """Two or three words: made up, or out of a sentence."""
        if self.dice.random() < 1 / 3:
            return drawn("phrases", self._lists, self.dice)
        words, count = self.dice.choice(self._pools["kit"]).split(), self.dice.choice((2, 2, 3))
        start = self.dice.randrange(max(1, len(words) - count + 1))
        return " ".join(words[start : start + count])

    def _words(self) -> Iterator[str]:
        """By turns a word of a command and any usual one, all over again where all were said."""
        single = [word for word in self._usual if self._rules.allow(word)]
        while True:
            for word in self.coverage.order(single, self.dice):
                yield self.dice.choice(COMMANDS)
                yield word
            if not single:
                yield self.dice.choice(COMMANDS)


def sayings(kit: Path, seed: int) -> Iterator[Saying]:
    """Texts to speak, mixed as SHARES has it, without end as long as there are words."""
    sources = _Sources(kit, seed)
    streams, dice = sources.streams(), random.Random(f"mix {seed}")
    while streams:
        kind = dice.choices(list(streams), [SHARES[kind] for kind in streams])[0]
        text = next(streams[kind], None)
        if text is None:
            del streams[kind]
        else:
            sources.coverage.add(text)
            yield Saying(kind, text)
