"""make install and uninstall: what is put there, what the owner keeps, what is taken away."""

import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from install import stage
from install.environment import InstallError, build, closure
from install.layout import Layout

PREFIX = Path("/opt/earshot")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for the root of a machine; the environment is a small one."""

    def small(tree: Path, final: Path, python: Path) -> None:
        (tree / "bin").mkdir(parents=True)
        (tree / "bin" / "python3").symlink_to(python)
        (tree / "bin" / "earshot").write_text(f"#!{final}/bin/python3\n", encoding="utf-8")

    monkeypatch.setattr(stage, "build", small)
    return tmp_path


def make(act: str, root: Path, *more: str) -> None:
    assert stage.main([act, "--destination", str(root), *more]) == 0


def files(root: Path) -> set[str]:
    found = (path for path in root.rglob("*") if path.is_symlink() or path.is_file())
    return {f"/{path.relative_to(root)}" for path in found}


def test_all_that_is_installed_is_taken_away_again(root: Path) -> None:
    make("install", root)
    there = files(root)
    assert {
        "/opt/earshot/bin/earshot",
        "/usr/local/bin/earshot",
        "/usr/local/lib/systemd/system/earshot.service",
        "/usr/local/lib/systemd/user/earshot.service",
        "/usr/local/lib/sysusers.d/earshot.conf",
        "/etc/earshot/earshot.toml",
    } <= there
    make("uninstall", root)
    assert files(root) == set()
    assert not (root / "opt").exists()


def test_the_prefix_is_heeded_also_by_the_units(root: Path) -> None:
    make("install", root, "--prefix", "/srv/ears")
    unit = (root / "usr/local/lib/systemd/system/earshot.service").read_text()
    assert "\nExecStart=/srv/ears/bin/earshot run" in unit
    assert "/opt/earshot/bin" not in unit
    assert (root / "usr/local/bin/earshot").readlink() == Path("/srv/ears/bin/earshot")


def test_settings_that_the_owner_changed_stay(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make("install", root)
    place = root / "etc/earshot/earshot.toml"
    came = place.read_text()
    make("install", root)  # unchanged: nothing to say
    assert not (root / "etc/earshot/earshot.toml.new").exists()
    place.write_text('source = "auto"\n', encoding="utf-8")
    capsys.readouterr()
    make("install", root)
    assert "was changed and stays" in capsys.readouterr().out
    assert place.read_text() == 'source = "auto"\n'
    assert place.with_name("earshot.toml.new").read_text() == came
    make("uninstall", root)
    assert "make purge" in capsys.readouterr().out
    assert "/etc/earshot/earshot.toml" in files(root)
    make("purge", root)
    assert files(root) == set()


def test_data_stays_until_it_is_purged(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make("install", root)
    data = root / "var/lib/private/earshot"
    data.mkdir(parents=True)
    (data / "catalog.db").touch()
    make("uninstall", root)
    assert str(data) in capsys.readouterr().out
    assert data.exists()
    make("purge", root)
    assert not data.exists()


def test_what_came_since_from_elsewhere_stays(root: Path) -> None:
    make("install", root)
    mine = root / "usr/local/bin/mine"
    mine.touch()
    make("uninstall", root)
    assert files(root) == {"/usr/local/bin/mine"}


def test_a_user_may_install_it_alone(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    make("install", root, "--user")
    unit = (root / "home/ann/.config/systemd/user/earshot.service").read_text()
    assert "ExecStart=/home/ann/.local/lib/earshot/bin/earshot run" in unit
    assert all(file.startswith("/home/ann/.") for file in files(root))
    make("uninstall", root, "--user")
    assert files(root) == set()


def test_the_systems_python_must_be_the_one_the_libraries_are_for(tmp_path: Path) -> None:
    other = tmp_path / "python3"
    other.write_text("#!/bin/sh\necho 2.7.18\n")
    other.chmod(0o755)
    with pytest.raises(InstallError, match=r"is Python 2\.7\.18, but \.venv has 3"):
        build(tmp_path / "tree", Path("/opt/earshot"), other)
    with pytest.raises(InstallError, match="cannot be run"):
        build(tmp_path / "tree", Path("/opt/earshot"), tmp_path / "none")


def test_what_cannot_be_written_is_one_line(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "opt").touch()
    assert stage.main(["install", "--destination", str(root)]) == 1
    err = capsys.readouterr().err
    assert err.startswith("earshot: ")
    assert err.count("\n") == 1


def test_the_libraries_are_all_that_the_program_needs() -> None:
    own = distribution("earshot")
    names = {found.metadata["Name"].lower() for found in closure(own)}
    assert {"numpy", "onnxruntime", "grpcio", "cffi"} <= names
    assert not {"pytest", "torch", "mypy"} & names
    assert Layout.local(PREFIX).program == PREFIX / "bin" / "earshot"
    assert sys.version_info >= (3, 11)
