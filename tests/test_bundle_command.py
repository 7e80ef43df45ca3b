"""earshot bundle: lists and verifies folders, of which only the sums are real."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from earshot.__main__ import main


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place with one whole bundle, as far as checksums go."""
    folder = tmp_path / "bundles" / "tiny"
    folder.mkdir(parents=True)
    contents = {f"{part}.onnx": part.encode() for part in ("encoder", "decoder", "joiner")}
    contents["tokens.txt"] = "<blk> 0\n▁a 1\n".encode()
    table = ['name = "tiny"', 'version = "2.0"', 'kind = "pieces"', 'language = "en"']
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        sums = f'bytes = {len(content)}\nsha256 = "{sha256(content).hexdigest()}"'
        table.append(f'[files."{name}"]\n{sums}')
    (folder / "bundle.toml").write_text("\n".join(table), encoding="utf-8")
    monkeypatch.setattr("earshot.bundle.places", lambda _: (folder.parent,))
    return folder


def test_installed_bundles_are_listed_also_when_damaged(
    installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bundle", "list"]) == 0
    assert "tiny  2.0  pieces  en  0.0 MB" in capsys.readouterr().out
    (installed / "joiner.onnx").write_bytes(b"Joiner")
    assert main(["bundle", "list", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["bundles"]
    assert (found["name"], found["whole"], found["folder"]) == ("tiny", False, str(installed))
    assert "joiner.onnx" in found["trouble"]
    main(["bundle", "list"])
    assert "damaged: " in capsys.readouterr().out


@pytest.mark.parametrize("by", ["", "name", "folder"])
def test_a_whole_bundle_is_verified_file_by_file(
    by: str, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"": [], "name": ["tiny"], "folder": [str(installed)]}[by]
    assert main(["bundle", "verify", *names]) == 0
    out = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in out] == [
        ["ok", str(installed / name)]
        for name in ("decoder.onnx", "encoder.onnx", "joiner.onnx", "tokens.txt")
    ]


def test_damage_is_one_line_and_the_other_bundles_are_looked_at(
    installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = installed.parent / "damaged"
    damaged.mkdir()
    for path in installed.iterdir():
        (damaged / path.name).write_bytes(path.read_bytes())
    (damaged / "encoder.onnx").write_bytes(b"Encoder")
    assert main(["bundle", "verify", "absent", "damaged", "tiny"]) == 1
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 4
    assert "'absent'" in err.splitlines()[0]
    assert f"{damaged / 'encoder.onnx'}: " in err.splitlines()[1]
    assert err.count("\n") == 2
