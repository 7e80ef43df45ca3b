"""Each trouble that the doctor knows, made or pretended: it is found, and its mend is said."""

import os
import resource
import shutil
import socket
import sqlite3
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar

import pytest
from earshot.checks import files, machine, service
from earshot.checks.finding import Finding, Patient
from earshot.config import Settings
from earshot.generated.v1.status_pb2 import (
    MODE_ASSISTED,
    MODE_LOCAL_ONLY,
    BundleName,
    GetStatusResponse,
)
from earshot.place import closed, nearest_socket

NOBODY = Patient(Path("/nowhere/earshot.sock"), silence="no daemon answers")
Patch = pytest.MonkeyPatch
Found = TypeVar("Found")


def trouble(found: Finding | None, text: str, mend: str, state: str = "TROUBLE") -> None:
    assert found is not None
    assert (found.state, found.found) == (state, found.found)
    assert text in found.found
    assert mend in found.mend


def well(found: Finding | None) -> str:
    assert found is not None
    assert found.state == "ok", found
    return found.found


def test_this_machine_is_well() -> None:
    for check in (machine.python, machine.libraries, machine.c_library, machine.processor):
        well(check(NOBODY))


def test_an_old_python(monkeypatch: Patch) -> None:
    monkeypatch.setattr(machine, "OLDEST_PYTHON", (sys.version_info.major + 1, 0))
    trouble(machine.python(NOBODY), "3.", "make setup")


def test_a_library_that_cannot_be_loaded(tmp_path: Path, monkeypatch: Patch) -> None:
    (tmp_path / "broken_here.py").write_text("raise OSError('libm.so.9: no such file')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(machine, "LIBRARIES", {"numpy": "numpy", "soxr": "broken_here"})
    trouble(machine.libraries(NOBODY), "soxr cannot be loaded (libm.so.9", "make setup")


@pytest.mark.parametrize(
    ("told", "text", "mend"),
    [(("glibc", "2.17"), "glibc 2.17", "glibc 2.2"), (("", ""), "not glibc", "Debian")],
)
def test_an_old_c_library_or_another(
    told: tuple[str, str], text: str, mend: str, monkeypatch: Patch
) -> None:
    monkeypatch.setattr("platform.libc_ver", lambda: told)
    trouble(machine.c_library(NOBODY), text, mend)


def test_a_32_bit_system_and_a_processor_that_lacks_something(monkeypatch: Patch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "armv7l")
    trouble(machine.processor(NOBODY), "armv7l", "64-bit")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    monkeypatch.setattr(machine, "_flags", lambda: frozenset({"fp"}))
    trouble(machine.processor(NOBODY), "without asimd", "newer machine")
    monkeypatch.setattr(machine, "_flags", lambda: frozenset({"asimd"}))
    assert "takes longer" in well(machine.processor(NOBODY))


def test_little_memory_and_few_files(monkeypatch: Patch) -> None:
    monkeypatch.setattr(machine, "LITTLE", 1 << 40)
    trouble(machine.memory(NOBODY), "MiB are free", "zram", "note")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (128, before[1]))
        trouble(machine.limits(NOBODY), "128 files", "LimitNOFILE=256", "note")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    well(machine.limits(NOBODY))


def test_a_microphone_that_is_read_when_others_let_it(monkeypatch: Patch) -> None:
    monkeypatch.setattr("earshot.scheduling.least_nice", lambda: 20)
    trouble(machine.priority(NOBODY), "when other programs let it", "LimitNICE=-11", "note")
    monkeypatch.setattr("earshot.scheduling.least_nice", lambda: -20)
    well(machine.priority(NOBODY))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: Patch) -> Path:
    """A user who has nothing yet."""
    for name in ("CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path))
    for name in ("STATE_DIRECTORY", "RUNTIME_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(files, "SYSTEM_SETTINGS", tmp_path / "absent.toml")
    (tmp_path / "earshot").mkdir(mode=0o700)
    return tmp_path / "earshot"


def test_settings_of_a_unit_that_cannot_be(home: Path) -> None:
    assert files.settings(NOBODY) is None
    path = home / "earshot.toml"
    path.write_text('source = "auto"\n', encoding="utf-8")
    assert well(files.settings(NOBODY)) == str(path)
    path.write_text("sorce = 1\n", encoding="utf-8")
    trouble(files.settings(NOBODY), "sorce is not a setting", "mend that line")


def test_a_catalog_that_is_damaged_open_to_others_or_closed_to_its_owner(
    home: Path, monkeypatch: Patch
) -> None:
    assert files.catalog(NOBODY) is None
    path = home / "catalog.db"
    path.write_bytes(b"no database at all, but long enough" * 40)
    path.chmod(0o600)
    trouble(files.catalog(NOBODY), "not a database", "catalog import")
    path.unlink()
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE entry (id)")
    path.chmod(0o644)
    trouble(files.catalog(NOBODY), "others may read your names", f"chmod go= {path}", "note")
    path.chmod(0o600)
    assert well(files.catalog(NOBODY)) == str(path)
    monkeypatch.setattr("os.access", lambda *_: False)
    trouble(files.catalog(NOBODY), "may not read and write", "chown")


def test_state_that_cannot_be_kept(home: Path, monkeypatch: Patch) -> None:
    assert str(home) in well(files.state(NOBODY))
    usage = SimpleNamespace(total=1, used=1, free=1 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    trouble(files.state(NOBODY), "1 MiB are free", "make room")
    monkeypatch.setattr("os.statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
    trouble(files.state(NOBODY), "cannot be written", "XDG_STATE_HOME")
    trouble(files.socket_folder(Patient(home / "e.sock")), "cannot be written", "--socket")


@pytest.fixture
def folder() -> Iterator[Path]:
    """One for a socket: its name is short, and everybody may pass."""
    with tempfile.TemporaryDirectory(prefix="e") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture
def listener(folder: Path) -> Iterator[Path]:
    """A socket where somebody listens."""
    path = folder / "e.sock"
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(path))
        end.listen()
        path.chmod(0o660)
        yield path


def test_a_socket_that_was_left_behind_and_what_is_none(folder: Path) -> None:
    path = folder / "e.sock"
    assert service.place(Patient(path)) is None
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(path))
    trouble(service.place(Patient(path)), "left behind", "nothing", "note")
    path.unlink()
    path.touch()
    trouble(service.place(Patient(path)), "something else", "move")


def as_nobody(act: Callable[[], Found]) -> Found:
    """Do it without privileges, where there are any."""
    if os.geteuid() != 0:
        return act()
    os.seteuid(65534)
    try:
        return act()
    finally:
        os.seteuid(0)


def test_a_socket_that_this_user_may_not_use_and_one_that_everybody_may(listener: Path) -> None:
    assert str(listener) in well(service.place(Patient(listener)))
    listener.chmod(0)
    found = as_nobody(lambda: service.place(Patient(listener)))
    trouble(found, "Permission denied", "usermod -aG")
    listener.chmod(0o666)
    trouble(service.place(Patient(listener)), "everybody", "chmod o=", "note")
    assert stat.S_ISSOCK(listener.lstat().st_mode)


def test_who_is_not_of_the_group_is_sent_to_the_systems_socket_and_told_so(
    listener: Path, monkeypatch: Patch
) -> None:
    monkeypatch.setattr("earshot.place.SYSTEM", listener)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nowhere")
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    assert not closed(listener)
    listener.chmod(0)
    assert as_nobody(lambda: closed(listener))
    listener.parent.chmod(0o600)  # not even the folder may be looked into
    assert as_nobody(nearest_socket) == listener
    listener.parent.chmod(0o700)


def answer(**facts: object) -> GetStatusResponse:
    known = {"ready": True, "mode": MODE_LOCAL_ONLY, "source": "microphone 'x'", **facts}
    return GetStatusResponse(bundle=BundleName(name="en"), **known)  # type: ignore[arg-type]


def test_a_daemon_that_is_not_there_not_ready_or_well() -> None:
    trouble(service.daemon(NOBODY), "no daemon answers", "earshot run", "note")
    waiting = Patient(NOBODY.place, answer=answer(ready=False, source="gone; waiting for it"))
    trouble(service.daemon(waiting), "not ready: gone", "microphone", "note")
    assert "follows" in well(service.daemon(Patient(NOBODY.place, answer=answer())))
    assert well(service.daemon(Patient(NOBODY.place, answer=answer(muted=True)))).endswith("muted")


def test_an_uplink_that_does_not_answer(listener: Path) -> None:
    assert service.uplink(Patient(listener, answer=answer())) is None
    assisted = answer(mode=MODE_ASSISTED)
    lonely = Patient(listener, answer=assisted)
    trouble(service.uplink(lonely), "none answers", "earshot-uplink", "note")
    settings = Settings()
    linked = Settings(assist=type(settings.assist)(socket=listener))
    assert well(service.uplink(Patient(listener, linked, assisted))) == str(listener)


SYSTEMCTL = """#!/bin/sh
case "$1" in
--system) set ActiveState={system} Result={result} NRestarts={restarts} ;;
--user) set ActiveState={user} Result=success NRestarts=0 StatusText=x ;;
esac
printf '%s\\n' LoadState=loaded "$@"
"""


@pytest.mark.parametrize(
    ("facts", "text", "mend"),
    [
        (("failed", "watchdog", "1", "inactive"), "failed (watchdog)", "journalctl -u earshot"),
        (("active", "success", "7", "inactive"), "restarted 7 times", "journalctl"),
        (("active", "success", "0", "active"), "both run", "systemctl disable"),
        (("active", "success", "0", "inactive"), "system active; user inactive x", ""),
    ],
)
def test_units_that_fail_or_want_the_same_microphone(
    facts: tuple[str, ...], text: str, mend: str, tmp_path: Path, monkeypatch: Patch
) -> None:
    script = tmp_path / "systemctl"
    names = ("system", "result", "restarts", "user")
    script.write_text(SYSTEMCTL.format(**dict(zip(names, facts, strict=True))))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    found = service.units(NOBODY)
    assert found is not None
    assert text in found.found
    assert mend in found.mend


def test_without_systemd_there_is_nothing_to_say_of_units(
    tmp_path: Path, monkeypatch: Patch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert service.units(NOBODY) is None
