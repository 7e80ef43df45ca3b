"""Files at rest: their owner's alone, whatever the umask, and told where they are not."""

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from earshot.config import load
from earshot.entries import Entry, Kind
from earshot.guarded import make_folder
from earshot.mute import KEPT_MODE, Flag
from earshot.store import Store

from tests.fake_recogniser import quiet
from tests.processes import ROOT, process


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    """Of all that lies within, sockets left out."""
    return {
        str(path.relative_to(folder)): stat.S_IMODE(path.lstat().st_mode)
        for path in folder.rglob("*")
        if not path.is_socket()
    }


@pytest.mark.usefixtures("no_umask")
def test_the_catalog_its_log_and_all_new_folders_are_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "share" / "earshot" / "catalog.db"
    with Store(path) as store:
        store.put([Entry.of(Kind.CONTACT, "Ada Lovelace")])
        assert modes(tmp_path) == {
            "share": 0o700,
            "share/earshot": 0o700,
            "share/earshot/catalog.db": 0o600,
            "share/earshot/catalog.db-wal": 0o600,
            "share/earshot/catalog.db-shm": 0o600,
        }


@pytest.mark.usefixtures("no_umask")
def test_what_says_that_it_is_muted_is_the_owners_alone(tmp_path: Path) -> None:
    Flag(tmp_path / "state" / "earshot" / "muted", KEPT_MODE).set(up=True)
    found = {"state": 0o700, "state/earshot": 0o700, "state/earshot/muted": 0o600}
    assert modes(tmp_path) == found


def test_a_daemon_without_a_umask_leaves_nothing_open(tmp_path: Path) -> None:
    state = tmp_path / "state"
    environment = {**os.environ, "STATE_DIRECTORY": str(state)}
    path, code = tmp_path / "run" / "earshot" / "e.sock", "import os, runpy; os.umask(0); "
    code += "runpy.run_module('tests.fake_daemon', run_name='__main__', alter_sys=True)"
    runner = tmp_path / "without_umask.py"
    runner.write_text(code, encoding="utf-8")
    environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), str(ROOT)])
    with process("without_umask", "0", "--source", "-", path=path, environment=environment) as d:
        d.hear(quiet(0.2))
        d.until(lambda answer: answer.ready)
        assert stat.S_IMODE(path.lstat().st_mode) == 0o660
        assert stat.S_IMODE(path.parent.lstat().st_mode) == 0o750


def test_a_folder_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there").chmod(0o755)
    make_folder(tmp_path / "there" / "new")
    make_folder(tmp_path / "there" / "new")
    assert modes(tmp_path) == {"there": 0o755, "there/new": 0o700}


@pytest.mark.parametrize(("mode", "does"), [(0o644, "read"), (0o602, "change"), (0o646, "change")])
def test_a_catalog_that_others_reach_is_used_and_told_with_what_mends_it(
    mode: int, does: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "catalog.db"
    Store(path).close()
    assert caplog.messages == []
    path.chmod(mode)
    with Store(path) as store:
        assert store.entries() == []
    assert caplog.messages == [f"{path}: others may {does} it; `chmod go= {path}` stops that"]


@pytest.mark.parametrize(("mode", "told"), [(0o644, 0), (0o646, 1), (0o602, 1), (0o600, 0)])
def test_settings_that_others_may_change_are_told(
    mode: int, told: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "earshot.toml"
    path.write_text('source = "-"\n', encoding="utf-8")
    path.chmod(mode)
    assert load(path).source == "-"
    expected = [f"{path}: others may change it; `chmod go-w {path}` stops that"]
    assert caplog.messages == expected[:told]


def test_a_group_counts_unless_it_is_the_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "earshot.toml"
    path.touch()
    path.chmod(0o664)
    owner = pwd.getpwuid(path.stat().st_uid).pw_name
    for name, members, told in ((owner, [], 0), (owner, ["ada"], 1), ("users", [], 2)):
        group = grp.struct_group((name, "x", path.stat().st_gid, members))
        monkeypatch.setattr(grp, "getgrgid", lambda _, group=group: group)
        load(path)
        assert len(caplog.messages) == told


def test_a_folder_in_which_others_may_put_another_file_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "open" / "earshot.toml"
    path.parent.mkdir()
    path.touch()
    path.parent.chmod(0o1777)  # as /tmp
    load(path)
    assert caplog.messages == []
    path.parent.chmod(0o777)
    load(path)
    assert f"`chmod go-w {path.parent}`" in caplog.messages[0]
