"""Sentences made up for the language model: commands with names, numbers, times, dates and units.

The templates are those of the speech that is made by machine (models.templates), each kind a source
of its own, so that a number is likely where a number belongs and nowhere else. The same kit gives
the same sentences. Some are drawn with classes in place of names (models.classes).
"""

import random
from collections.abc import Iterator
from pathlib import Path

from earshot.names import class_of

from models.classes import CLASSES, LISTS, classed
from models.lexicon import Dictionary
from models.sayings import lists
from models.templates import drawn
from models.texts import dev_texts, words_of

COUNTS = {"values": 40_000, "contacts": 20_000, "spelling": 8_000, "phrases": 6_000}  # drawn
SPELT = 3_000  # words that are spelt
CLASSED = (
    0.5  # of COUNTS, drawn once more with classes: every other name said is one of the owner's
)


def made(kit: Path, dictionary: Dictionary, usual: list[str]) -> Iterator[tuple[list[str], str]]:
    """(words, source) of sentences, each once, all of words with a pronunciation.

    `usual` are words to spell. No dev transcript is among them, but for single words.
    """
    values, dice = lists(kit, usual[:SPELT]), random.Random("made")
    seen = {" ".join(words_of(text)) for texts in dev_texts(kit).values() for text in texts}
    known: dict[str, bool] = {}
    for kind, count in COUNTS.items():
        for _ in range(count):
            try:
                words = words_of(drawn(kind, values, dice))
            except LookupError:  # a list of this kit is empty
                continue
            key = " ".join(words)
            for word in words:
                if word not in known:
                    known[word] = bool(dictionary.pronunciations(word))
            if key not in seen and all(known[word] for word in words):
                seen.add(key)
                yield words, kind


def made_with_classes(kit: Path, dictionary: Dictionary) -> Iterator[tuple[list[str], str]]:
    """(words, source) of sentences with classes; each as often as it is drawn."""
    values, dice = dict(lists(kit, [])), random.Random("classes")
    values |= {name: [class_of(kind)] for name, kind in LISTS.items()}
    known = dict.fromkeys(CLASSES, True)
    for kind, count in COUNTS.items():
        for _ in range(int(count * CLASSED)):
            try:
                words = classed(drawn(kind, values, dice))
            except LookupError:  # a list of this kit is empty
                continue
            known |= {w: bool(dictionary.pronunciations(w)) for w in words if w not in known}
            if not set(words).isdisjoint(CLASSES) and all(known[word] for word in words):
                yield words, kind
