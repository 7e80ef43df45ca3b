"""Which words the language model and the lexicon hold: what the texts use, and names of people.

Every word of the sentences, the kit's and those made up, that a dictionary lists; words of the
books seen often enough, and those that no dictionary lists (British spellings, what Shakespeare
said) if they look like words, as models.lexicon can have them pronounced; then names, the commonest
first, until there is no room.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from models.classes import CLASSES
from models.corpus import table
from models.lexicon import Dictionary
from models.texts import Texts, book_counts

MOST_WORDS = 65_000  # a number of a word has 16 bits
GUESSED = 300  # count in the books from which a word in no dictionary is held, too
GIVEN = 10_000  # births from 1960 to 2020, from which a given name is held
SURNAMES = 5_000  # by rank
NUMERAL = re.compile(r"[ivxlcdm]+")
WORD = re.compile(r"[a-z][a-z']{2,}[a-z]")
VOWEL = re.compile(r"[aeiouy]")


def sayable(word: str) -> bool:
    """Whether it looks like a word, not like a numeral, a sign or an abbreviation."""
    return bool(WORD.fullmatch(word) and VOWEL.search(word) and not NUMERAL.fullmatch(word))


def names(kit: Path) -> Iterator[str]:
    """Given names, then surnames, the commonest first. None where the kit has no lists of them."""
    given, surnames = (
        kit / "text/names" / name
        for name in ("given_us_ssa_1960_2020.tsv", "surnames_us_census1990.tsv")
    )
    if given.exists():
        yield from (row["name"] for row in table(given) if int(row["count"]) >= GIVEN)
    if surnames.exists():
        yield from (row["name"] for row in table(surnames) if int(row["rank"]) <= SURNAMES)


def vocabulary(kit: Path, dictionary: Dictionary, least: int, texts: Texts) -> list[str]:
    """<s>, </s>, classes, words; `least` is how often the books must have a word of theirs."""
    words = dict.fromkeys(("<s>", "</s>", *CLASSES))
    said = dict.fromkeys(word for rows in texts.values() for row in rows for word in row)
    words.update({word: None for word in said if dictionary.pronunciations(word)})
    for (word, *_), count in sorted(book_counts(kit, "unigrams"), key=lambda row: -row[1]):
        listed = word[0] not in "<'" and bool(dictionary.pronunciations(word))
        if count >= least and (listed or (count >= GUESSED and sayable(word))):
            words[word] = None
    words.update({name: None for name in names(kit) if dictionary.pronunciations(name)})
    return list(words)[:MOST_WORDS]
