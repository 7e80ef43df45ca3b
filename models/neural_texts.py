"""What the re-ranker's language model learns from: sentences of the kit, by source, as numbers.

The sentences are those of models.lm, with the sample of sentences from books besides. A sentence of
the tables is left out if it comes from a template that a dev transcript comes from, too: with the
slots' values in place of each other it would be that transcript. One in twenty is held out.
"""

import json
import lzma
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.corpus import table
from models.lexicon import Dictionary
from models.lm import texts_of
from models.mixture import is_held_out
from models.texts import TABLES, Texts, book_counts, dev_texts, words_of

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.uint16]
BOOKS = "books"
FLATTER = 0.4  # how much less often a common pair of words is drawn than it is met


@dataclass(frozen=True, slots=True)
class Rows:
    """Sentences one after the other: `before` numbers of <s>, the words, </s>."""

    numbers: Numbers  # [positions]
    at: Ints  # [words and ends] where each stands


@dataclass(frozen=True, slots=True)
class Triples:
    """Three words in a row, as the book tables count them."""

    numbers: Numbers  # [T, 3]
    borders: Floats  # [T] running sums of how often each is drawn


def template(text: str, slots: Sequence[Mapping[str, str]]) -> str:
    """A sentence with the names of its slots in place of their values."""
    found = f" {text} "
    for slot in sorted(slots, key=lambda one: -len(one["value"])):
        found = found.replace(f" {slot['value']} ", f" ${slot['slot']} ")
    return found.strip()


def of_dev_templates(kit: Path) -> set[str]:
    """Sentences of the tables that have a template in common with a dev transcript."""
    dev = {" ".join(words_of(text)) for texts in dev_texts(kit).values() for text in texts}
    forms: dict[str, list[str]] = defaultdict(list)
    for name in TABLES:
        path = kit / "text" / name
        for row in table(path) if path.exists() else ():
            text = " ".join(words_of(row["text"]))
            forms[template(text, json.loads(row.get("slots") or "[]"))].append(text)
    shared = (form for form in forms.values() if not dev.isdisjoint(form))
    return {text for form in shared for text in form}


def all_texts(kit: Path) -> Texts:
    """Sentences by source, less those of dev templates."""
    left_out = of_dev_templates(kit)
    found = {
        name: [words for words in rows if " ".join(words) not in left_out]
        for name, rows in texts_of(kit, Dictionary(kit)).items()
    }
    return {**found, BOOKS: list(of_books(kit))}


def of_books(kit: Path) -> Iterator[list[str]]:
    """Sentences of books. None where the kit has no sample of them."""
    path = kit / "text" / "gutenberg" / "sentences.txt.xz"
    if path.exists():
        with lzma.open(path, "rt", encoding="utf8") as file:
            yield from (words for line in file if (words := words_of(line)))


def rows_of(texts: Sequence[list[str]], number: Mapping[str, int], before: int) -> Rows:
    """Number sentences; `number` has <s>, </s> and <unk>."""
    start, end, unknown = (number[mark] for mark in ("<s>", "</s>", "<unk>"))
    flat: list[int] = []
    at: list[int] = []
    for words in texts:
        flat += [start] * before
        at += range(len(flat), len(flat) + len(words) + 1)
        flat += [*(number.get(word, unknown) for word in words), end]
    places, numbers = np.array(at, np.int64), np.array(flat, np.uint16)
    return Rows(numbers, places[numbers[places] != unknown])


def split(texts: Texts) -> tuple[Texts, Texts]:
    """What is learnt and what is held out."""
    learnt, held = (
        {name: [one for one in rows if is_held_out(one) == out] for name, rows in texts.items()}
        for out in (False, True)
    )
    return learnt, held


def triples(kit: Path, number: Mapping[str, int]) -> Triples:
    """The trigrams of the book tables."""
    found, counts = [], []
    for words, count in book_counts(kit, "trigrams"):
        row = [number.get(word, -1) for word in words]
        if min(row) >= 0:
            found.append(row)
            counts.append(count)
    numbers = np.array(found, np.uint16).reshape(-1, 3)
    pair = numbers[:, 0].astype(np.int64) << 16 | numbers[:, 1]
    _, place = np.unique(pair, return_inverse=True)
    met = np.bincount(place, counts)
    return Triples(numbers, np.cumsum(np.array(counts) * met[place] ** -FLATTER))
