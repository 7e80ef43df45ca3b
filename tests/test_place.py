import os
import socket
from pathlib import Path

import pytest
from earshot.errors import DeviceError, SettingsError
from earshot.place import SYSTEM, answers, claim, default_socket, nearest_socket
from earshot.sandbox import refuses_internet


def test_the_socket_lies_in_the_runtime_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    assert default_socket() == Path("/run/user/7/earshot/earshot.sock")


def test_without_a_runtime_directory_only_root_has_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_socket() == Path("/run/earshot/earshot.sock")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SettingsError, match="--socket"):
        default_socket()


def test_systemd_says_where_the_socket_of_a_service_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/earshot:/run/other")
    assert default_socket() == SYSTEM


def test_a_client_looks_for_its_own_daemon_and_then_for_the_systems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tmp_path / "system.sock"
    monkeypatch.setattr("earshot.place.SYSTEM", system)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    own = tmp_path / "earshot" / "system.sock"
    assert nearest_socket() == own
    system.touch()
    assert nearest_socket() == system
    own.parent.mkdir()
    own.touch()
    assert nearest_socket() == own
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert nearest_socket() == system


def test_a_free_place_gets_its_folder(tmp_path: Path) -> None:
    claim(tmp_path / "new" / "e.sock")
    assert (tmp_path / "new").is_dir()


def test_a_stale_socket_is_removed_and_a_live_one_is_left(tmp_path: Path) -> None:
    path = tmp_path / "e.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        assert answers(path)
        with pytest.raises(DeviceError, match="another earshot"):
            claim(path)
    assert not answers(path)
    claim(path)
    assert not path.exists()


def test_something_else_in_the_place_is_left(tmp_path: Path) -> None:
    path = tmp_path / "e.sock"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(DeviceError, match="something else"):
        claim(path)
    assert path.read_text("utf-8") == "mine"


def test_a_place_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DeviceError, match="no place for a socket"):
        claim(tmp_path / "file" / "e.sock")
    with pytest.raises(SettingsError, match="107 bytes"):
        claim(tmp_path / ("x" * 108))


def test_the_sandbox_counts_only_if_both_kinds_of_internet_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Refusing(socket.socket):
        def __init__(self, family: int = -1, *arguments: int) -> None:
            if family in refused:
                raise PermissionError
            super().__init__(family, *arguments)

    monkeypatch.setattr(socket, "socket", Refusing)
    refused = {socket.AF_INET, socket.AF_INET6}
    assert refuses_internet()
    refused = {socket.AF_INET6}
    assert not refuses_internet()
