"""Where something is served over TCP, and to whom."""

import argparse
import importlib
from pathlib import Path

import pytest
from earshot.commands.doors import add_doors, token_of
from earshot.errors import RequestError, SettingsError
from earshot.listening import Address, is_meant, shows
from earshot.optional import needed

HERE, SIX, REACHED = ("127.0.0.1", 8765), ("::1", 8765), ("192.0.2.7", 443)


@pytest.mark.parametrize(
    ("text", "host", "port", "local"),
    [
        ("127.0.0.1:80", "127.0.0.1", 80, True),
        ("localhost:0", "localhost", 0, True),
        ("[::1]:8765", "::1", 8765, True),
        ("0.0.0.0:8765", "0.0.0.0", 8765, False),  # noqa: S104 - refused, that is the point
        ("[::]:1", "::", 1, False),
        ("kitchen.local:65535", "kitchen.local", 65_535, False),
    ],
)
def test_an_address_is_read(text: str, host: str, port: int, local: bool) -> None:  # noqa: FBT001
    found = Address.of(text)
    assert (found.host, found.port, found.local) == (host, port, local)


@pytest.mark.parametrize(
    "text", ["", "8765", ":80", "a:b", "a:70000", "::1:80", "http://a:1", "a@b:1"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="HOST:PORT"):
        Address.of(text)


@pytest.mark.parametrize(
    ("header", "reached", "names", "meant"),
    [
        ("127.0.0.1:8765", HERE, (), True),
        ("localhost:8765", HERE, (), True),
        ("LOCALHOST:8765", SIX, (), True),
        ("[::1]:8765", SIX, (), True),
        ("localhost", HERE, (), True),  # a client may leave a usual port out
        ("localhost:8766", HERE, (), False),
        ("evil.example:8765", HERE, (), False),
        ("evil.example", HERE, (), False),
        ("localhost.evil.example:8765", HERE, (), False),
        ("127.0.0.1.evil.example:8765", HERE, (), False),
        ("", HERE, (), False),
        ("a b", HERE, (), False),
        ("127.0.0.1:8765", ("::ffff:127.0.0.1", 8765), (), True),
        ("kitchen.local", REACHED, ("kitchen.local",), True),
        ("kitchen.local", REACHED, (), False),
        ("localhost", REACHED, (), False),
        ("192.0.2.7", REACHED, (), True),
    ],
)
def test_a_request_must_name_what_it_has_reached(
    header: str,
    reached: tuple[str, int],
    names: tuple[str, ...],
    meant: bool,  # noqa: FBT001
) -> None:
    assert is_meant(header, reached, names) is meant


def test_a_token_is_shown_whole_or_not() -> None:
    assert shows("Bearer abc", "abc")
    for header in ("", "abc", "Bearer ab", "Bearer abcd", "bearer abc", "Bearer \udcff"):
        assert not shows(header, "abc")


def chosen(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_doors(parser)
    return parser.parse_args(arguments)


def test_others_are_served_for_a_token_only(tmp_path: Path) -> None:
    here, everywhere = Address.of("127.0.0.1:1"), Address.of("0.0.0.0:1")
    assert token_of(chosen(), here) == ""
    with pytest.raises(SettingsError, match="--token-file"):
        token_of(chosen(), everywhere)
    file = tmp_path / "token"
    file.write_text("0123456789abcdef\n", encoding="ascii")
    file.chmod(0o600)
    assert token_of(chosen("--token-file", str(file)), everywhere) == "0123456789abcdef"


def missing(name: str) -> None:
    with needed("see"):
        importlib.import_module(name)


def test_a_library_that_is_missing_is_one_sentence() -> None:
    with pytest.raises(SettingsError, match=r"needs nothing_like, .* pip install 'earshot\[see\]'"):
        missing("nothing_like.at_all")
    with pytest.raises(ModuleNotFoundError):  # of ours: that is a defect
        missing("earshot.nothing_like")
