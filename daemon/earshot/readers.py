"""Any file with names in it, read by what it is."""

from collections.abc import Callable, Iterator
from pathlib import Path

from earshot.entries import Entry, Kind
from earshot.errors import RequestError
from earshot.importing import Item, Refusal, listed, tabled
from earshot.registries import registries
from earshot.store import Store
from earshot.vcards import contacts

SQLITE = b"SQLite format 3\0"  # how such a file begins
# How to read a file, by the end of its name; any other is a list, and a folder is Home Assistant's.
READERS: dict[str, Callable[[Path, Kind | None], Iterator[Item]]] = {
    ".vcf": lambda path, _: contacts(path),
    ".csv": tabled,
    ".tsv": tabled,
    ".json": lambda path, _: registries(path),
    "_registry": lambda path, _: registries(path),
}


def read(path: Path, kind: Kind | None = None) -> Iterator[Item]:
    """The entries of a file, of a kind where it says none. Raises RequestError."""
    if path.is_dir():
        return registries(path)
    for ending, reader in READERS.items():
        if path.name.lower().endswith(ending):
            return reader(path, kind)
    return listed(path, kind or Kind.PHRASE)


def entries_of(path: Path) -> tuple[list[Entry], list[Refusal]]:
    """The entries of a catalog, or of any other file with names; and what is none.

    Raises RequestError, DeviceError.
    """
    if _is_catalog(path):
        with Store(path) as store:
            return store.entries(), []
    items = list(read(path))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Refusal)]


def _is_catalog(path: Path) -> bool:
    if path.is_dir():
        return False
    try:
        with path.open("rb") as file:
            return file.read(len(SQLITE)) == SQLITE
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise RequestError(message) from error
