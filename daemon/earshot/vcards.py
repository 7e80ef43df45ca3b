"""Contacts out of vCards (versions 2.1 to 4.0), as telephones and address books export them.

vobject reads them line by line, so a line or a card that is damaged costs no other.
"""

import io
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from vobject.base import ParseError, getLogicalLines, textLineToContentLine
from vobject.icalendar import stringToTextValues

from earshot.entries import Alias, Entry
from earshot.errors import RequestError
from earshot.importing import Item, Refusal, attempt, full, person, text_of

Card = dict[str, list[str]]  # values by property, as they stand in the file


def contacts(path: Path) -> Iterator[Item]:
    """The contacts of a file. Raises RequestError for one without cards."""
    card: Card | None = None
    begun, cards = 0, 0
    for text, counted in getLogicalLines(io.StringIO(text_of(path)), allowQP=True):
        number = max(1, counted)  # vobject counts the first line as 0, the others from 2 on
        where = f"{path}, line {number}"
        try:
            name, value = _property(text, number)
        except (ParseError, ValueError, LookupError):
            yield Refusal(where, "not a line of a vCard; the rest of the card was read")
            continue
        if (name, value.upper()) == ("BEGIN", "VCARD"):
            if card is not None:
                yield Refusal(f"{path}, line {begun}", "a card that does not end")
            card, begun, cards = defaultdict(list), number, cards + 1
        elif (name, value.upper()) == ("END", "VCARD"):
            if card is not None and card.get("KIND", ["individual"])[0].lower() != "group":
                yield attempt(f"{path}, line {begun}", partial(_contact, card))
            card = None
        elif card is not None:
            card[name].append(value)
    if card is not None:
        yield Refusal(f"{path}, line {begun}", "a card that does not end")
    if not cards:
        message = f"{path}: no vCard in it; export contacts as .vcf"
        raise RequestError(message)


def _property(text: str, number: int) -> tuple[str, str]:
    line = textLineToContentLine(text, number)
    value = line.value
    return line.name.upper(), value.decode() if isinstance(value, bytes) else value


def _contact(card: Card) -> Entry:
    """Name, how it sounds, first name and nicknames of a card."""

    def first(name: str, separator: str = ",") -> list[str]:
        return _texts(card[name][0], separator) if card.get(name) else []

    family, given = [*first("N", ";"), "", ""][:2]
    name = " ".join(first("FN")) or full(given, family) or " ".join(first("ORG", ";"))
    said_given = "".join(first("X-PHONETIC-FIRST-NAME"))
    said = full(said_given, "".join(first("X-PHONETIC-LAST-NAME")))
    nicknames = [one for value in card.get("NICKNAME", []) for one in _texts(value, ",")]
    return person(name, said, Alias(given, said_given), nicknames)


def _texts(value: str, separator: str) -> list[str]:
    """The parts of a value, unescaped."""
    found: list[str] = stringToTextValues(value, listSeparator=separator)
    return found
