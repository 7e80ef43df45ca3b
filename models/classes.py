"""Sentences with classes in place of names, for the language model: "call $contact".

The owner's catalog fills the classes when the daemon runs (earshot.vocabulary): each kind of entry
is a word of the language model, which so knows where names belong without knowing any. Sentences
come from the tables of the kit that say where names stand, and from the templates (models.made).
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from earshot.entries import Kind
from earshot.names import class_of
from earshot.sounds import OWNER

from models.corpus import table
from models.texts import TABLES, TRANSCRIPTS, dev_texts, words_of

CLASSES = tuple(class_of(kind) for kind in Kind if kind is not Kind.PHRASE)
# Slots of the tables. What one asks to be played is one kind, whatever the tables call it.
SLOTS = {
    "person": Kind.CONTACT,
    "name": Kind.DEVICE,
    "device_type": Kind.DEVICE,
    "area": Kind.ROOM,
    "floor": Kind.ROOM,
    "house_place": Kind.ROOM,
    "playlist": Kind.PLAYLIST,
    "playlist_name": Kind.PLAYLIST,
    "entity_name": Kind.PLAYLIST,
    "artist": Kind.PLAYLIST,
    "artist_name": Kind.PLAYLIST,
    "song_name": Kind.PLAYLIST,
    "album": Kind.PLAYLIST,
    "track": Kind.PLAYLIST,
}
# Lists of the templates; a name and a surname after each other are one contact.
LISTS = {
    "given": Kind.CONTACT,
    "surname": Kind.CONTACT,
    "room": Kind.ROOM,
    "device": Kind.DEVICE,
    "artist": Kind.PLAYLIST,
}


CALLS = "synthetic"  # recordings of which many call somebody
USUAL = 0.02  # share of these sentences that a word is in; all rarer words are names


def classed(text: str) -> list[str]:
    """Words of a sentence with classes in it; owners count as what they own, twins as one."""
    words: list[str] = []
    for word in text.split():
        bare = word.removesuffix(OWNER)
        words += [bare] if bare in CLASSES else words_of(word)
    return [word for word, _ in groupby(words)]


def replaced(words: Sequence[str], slots: Sequence[tuple[str, Kind]]) -> list[str]:
    """Words with a class in place of each slot's value, where it stands whole."""
    text = f" {' '.join(words)} "
    for value, kind in sorted(slots, key=lambda slot: -len(slot[0])):
        for ending in ("", OWNER):
            text = text.replace(f" {value}{ending} ", f" {class_of(kind)} ")
    return text.split()


def calls(kit: Path) -> Iterator[tuple[list[str], str]]:
    """(words, source) of the recordings that call somebody."""
    manifest = kit / "speech" / CALLS / "manifest.tsv"
    rows = list(table(manifest)) if manifest.exists() else []
    texts = [r["text"] for r in rows if r["split"] == "train" and r.get("kind") == "contacts"]
    counts = Counter(word for text in texts for word in set(text.split()))
    usual = {word for word, count in counts.items() if count > USUAL * len(texts)}
    name = class_of(Kind.CONTACT)
    for text in texts:
        words = (word if word in usual else name for word in text.split())
        yield classed(" ".join(words)), TRANSCRIPTS[CALLS]


def tables(kit: Path) -> Iterator[tuple[list[str], str]]:
    """(words, source) of the tables' sentences that have a name in them, less dev transcripts."""
    seen = {" ".join(words_of(text)) for texts in dev_texts(kit).values() for text in texts}
    for name, source in TABLES.items():
        path = kit / "text" / name
        for row in table(path) if path.exists() else ():
            known = [(one["slot"], one["value"]) for one in json.loads(row.get("slots", "[]"))]
            slots = [(value, SLOTS[slot]) for slot, value in known if value and slot in SLOTS]
            words = words_of(row["text"])
            if slots and " ".join(words) not in seen:
                found = replaced(words, slots)
                if found != words:
                    yield found, source
