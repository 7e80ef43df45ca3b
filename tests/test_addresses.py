"""The API is a Unix socket and never a network's; who may use it says a group."""

import asyncio
import grp
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from earshot.__main__ import main
from earshot.api import ApiSettings
from earshot.config import load
from earshot.errors import DeviceError, SettingsError

from tests.fake_recogniser import quiet
from tests.house import house
from tests.processes import PATIENCE, daemon, process

NETWORK = [
    "0.0.0.0:50051",
    "tcp:0.0.0.0:50051",
    "tcp://localhost:50051",
    "localhost:50051",
    ":50051",
    "50051",
    "[::]:50051",
    "::1",
    "127.0.0.1",
    "localhost",
    "dns:///voice.example:443",
    "ipv4:10.0.0.1:50051",
    "https://voice.example",
    "*:50051",
]
FILES = ["/run/earshot/earshot.sock", "e.sock", "/srv/a:5", "~/localhost", "earshot", "run/1.2.3.4"]
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file to any group")


@pytest.mark.parametrize("address", NETWORK)
def test_no_address_of_a_network_is_taken_and_no_file_is_made_of_it(
    address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "earshot.toml"
    config.write_text(f'[api]\nsocket = "{address}"\n', encoding="utf-8")
    with pytest.raises(SettingsError, match=r"never listens on a network.*ssh -N -L") as caught:
        load(config)
    assert str(caught.value).startswith(f"{config}: api.socket is ")
    for command in (["run"], ["status"], ["mute"]):
        with pytest.raises(SystemExit) as ended:
            main([*command, "--socket", address])
        assert ended.value.code == 2
        assert "ssh -N -L" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["earshot.toml"]


def test_what_grpc_writes_before_a_path_is_told() -> None:
    for address in ("unix:/run/e.sock", "unix:///run/e.sock", "unix-abstract:e"):
        with pytest.raises(SettingsError, match="give the path alone"):
            ApiSettings(socket=Path(address))


@pytest.mark.parametrize("path", FILES)
def test_paths_are_paths(path: str) -> None:
    assert ApiSettings(socket=Path(path)).socket == Path(path)


def test_the_daemon_of_such_settings_does_not_start_and_says_what_to_do(tmp_path: Path) -> None:
    config = tmp_path / "earshot.toml"
    config.write_text('[api]\nsocket = "0.0.0.0:50051"\n', encoding="utf-8")
    with process("earshot", "run", "--source", "-", "--config", str(config)) as d:
        _, err = d.process.communicate(timeout=PATIENCE)
        assert d.process.returncode == 1
        assert "ssh -N -L /tmp/earshot.sock:/run/earshot/earshot.sock HOST" in err.decode()


@pytest.fixture
def group() -> grp.struct_group:
    """A real group that is not this process's own."""
    mine = {os.getegid(), *os.getgroups()}
    return next(one for one in grp.getgrall() if one.gr_gid not in mine)


def reached(path: Path, group: int) -> str:
    """What a process of another user, and of a group, meets at a socket."""
    code = (
        "import os, socket, sys; os.setgroups([]); "
        f"os.setresgid({group}, {group}, {group}); os.setresuid(12345, 12345, 12345); "
        "s = socket.socket(socket.AF_UNIX)\n"
        "try: s.connect(sys.argv[1])\n"
        "except OSError as error: print(error.strerror)\n"
        "else: print('connected')\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that everybody may pass: those of pytest belong to one user."""
    path = Path("/tmp") / f"e{os.getpid()}"  # noqa: S108 - it is made here, or this fails
    path.mkdir(mode=0o755)
    yield path
    for one in path.rglob("*.sock"):
        one.unlink()
    for one in sorted(path.rglob("*"), reverse=True):
        one.rmdir()
    path.rmdir()


@root
def test_members_of_the_group_reach_the_socket_and_nobody_else(
    group: grp.struct_group, open_folder: Path, tmp_path: Path
) -> None:
    config = tmp_path / "earshot.toml"
    config.write_text(f'[api]\ngroup = "{group.gr_name}"\n', encoding="utf-8")
    path = open_folder / "earshot" / "e.sock"
    for _ in range(2):  # a folder that is there already is as good
        with daemon("--source", "-", "--config", str(config), path=path) as d:
            d.hear(quiet(0.2))
            d.until(lambda answer: answer.ready)
            for one, mode in ((path, 0o660), (path.parent, 0o750)):
                facts = one.stat()
                assert (stat.S_IMODE(facts.st_mode), facts.st_gid) == (mode, group.gr_gid)
            assert reached(path, group.gr_gid) == "connected"
            assert reached(path, 54_321) == "Permission denied"
            assert d.end()[0] == 0


def served(path: Path, group: str | None) -> None:
    async def scene() -> None:
        async with house(api_settings=ApiSettings(group=group), path=path):
            pass

    asyncio.run(scene())


def test_a_group_that_there_is_not_is_told_with_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no group 'nobodies'.*`groupadd --system nobodies`"):
        served(tmp_path / "e.sock", "nobodies")
    assert list(tmp_path.iterdir()) == []


@root
def test_a_folder_on_the_way_that_the_group_cannot_pass_is_named(
    group: grp.struct_group, open_folder: Path
) -> None:
    way = open_folder / "closed"
    way.mkdir(mode=0o700)
    with pytest.raises(DeviceError, match=f"^{way}: .*`chgrp {group.gr_name} {way} && chmod g.x"):
        served(way / "earshot" / "e.sock", group.gr_name)


def test_who_may_not_give_it_to_the_group_is_told(
    group: grp.struct_group, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refuse)
    with pytest.raises(DeviceError, match=f"usermod -aG {group.gr_name} USER"):
        served(open_folder / "e.sock", group.gr_name)
    assert list(open_folder.iterdir()) == []


def test_without_a_group_it_is_that_of_the_daemon(tmp_path: Path) -> None:
    with daemon("--source", "-", path=tmp_path / "e.sock") as d:
        d.until(lambda _: True)
        facts = d.path.stat()
        assert (stat.S_IMODE(facts.st_mode), facts.st_gid) == (0o660, os.getegid())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root sees what another process has open")
def test_the_daemon_opens_no_socket_but_unix_ones() -> None:
    with daemon("--source", "-") as d:
        d.until(lambda _: True)
        for name in ("tcp", "tcp6", "udp", "udp6", "raw", "packet"):
            listing = Path(f"/proc/{d.process.pid}/net/{name}")
            inodes = {link for link in listing.read_text().split() if link.isdecimal()}
            held = {str(fd.readlink()) for fd in Path(f"/proc/{d.process.pid}/fd").iterdir()}
            assert not {f"socket:[{inode}]" for inode in inodes} & held
