"""earshot catalog: names by hand and out of files, told in plain words."""

import json
from pathlib import Path

import pytest
from earshot.__main__ import main
from earshot.place import default_catalog


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


def test_adding_listing_and_removing(capsys: pytest.CaptureFixture[str]) -> None:
    siobhan = ["Siobhan", "--kind", "contact", "--said", "shi vawn", "--alias", "Shiv=shivv"]
    assert main(["catalog", "add", *siobhan]) == 0
    assert main(["catalog", "add", *siobhan]) == 0
    assert main(["catalog", "add", "siobhan", "--kind", "contact", "--weight", "2"]) == 0
    assert main(["catalog", "add", "Den", "--kind", "room"]) == 0
    assert main(["catalog", "list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "added",
        "nothing new",
        "changed",
        "added",
        "contact   siobhan [shi vawn], Shiv [shivv] × 2",
        "room      Den",
    ]
    assert main(["catalog", "list", "--json", "--kind", "room"]) == 0
    only: dict[str, object] = {
        "kind": "room",
        "name": "Den",
        "said": "",
        "weight": None,
        "aliases": [],
    }
    assert json.loads(capsys.readouterr().out) == {"entries": [only]}
    assert main(["catalog", "remove", "DEN"]) == 0
    assert main(["catalog", "remove", "Den"]) == 1
    out, err = capsys.readouterr()
    assert out == "removed 1\n"
    assert err == f"earshot: Den: not in {default_catalog()}; `earshot catalog list` says what is\n"


def test_files_are_read_by_their_names_and_refusals_are_told(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "b.VCF").write_text("BEGIN:VCARD\nFN:Anna Vo\noops\nEND:VCARD\n", encoding="utf-8")
    (home / "t.csv").write_text("name,kind\nDen,room\n", encoding="utf-8")
    (home / "list").write_text("Movie night\n", encoding="utf-8")
    (home / "storage").mkdir()
    areas = {"key": "core.area_registry", "data": {"areas": [{"id": "x", "name": "Hall"}]}}
    (home / "storage" / "core.area_registry").write_text(json.dumps(areas), encoding="utf-8")
    names = ("b.VCF", "none.csv", "t.csv", "list", "storage", "storage/core.area_registry")
    files = [str(home / name) for name in names]
    assert main(["catalog", "import", *files]) == 1
    out, err = capsys.readouterr()
    assert [line.removeprefix(f"{home}/") for line in out.splitlines()] == [
        "b.VCF: 1 added, 0 changed, 0 as before, 1 refused",
        "t.csv: 1 added, 0 changed, 0 as before, 0 refused",
        "list: 1 added, 0 changed, 0 as before, 0 refused",
        "storage: 1 added, 0 changed, 0 as before, 0 refused",
        "storage/core.area_registry: 0 added, 0 changed, 1 as before, 0 refused",
    ]
    assert err.splitlines() == [
        f"earshot: {home}/b.VCF, line 3: not a line of a vCard; the rest of the card was read",
        f"earshot: {home}/none.csv: No such file or directory",
    ]
    main(["catalog", "list"])
    assert [line.split(maxsplit=1)[1] for line in capsys.readouterr().out.splitlines()] == [
        "Anna Vo",
        "Movie night",
        "Den",
        "Hall",
    ]
    assert main(["catalog", "import", files[2]]) == 0


def test_what_is_exported_can_be_imported(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["catalog", "add", "Anna", "--kind", "contact", "--alias", "Nan", "--weight", "1.5"])
    capsys.readouterr()
    assert main(["catalog", "export"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "kind,name,said,weight,alias_of",
        "contact,Anna,,1.5,",
        "contact,Nan,,1.5,Anna",
    ]
    assert main(["catalog", "export", str(home / "all.csv")]) == 0
    assert main(["catalog", "import", str(home / "all.csv"), "--catalog", str(home / "new")]) == 0
    assert main(["catalog", "list", "--catalog", str(home / "new")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "contact   Anna, Nan × 1.5"
    assert main(["catalog", "export", str(home / "no" / "where.csv")]) == 1
    assert "where.csv: No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong",
    [["add", " "], ["add", "x" * 5000], ["add", "A", "--weight", "9"], ["list", "--catalog", "/"]],
)
def test_what_cannot_be_is_one_line(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog", *wrong]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("earshot: ")
    assert err.count("\n") == 1


def test_the_catalog_is_with_the_users_data_or_where_systemd_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "")
    monkeypatch.setenv("HOME", "/home/anna")
    assert default_catalog() == Path("/home/anna/.local/share/earshot/catalog.db")
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/earshot:/var/lib/other")
    assert default_catalog() == Path("/var/lib/earshot/catalog.db")
