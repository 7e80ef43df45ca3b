import os
from pathlib import Path

import pytest
from earshot.credentials import (
    ClientFiles,
    ServerFiles,
    is_shown,
    open_channel,
    read_private,
    read_token,
    server_credentials,
    shown,
)
from earshot.errors import SettingsError

from tests.uplinks import certificates

TOKEN = "0123456789abcdef"  # noqa: S105 - of no use to anybody


def private(path: Path, text: str = TOKEN, mode: int = 0o600) -> Path:
    path.write_text(text, "utf8")
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_secret_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = private(tmp_path / "token", mode=mode)
    with pytest.raises(SettingsError, match=f"mode {mode:04o}.*chmod 600"):
        read_token(path)


def test_what_the_service_manager_hands_over_may_have_its_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = private(tmp_path / "token", mode=0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_private(path) == read_private(Path("token")) == TOKEN.encode()


def test_a_token_is_read_without_its_line_end(tmp_path: Path) -> None:
    assert read_token(private(tmp_path / "token", TOKEN + "\n")) == TOKEN


@pytest.mark.parametrize(
    "text", ["", "short", "with a space 0123456", "ключключключключ", "0\x070123456789abcd"]
)
def test_what_is_no_token_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match="openssl rand"):
        read_token(private(tmp_path / "token", text))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_token(tmp_path / "none")


def test_only_the_token_itself_is_the_right_one() -> None:
    assert is_shown(TOKEN, shown(TOKEN))
    for given in (shown(TOKEN + "0"), shown(""), (), (("authorization", TOKEN),), shown(TOKEN) * 2):
        assert not is_shown(TOKEN, given)
    assert not is_shown(TOKEN, (("authorization", b"Bearer \xff"),))


def test_over_tcp_there_is_no_serving_without_tls_and_a_way_to_know_clients(tmp_path: Path) -> None:
    certificates(tmp_path)
    pair = {
        "certificate": tmp_path / "cert",
        "key": private(tmp_path / "k", (tmp_path / "key").read_text()),
    }
    for files, said in (
        (ServerFiles(), "only with TLS"),
        (ServerFiles(**pair), "anybody could ask"),
    ):
        with pytest.raises(SettingsError, match=said):
            server_credentials(files, "0.0.0.0:443")
    assert server_credentials(ServerFiles(**pair, client_ca=tmp_path / "ca"), "localhost:443")
    assert server_credentials(ServerFiles(), "unix:/run/x") is None


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    certificates(tmp_path)
    (tmp_path / "key").chmod(0o644)
    files = ServerFiles(tmp_path / "cert", tmp_path / "key", tmp_path / "ca")
    with pytest.raises(SettingsError, match="chmod 600"):
        server_credentials(files, "localhost:443")


def test_a_certificate_needs_its_key(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="go together"):
        open_channel("localhost:443", ClientFiles(certificate=tmp_path / "cert"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="permission denied"):
        read_token(private(tmp_path / "token", mode=0))
