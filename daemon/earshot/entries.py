"""What the owner names: entries of the catalog, and what may be one.

An entry is written in any script and with any sign. What matters is that its words can be said:
`earshot.saying` tells which words those are.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Self

from earshot.errors import LimitError, RequestError, SettingsError

MOST_CHARACTERS = 120  # of a name; nobody says more at once
MOST_ALIASES = 20
HEAVIEST = 4.0  # weight; more, and an entry is heard where it was not said


class Kind(Enum):
    """Where an entry is said: contacts after "call", devices after "turn on"."""

    CONTACT = "contact"
    DEVICE = "device"
    ROOM = "room"
    PLAYLIST = "playlist"
    PHRASE = "phrase"  # anywhere


def tidy(text: str) -> str:
    """Text in one form (NFC), with single spaces and nothing that cannot be seen."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kept = "".join(
        " " if c.isspace() else c
        for c in unicodedata.normalize("NFC", text)
        if c.isspace() or unicodedata.category(c)[0] != "C"
    )
    return " ".join(kept.split())


def key_of(name: str) -> str:
    """What two spellings of one name have in common."""
    return unicodedata.normalize("NFKC", name).casefold()


def named(kind: str) -> Kind:
    """The kind of this name. Raises RequestError."""
    try:
        return Kind(kind)
    except ValueError:
        known = ", ".join(one.value for one in Kind)
        message = f"{kind!r} is no kind of entry; there are {known}"
        raise RequestError(message) from None


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name of an entry."""

    name: str
    said: str = ""
    """how it sounds, in common spelling; empty where it is said as it is written"""

    def merged(self, newer: Self) -> Self:
        """What both say of one alias."""
        return replace(newer, said=newer.said or self.said)


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody or something with a name. Made by `Entry.of`."""

    kind: Kind
    name: str
    said: str = ""
    """how it sounds, in common spelling; empty where it is said as it is written"""
    aliases: tuple[Alias, ...] = ()
    weight: float | None = None
    """how much it is favoured; None for as much as its kind"""

    @classmethod
    def of(
        cls,
        kind: Kind,
        name: str,
        said: str = "",
        aliases: Iterable[Alias] = (),
        weight: float | None = None,
    ) -> Self:
        """Tidy and check. Raises RequestError for what is no name, LimitError for too much."""
        found = cls(kind, checked(name), checked(said) if tidy(said) else "", (), weight)
        if weight is not None and not 0 <= weight <= HEAVIEST:
            message = f"{found.name}: the weight is {weight:g}, but must be 0 to {HEAVIEST:g}"
            raise RequestError(message)
        return found.called(aliases)

    @property
    def key(self) -> tuple[str, str]:
        """Entries that agree in it are one."""
        return self.kind.value, key_of(self.name)

    def called(self, aliases: Iterable[Alias]) -> Self:
        """The same entry with more aliases; those it has stay as they are."""
        known = {key_of(alias.name): alias for alias in self.aliases}
        for alias in aliases:
            if tidy(alias.name) and key_of(tidy(alias.name)) != key_of(self.name):
                said = checked(alias.said) if tidy(alias.said) else ""
                one = Alias(checked(alias.name), said)
                known.setdefault(key_of(one.name), one)
        if len(known) > MOST_ALIASES:
            raise LimitError(self.name, len(known), MOST_ALIASES, "aliases")
        return replace(self, aliases=tuple(known.values()))

    def merged(self, newer: Self) -> Self:
        """What both say of one entry: all aliases, and of the rest what the newer one knows."""
        weight = self.weight if newer.weight is None else newer.weight
        known = {key_of(alias.name): alias for alias in newer.aliases}
        kept = (alias.merged(known.get(key_of(alias.name), alias)) for alias in self.aliases)
        found = replace(newer, said=newer.said or self.said, weight=weight, aliases=tuple(kept))
        return found.called(newer.aliases)


@dataclass(frozen=True, slots=True)
class KindWeights:
    """How much entries are favoured that say nothing of it, by their kind; 1 is usual."""

    contact: float = 1.0
    device: float = 1.0
    room: float = 1.0
    playlist: float = 1.0
    phrase: float = 1.0

    def __post_init__(self) -> None:
        """Raise SettingsError for what no entry may have."""
        for kind in Kind:
            if not 0 <= (value := getattr(self, kind.value)) <= HEAVIEST:
                message = f"{kind.value} is {value:g}, but must be 0 to {HEAVIEST:g}"
                raise SettingsError(message)

    def of(self, entry: Entry) -> float:
        """How much an entry is favoured."""
        kind: float = getattr(self, entry.kind.value)
        return kind if entry.weight is None else entry.weight


USUAL_WEIGHTS = KindWeights()


@dataclass(frozen=True, slots=True)
class Phrases:
    """Names that a client wants to be favoured in one stream of audio."""

    entries: tuple[Entry, ...]
    source: str = "phrases"


def checked(name: str) -> str:
    """The name, tidied. Raises RequestError for an empty one, LimitError for a long one."""
    found = tidy(name)
    if not found:
        message = "an entry without a name; give it one"
        raise RequestError(message)
    if len(found) > MOST_CHARACTERS:
        raise LimitError(found[:24] + "…", len(found), MOST_CHARACTERS, "characters")
    return found
