"""Names out of plain lists and tables, and what all readers of names share.

Readers give entries, and for what is none a refusal that says where it stands and why; so the rest
is imported.
"""

import csv
import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from earshot.entries import Alias, Entry, Kind, named
from earshot.errors import LimitError, RequestError

if TYPE_CHECKING:
    from _csv import Reader

MOST_BYTES = 64 << 20  # of a file; the address book of a large company
COMMENT, SOUNDS = "#", "="
# Columns of a table by their titles: ours, and those of address books.
COLUMNS = {
    "kind": ("kind",),
    "name": ("name", "full name", "display name", "file as"),
    "given": ("first name", "given name"),
    "family": ("last name", "family name", "surname"),
    "nickname": ("nickname",),
    "said": ("said", "sounds like", "phonetic name"),
    "given_said": ("phonetic first name", "given name yomi"),
    "family_said": ("phonetic last name", "family name yomi"),
    "weight": ("weight",),
    "alias_of": ("alias_of", "alias of"),
}
EXPORTED = ("kind", "name", "said", "weight", "alias_of")


class Refusal(NamedTuple):
    """Something that did not become an entry."""

    where: str
    why: str


Item = Entry | Refusal


def attempt(where: str, make: Callable[[], Entry]) -> Item:
    """The entry, or why there is none."""
    try:
        return make()
    except RequestError as error:
        return Refusal(where, str(error))


def text_of(path: Path) -> str:
    """Text of a file. Raises RequestError where it cannot be read, LimitError where it is huge."""
    try:
        if (size := path.stat().st_size) > MOST_BYTES:
            raise LimitError(str(path), size, MOST_BYTES, "bytes")
        data = path.read_bytes()
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise RequestError(message) from error
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = 1 + data.count(b"\n", 0, error.start)
        message = f"{path}, line {line}: not {error.encoding.upper()}; export it as UTF-8"
        raise RequestError(message) from error


def full(given: str, family: str) -> str:
    """A whole name of its parts."""
    return f"{given} {family}".strip()


def person(name: str, said: str, first: Alias, nicknames: list[str]) -> Entry:
    """A contact, also called by the first name and by nicknames."""
    aliases = [first, *map(Alias, nicknames)]
    return Entry.of(Kind.CONTACT, name, said, aliases)


def listed(path: Path, kind: Kind) -> Iterator[Item]:
    """A plain list: a name a line, or `name = how it sounds`; # begins a comment."""
    for number, line in enumerate(text_of(path).splitlines(), 1):
        name, _, said = line.partition(SOUNDS)
        if name.strip() and not line.lstrip().startswith(COMMENT):
            yield attempt(f"{path}, line {number}", partial(Entry.of, kind, name, said))


def tabled(path: Path, kind: Kind | None) -> Iterator[Item]:
    """A table with titles, as `export` writes it or an address book does. Raises RequestError."""
    text = text_of(path)
    first = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count))
    titles = [title.strip().lower() for title in next(_cells(rows, path), [])]
    place = {
        column: titles.index(title)
        for column, known in COLUMNS.items()
        for title in known
        if title in titles
    }
    if not place.keys() & {"name", "given", "family"}:
        message = f"{path}: no column has the title name; the first line must hold the titles"
        raise RequestError(message)
    usual = Kind.PHRASE if "name" in place and "given" not in place else Kind.CONTACT
    for cells in _cells(rows, path):
        values = {column: cells[at] for column, at in place.items() if at < len(cells)}
        if any(map(str.strip, cells)):
            yield attempt(f"{path}, line {rows.line_num}", partial(_row, values, kind or usual))


def _cells(rows: "Reader", path: Path) -> Iterator[list[str]]:
    try:
        yield from rows
    except csv.Error as error:  # what follows cannot be told apart any more
        message = f"{path}, line {rows.line_num}: {error}"
        raise RequestError(message) from error


def _row(values: dict[str, str], usual: Kind) -> Entry:
    """An entry of a row; one with `alias_of` is another name of that entry."""
    cell = {column: values.get(column, "").strip() for column in COLUMNS}
    kind = named(cell["kind"].lower()) if cell["kind"] else usual
    if cell["alias_of"]:
        aliases = [Alias(cell["name"], cell["said"])]
        return Entry.of(kind, cell["alias_of"], "", aliases, _weight(cell["weight"]))
    said = cell["said"] or full(cell["given_said"], cell["family_said"])
    name = cell["name"] or full(cell["given"], cell["family"])
    if kind is Kind.CONTACT and cell["given"]:
        nicknames = [cell["nickname"]] if cell["nickname"] else []
        return person(name, said, Alias(cell["given"], cell["given_said"]), nicknames)
    return Entry.of(kind, name, said, (), _weight(cell["weight"]))


def _weight(cell: str) -> float | None:
    if not cell:
        return None
    try:
        return float(cell)
    except ValueError:
        message = f"{cell!r} is no weight; give a number, or nothing"
        raise RequestError(message) from None


def table(entries: list[Entry]) -> str:
    """Entries as a table that `tabled` reads: a row for each name."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(EXPORTED)
    for one in entries:
        weight = "" if one.weight is None else f"{one.weight:g}"
        writer.writerow((one.kind.value, one.name, one.said, weight, ""))
        writer.writerows(
            (one.kind.value, alias.name, alias.said, weight, one.name) for alias in one.aliases
        )
    return out.getvalue()
