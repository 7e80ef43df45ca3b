"""The catalog as it is kept: one SQLite file that only its owner reads (0600).

Every change is one transaction, so whoever is killed in the middle of one changed nothing. Readers
do not wait for writers (write-ahead log), and a reader learns of a change by asking for `version`.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

from earshot.entries import Alias, Entry, Kind, key_of
from earshot.errors import DeviceError, EarshotError, LimitError
from earshot.guarded import FILE, make_folder, warn_if_private_is_open

MOST_ENTRIES = 20_000
PATIENCE = 5.0  # seconds to wait for another writer
# What was done to a new file, in order; user_version counts. Never change one that was released.
MIGRATIONS = (
    """
    CREATE TABLE entry (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        name TEXT NOT NULL,
        said TEXT NOT NULL,
        weight REAL,
        UNIQUE (kind, key)
    );
    CREATE TABLE alias (
        entry INTEGER NOT NULL REFERENCES entry ON DELETE CASCADE,
        place INTEGER NOT NULL,
        name TEXT NOT NULL,
        said TEXT NOT NULL,
        PRIMARY KEY (entry, place)
    ) WITHOUT ROWID;
    """,
)
AGAIN = "move it away and import again"
ADVICE = {
    "SQLITE_BUSY": "another program is writing to it; try again",
    "SQLITE_READONLY": "it may not be written; its owner must do this",
    "SQLITE_CANTOPEN": "it cannot be opened; look at its owner and its folder",
    "SQLITE_NOTADB": "it is no catalog; move it away, or name another file",
    "SQLITE_CORRUPT": f"it is damaged; {AGAIN}",
    "SQLITE_FULL": "the disk is full; nothing was changed",
    "SQLITE_IOERR": "the disk does not answer; nothing was changed",
}


class Counts(NamedTuple):
    """What a change did."""

    added: int = 0
    changed: int = 0
    same: int = 0


class Store:
    """An open catalog. Raises DeviceError wherever the file does not do what is asked."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make one."""
        self.path = path
        with self._explained():
            self._make()
            self._connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._migrate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @property
    def version(self) -> int:
        """A number that is another one after every change by anybody else."""
        with self._explained():
            found: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
            return found

    def entries(self, kind: Kind | None = None) -> list[Entry]:
        """All entries, or those of a kind, by kind and name."""
        with self._explained():
            return [entry for _, entry in self._rows(kind)]

    def put(self, entries: Iterable[Entry]) -> Counts:
        """Add entries, or what is new about them. All of them or, where it fails, none.

        Raises LimitError where they would be too many.
        """
        with self._explained(), self._transaction():
            known = {entry.key: (number, entry) for number, entry in self._rows(None)}
            counts = [0, 0, 0]
            for new in entries:
                number, old = known.get(new.key, (None, None))
                one = old.merged(new) if old else new
                counts[0 if old is None else 1 if one != old else 2] += 1
                if one != old:
                    known[one.key] = self._write(number, one), one
            if len(known) > MOST_ENTRIES:
                raise LimitError(str(self.path), len(known), MOST_ENTRIES, "entries")
            return Counts(*counts)

    def remove(self, name: str, kind: Kind | None = None) -> int:
        """Remove the entries of this name, of a kind or of all; and say how many they were."""
        with self._explained(), self._transaction():
            found = self._connection.execute(
                "DELETE FROM entry WHERE key = ? AND kind = coalesce(?, kind)",
                (key_of(name), kind and kind.value),
            )
            return found.rowcount

    def _rows(self, kind: Kind | None) -> Iterator[tuple[int, Entry]]:
        aliases: dict[int, list[Alias]] = {}
        rows = self._connection.execute("SELECT entry, name, said FROM alias ORDER BY entry, place")
        for number, name, said in rows:
            aliases.setdefault(number, []).append(Alias(name, said))
        for number, own, name, said, weight in self._connection.execute(
            "SELECT id, kind, name, said, weight FROM entry WHERE kind = coalesce(?, kind)"
            " ORDER BY kind, key",
            (kind and kind.value,),
        ):
            yield number, self._entry(number, own, name, said, aliases.get(number, ()), weight)

    def _entry(self, number: int, kind: str, *rest: Any) -> Entry:  # noqa: ANN401 - as SQLite has it
        """Make an entry of a row, which somebody else may have written."""
        try:
            return Entry.of(Kind(kind), *rest)
        except (EarshotError, ValueError, TypeError, AttributeError) as error:
            message = f"{self.path}: row {number} is no entry; {AGAIN}"
            raise DeviceError(message) from error

    def _write(self, number: int | None, entry: Entry) -> int:
        found = self._connection.execute(
            "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
            " name = excluded.name, said = excluded.said, weight = excluded.weight RETURNING id",
            (number, *entry.key, entry.name, entry.said, entry.weight),
        )
        own: int = found.fetchone()[0]
        self._connection.execute("DELETE FROM alias WHERE entry = ?", (own,))
        self._connection.executemany(
            "INSERT INTO alias VALUES (?, ?, ?, ?)",
            [(own, place, one.name, one.said) for place, one in enumerate(entry.aliases)],
        )
        return own

    def _make(self) -> None:
        """Make the file before SQLite does, which would let others read it."""
        try:
            make_folder(self.path.absolute().parent)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, FILE))
            warn_if_private_is_open(self.path)
        except OSError as error:
            message = f"{self.path}: {error.strerror}; look at its owner and its folder"
            raise DeviceError(message) from error

    def _migrate(self) -> None:
        at: int = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if at > len(MIGRATIONS):
            message = f"{self.path}: made by a newer earshot; update this one"
            raise DeviceError(message)
        if at == len(MIGRATIONS):
            return
        self._connection.execute("PRAGMA journal_mode = WAL")
        with self._transaction():
            at = self._connection.execute("PRAGMA user_version").fetchone()[0]
            for script in MIGRATIONS[at:]:
                for statement in filter(str.strip, script.split(";")):
                    self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # on a full disk SQLite has taken it back itself
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            advice = next((does for code, does in ADVICE.items() if name.startswith(code)), "")
            message = f"{self.path}: {error}; {advice}" if advice else f"{self.path}: {error}"
            raise DeviceError(message) from error
