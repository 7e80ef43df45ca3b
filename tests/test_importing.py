"""Names out of lists and tables: what is right is taken, and of the rest is said where and why."""

from pathlib import Path

import pytest
from earshot.entries import Alias, Entry, Kind
from earshot.errors import LimitError, RequestError
from earshot.importing import MOST_BYTES, Item, Refusal, listed, table, tabled, text_of
from earshot.store import Store


def file(folder: Path, text: str | bytes, name: str = "names.txt") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusals(items: list[Item]) -> list[str]:
    return [f"{one.where.rpartition('/')[2]}: {one.why}" for one in items if type(one) is Refusal]


def test_a_list_is_a_name_a_line(tmp_path: Path) -> None:
    text = "# friends\n\nAnna\r\nSiobhan = shi vawn\n  \n" + "x" * 121 + "\n=nothing\n\u200b\nBob"
    found = list(listed(file(tmp_path, text), Kind.CONTACT))
    assert [one for one in found if isinstance(one, Entry)] == [
        Entry.of(Kind.CONTACT, "Anna"),
        Entry.of(Kind.CONTACT, "Siobhan", "shi vawn"),
        Entry.of(Kind.CONTACT, "Bob"),
    ]
    assert refusals(found) == [
        f"names.txt, line 6: {'x' * 24}…: 121 characters exceed the limit of 120 characters",
        "names.txt, line 8: an entry without a name; give it one",
    ]


def test_a_table_of_ours_comes_back_as_it_was(tmp_path: Path) -> None:
    entries = [
        Entry.of(Kind.CONTACT, 'Anna "Nan", the first', "anna", [Alias("Nan"), Alias("A;B", "ay")]),
        Entry.of(Kind.DEVICE, "Lamp\n2", weight=0.5),
        Entry.of(Kind.PHRASE, "דנה 🎉", aliases=[Alias("dana")], weight=2.0),
    ]
    path = file(tmp_path, table(entries), "names.csv")
    with Store(tmp_path / "catalog.db") as store:
        store.put(one for one in tabled(path, None) if isinstance(one, Entry))
        assert sorted(store.entries(), key=lambda e: e.key) == sorted(entries, key=lambda e: e.key)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_an_address_book_gives_contacts(tmp_path: Path, separator: str) -> None:
    rows = [
        ["\ufeffFirst Name", "Last Name", "Nickname", "Phonetic First Name", "Phone"],
        ["Anna", "Vo", "Nan", "ahna", "1"],
        ["", "Bell", "", "", "2"],
        ["", "", "", "", "3"],
        ["Jo"],
        ["", "", "", "", ""],
    ]
    text = "\n".join(separator.join(row) for row in rows)
    found = list(tabled(file(tmp_path, text, "google.csv"), None))
    assert found[0] == Entry.of(
        Kind.CONTACT, "Anna Vo", "ahna", [Alias("Anna", "ahna"), Alias("Nan")]
    )
    assert found[1] == Entry.of(Kind.CONTACT, "Bell")
    assert refusals(found) == ["google.csv, line 4: an entry without a name; give it one"]
    assert found[3] == Entry.of(Kind.CONTACT, "Jo")
    assert len(found) == 4


def test_what_is_wrong_in_a_table_costs_only_its_row(tmp_path: Path) -> None:
    text = "name,kind,weight\nAnna,contact,1\nRex,pet,\nLamp,device,much\nDen,ROOM,\nFree,,9\n"
    found = list(tabled(file(tmp_path, text, "t.csv"), None))
    assert [one for one in found if isinstance(one, Entry)] == [
        Entry.of(Kind.CONTACT, "Anna", weight=1.0),
        Entry.of(Kind.ROOM, "Den"),
    ]
    assert refusals(found) == [
        f"t.csv, line 3: 'pet' is no kind of entry; there are {', '.join(k.value for k in Kind)}",
        "t.csv, line 4: 'much' is no weight; give a number, or nothing",
        "t.csv, line 6: Free: the weight is 9, but must be 0 to 4",
    ]


def test_a_kind_that_is_given_is_that_of_rows_without_one(tmp_path: Path) -> None:
    path = file(tmp_path, "name,kind\nDen,\nAnna,contact\n", "t.csv")
    assert [e.kind for e in tabled(path, Kind.ROOM) if isinstance(e, Entry)] == [
        Kind.ROOM,
        Kind.CONTACT,
    ]


@pytest.mark.parametrize("text", ["", "Anna,Bob\nCara,Dan\n", "\n\n"])
def test_a_table_without_titles_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(RequestError, match="the first line must hold the titles"):
        list(tabled(file(tmp_path, text, "t.csv"), None))


def test_a_huge_cell_is_refused_and_not_a_crash(tmp_path: Path) -> None:
    path = file(tmp_path, 'name\n"' + "x" * 200_000 + '"\nAnna\n', "t.csv")
    with pytest.raises(RequestError, match=r"t\.csv, line \d: "):
        list(tabled(path, None))


def test_files_as_other_systems_write_them(tmp_path: Path) -> None:
    for data in ("\ufeffZoë".encode(), "Zoë".encode("utf-16")):
        assert list(listed(file(tmp_path, data), Kind.ROOM)) == [Entry.of(Kind.ROOM, "Zoë")]
    with pytest.raises(RequestError, match="line 2: not UTF-8; export it as UTF-8"):
        text_of(file(tmp_path, "Bob\nZoë".encode("latin-1")))
    with pytest.raises(RequestError, match="not UTF-16"):
        text_of(file(tmp_path, b"\xff\xfea"))


def test_what_is_no_file_or_a_huge_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="No such file"):
        text_of(tmp_path / "none")
    with pytest.raises(RequestError, match="Is a directory"):
        text_of(tmp_path)
    path = tmp_path / "huge"
    with path.open("wb") as out:
        out.truncate(MOST_BYTES + 1)
    with pytest.raises(LimitError, match="bytes exceed the limit"):
        text_of(path)
