"""A file with names is read by what it is: a catalog, or whatever else holds names."""

from pathlib import Path

import pytest
from earshot.entries import Entry, Kind
from earshot.errors import DeviceError, RequestError
from earshot.importing import Refusal
from earshot.readers import entries_of
from earshot.store import Store

ANNA = Entry.of(Kind.CONTACT, "Anna")


def test_a_catalog_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    with Store(tmp_path / "list.txt") as store:
        store.put([ANNA])
    assert entries_of(tmp_path / "list.txt") == ([ANNA], [])


def test_other_files_go_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "a.vcf").write_text("BEGIN:VCARD\nFN:Anna\nEND:VCARD\n", encoding="utf-8")
    (tmp_path / "names").write_text("Anna\n=x\n", encoding="utf-8")
    assert entries_of(tmp_path / "a.vcf") == ([ANNA], [])
    refused = Refusal(f"{tmp_path}/names, line 2", "an entry without a name; give it one")
    assert entries_of(tmp_path / "names") == ([Entry.of(Kind.PHRASE, "Anna")], [])
    (tmp_path / "names").write_text("Anna\n" + "x" * 130, encoding="utf-8")
    entries, refusals = entries_of(tmp_path / "names")
    assert entries == [Entry.of(Kind.PHRASE, "Anna")]
    assert [one.where for one in refusals] == [refused.where]


def test_what_is_not_there_or_damaged_is_told(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="No such file"):
        entries_of(tmp_path / "none")
    (tmp_path / "torn.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 200)
    with pytest.raises(DeviceError, match=r"torn\.db"):
        entries_of(tmp_path / "torn.db")
    with pytest.raises(RequestError, match="is in this folder"):
        entries_of(tmp_path)
