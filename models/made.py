"""Sentences made up for the language model: commands with names, numbers, times, dates and units.

The templates are those of the speech that is made by machine (models.templates), each kind a source
of its own, so that a number is likely where a number belongs and nowhere else. The same kit gives
the same sentences.
"""

import random
from collections.abc import Iterator
from pathlib import Path

from models.lexicon import Dictionary
from models.sayings import lists
from models.templates import drawn
from models.texts import dev_texts, words_of

COUNTS = {"values": 40_000, "contacts": 20_000, "spelling": 8_000, "phrases": 6_000}  # drawn
SPELT = 3_000  # words that are spelt


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
