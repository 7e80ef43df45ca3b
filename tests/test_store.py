"""The catalog's file: what is put in is there, whole, and nobody else reads it."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from earshot import store
from earshot.entries import Alias, Entry, Kind
from earshot.errors import DeviceError, LimitError
from earshot.store import MIGRATIONS, Counts, Store

ANNA = Entry.of(Kind.CONTACT, "Anna", "anna", [Alias("Annie"), Alias("Nan", "nann")], 1.5)
LAMP = Entry.of(Kind.DEVICE, "Ceiling lamp")
DEN = Entry.of(Kind.ROOM, "Den")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "catalog.db"


def test_what_was_put_in_is_there_in_order(path: Path) -> None:
    with Store(path) as one:
        assert one.put([LAMP, ANNA, DEN]) == Counts(3, 0, 0)
        assert one.entries() == [ANNA, LAMP, DEN]
    with Store(path) as again:
        assert again.entries() == [ANNA, LAMP, DEN]
        assert again.entries(Kind.DEVICE) == [LAMP]


def test_the_same_again_changes_nothing_and_something_new_is_merged(path: Path) -> None:
    with Store(path) as one:
        one.put([ANNA, LAMP])
        newer = Entry.of(Kind.CONTACT, "ANNA", aliases=[Alias("Annchen")])
        assert one.put([ANNA, LAMP, newer, newer]) == Counts(0, 1, 3)
        assert one.entries(Kind.CONTACT) == [ANNA.merged(newer)]


def test_removing(path: Path) -> None:
    with Store(path) as one:
        one.put([ANNA, Entry.of(Kind.ROOM, "anna"), LAMP])
        assert one.remove("Nobody") == 0
        assert one.remove("ANNA", Kind.ROOM) == 1
        assert one.entries() == [ANNA, LAMP]
        assert one.remove("anna") == 1
        assert one.entries() == [LAMP]
        one.put([Entry.of(Kind.CONTACT, "Anna")])
        assert one.entries(Kind.CONTACT)[0].aliases == ()  # they went with the entry


def test_only_the_owner_reads_it(path: Path) -> None:
    with Store(path) as one:
        one.put([ANNA])
        files = list(path.parent.iterdir())
        assert len(files) == 3  # with the log and its index
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_reader_learns_of_a_change(path: Path) -> None:
    with Store(path) as reader, Store(path) as writer:
        before = reader.version
        assert reader.version == before
        writer.put([ANNA])
        assert reader.version != before
        assert reader.entries() == [ANNA]


def test_too_many_entries_are_refused_and_nothing_is_changed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_ENTRIES", 2)
    with Store(path) as one:
        one.put([ANNA])
        with pytest.raises(LimitError, match="3 entries exceed the limit of 2"):
            one.put([LAMP, DEN])
        assert one.entries() == [ANNA]


def test_an_error_among_the_entries_changes_nothing(path: Path) -> None:
    def entries() -> Iterator[Entry]:
        yield LAMP
        raise KeyError

    with Store(path) as one:
        one.put([ANNA])
        with pytest.raises(KeyError):
            one.put(entries())
        assert one.entries() == [ANNA]
        one.put([DEN])


KILLED = """
import os, signal, sys
from pathlib import Path
from earshot.entries import Entry, Kind
from earshot.store import Store

def entries():
    for i in range(5_000):
        yield Entry.of(Kind.CONTACT, f"name {i}")
    os.kill(os.getpid(), signal.SIGKILL)

Store(Path(sys.argv[1])).put(entries())
"""


def test_who_is_killed_in_the_middle_of_an_import_changed_nothing(path: Path) -> None:
    with Store(path) as one:
        one.put([ANNA])
    found = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert found.returncode == -signal.SIGKILL
    with Store(path) as one:
        assert one.entries() == [ANNA]
        assert one.put([LAMP]) == Counts(1, 0, 0)


def test_a_locked_file_is_told_and_works_again_when_it_is_free(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "PATIENCE", 0.05)
    with Store(path) as one:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DeviceError, match="another program is writing to it; try again"):
            one.put([ANNA])
        assert one.entries() == []  # readers do not wait
        other.execute("ROLLBACK")
        other.close()
        assert one.put([ANNA]) == Counts(1, 0, 0)


def test_a_file_that_is_no_catalog_is_told_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear diary, " * 100, encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(DeviceError, match="it is no catalog; move it away"):
        Store(path)
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DeviceError, match="look at its owner and its folder"):
        Store(tmp_path / "file" / "catalog.db")


def test_a_file_of_a_newer_earshot_is_told_and_left_alone(path: Path) -> None:
    Store(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(DeviceError, match="made by a newer earshot"):
        Store(path)


def test_a_full_file_is_told_and_keeps_what_it_had(path: Path) -> None:
    with Store(path) as one:
        one.put([ANNA])
        pages = one._connection.execute("PRAGMA page_count").fetchone()[0]
        one._connection.execute(f"PRAGMA max_page_count = {pages}")
        many = [Entry.of(Kind.CONTACT, f"name {i}") for i in range(5_000)]
        with pytest.raises(DeviceError, match="the disk is full; nothing was changed"):
            one.put(many)
        assert one.entries() == [ANNA]
        one._connection.execute("PRAGMA max_page_count = 1000000")
        assert one.put(many) == Counts(5_000, 0, 0)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_file_that_may_not_be_written_is_told(path: Path) -> None:
    Store(path).close()
    path.chmod(0o400)
    with pytest.raises(DeviceError, match="Permission denied"):
        Store(path)


def test_all_that_may_be_in_a_catalog_is_kept(path: Path) -> None:
    names = ["דנה", "Party 🎉", "7 Nation", "O'Brien; DROP TABLE entry", "Zoë", "%_"]
    entries = [Entry.of(kind, name) for kind in Kind for name in names]
    with Store(path) as one:
        assert one.put(entries) == Counts(len(entries), 0, 0)
        found = one.entries()
        assert sorted(found, key=lambda e: e.key) == sorted(entries, key=lambda e: e.key)


@pytest.mark.parametrize(
    "change", ["kind = 'nonsense'", "weight = 99", "weight = 'much'", "name = x'00ff'", "name = ''"]
)
def test_a_row_that_is_no_entry_is_told_without_its_name(change: str, path: Path) -> None:
    with Store(path) as store:
        store.put([Entry.of(Kind.CONTACT, "Ada Lovelace")])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE entry SET {change}")  # noqa: S608 - those above
    with Store(path) as store, pytest.raises(DeviceError, match="row 1 is no entry") as caught:
        store.entries()
    assert "Ada" not in str(caught.value)
