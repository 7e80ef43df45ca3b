"""The server of the live page: who is let in, and what is told to whom."""

import asyncio
import json
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, TCPConnector
from earshot.__main__ import main
from earshot.following import Back, Gone
from earshot.listening import Address
from earshot.page import FILES, KEPT, MOST_READERS, WAITING, Reader, Room, page
from earshot.serving_http import at_address

from tests.house import until
from tests.processes import PATIENCE, daemon
from tests.test_metrics import serving
from tests.test_view import reading, spoken

TOKEN = "a-token-of-this-test"  # noqa: S105 - it opens nothing
SHOWN = {"Authorization": f"Bearer {TOKEN}"}
HERE = Address("127.0.0.1", 0)


@asynccontextmanager
async def site(room: Room, **more: Any) -> AsyncIterator[tuple[ClientSession, str]]:
    """A client, and the address of the page."""
    async with at_address(page(room, TOKEN, **more), HERE) as url, ClientSession() as client:
        yield client, url


async def messages(answer: ClientResponse, count: int) -> list[dict[str, Any]]:
    """The next messages of a stream."""
    found = list[dict[str, Any]]()
    async with asyncio.timeout(PATIENCE):
        while len(found) < count:
            line = await answer.content.readline()
            if line.startswith(b"data: "):
                found.append(json.loads(line.removeprefix(b"data: ")))
    return found


def kinds(told: list[dict[str, Any]]) -> list[str]:
    return [one["type"] for one in told]


def run(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Play a scene, and give its connections the time to close (as aiohttp asks for)."""

    async def whole() -> None:
        await scene()
        await asyncio.sleep(0.25)

    asyncio.run(whole())


def test_only_who_shows_the_token_is_told_what_is_heard() -> None:
    async def scene() -> None:
        async with site(Room()) as (client, url):
            for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
                async with client.get(url + "events", headers=header) as answer:
                    assert answer.status == 401
                    assert answer.headers["WWW-Authenticate"] == "Bearer"
            for query in (f"?token={TOKEN}", f"?{TOKEN}"):
                async with client.get(url + "events" + query) as answer:
                    assert answer.status == 401, "no token in an address that is logged"
            async with client.get(url + "events", headers=SHOWN) as answer:
                assert (answer.status, answer.content_type) == (200, "text/event-stream")
                assert kinds(await messages(answer, 1)) == ["hello"]

    run(scene)


def test_the_files_are_for_everybody_and_strict() -> None:
    async def scene() -> None:
        async with site(Room()) as (client, url):
            for path in FILES:
                async with client.get(url.rstrip("/") + path) as answer:
                    assert answer.status == 200
                    policy = answer.headers["Content-Security-Policy"]
                    assert "default-src 'none'" in policy
                    assert "unsafe" not in policy
                    assert answer.headers["X-Content-Type-Options"] == "nosniff"
                    assert "Access-Control-Allow-Origin" not in answer.headers
                    assert "Server" not in answer.headers
                    text = await answer.text()
                    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
                    assert "https://" not in text
                    assert "innerHTML" not in text
            for method, path in (("POST", "events"), ("GET", "../page.py"), ("GET", "x")):
                async with client.request(method, url + path, headers=SHOWN) as answer:
                    assert answer.status in {404, 405}
                    assert "Content-Security-Policy" in answer.headers

    run(scene)


def test_a_name_that_was_made_to_lead_here_is_refused() -> None:
    async def scene() -> None:
        async with site(Room(), names=("kitchen.local",)) as (client, url):
            port = url.rsplit(":", 1)[1].strip("/")
            for host, status in (
                (f"127.0.0.1:{port}", 200),
                (f"localhost:{port}", 200),
                (f"kitchen.local:{port}", 200),
                (f"evil.example:{port}", 421),
                ("evil.example", 421),
                ("localhost:1", 421),
            ):
                async with client.get(url, headers={"Host": host}) as answer:
                    assert answer.status == status, host

    run(scene)


def test_who_comes_later_is_told_the_last_seconds_of_this_life() -> None:
    async def scene() -> None:
        room = Room()
        for item in (Back(), reading(), *spoken(), Gone("away"), Back(), reading(), *spoken()):
            room.take(item)
        async with site(room) as (client, url):
            async with client.get(url + "events", headers=SHOWN) as answer:
                told = await messages(answer, 6)
            assert kinds(told) == ["hello", "back", "reading", "event", "event", "event"]
            events = [one["event"] for one in told if one["type"] == "event"]
            assert events == ["speech_started", "end_point", "committed"], "partials are left out"

    run(scene)


def test_what_is_kept_and_what_waits_is_bounded() -> None:
    room = Room()
    with room.join() as reader:
        for _ in range(3 * WAITING):
            room.take(reading())
        assert len(reader._waiting) <= WAITING
    assert len(room._kept["reading"]) == KEPT["reading"]
    slow = Reader([])
    for number in range(WAITING + 1):
        slow.put({"type": "event", "number": number})
    assert slow._closed
    assert not slow._waiting


def test_a_browser_that_does_not_read_is_left_behind_and_others_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("earshot.page.WAITING", 20)
    monkeypatch.setattr("earshot.page.WRITE_SECONDS", 0.5)

    async def scene() -> None:
        room = Room()
        async with (
            site(room) as (client, url),
            client.get(url + "events", headers=SHOWN) as slow,
            client.get(url + "events", headers=SHOWN) as other,
        ):
            await messages(slow, 1)
            await messages(other, 1)
            for _ in range(200):
                room.take(Gone("x" * 50_000))
                assert kinds(await messages(other, 1)) == ["gone"]
            await until(lambda: len(room._readers) == 1, PATIENCE)
            room.take(Gone("still there"))
            assert (await messages(other, 1))[0]["why"] == "still there"

    run(scene)


def test_too_many_browsers_are_refused() -> None:
    async def scene() -> None:
        room = Room()
        async with site(room) as (client, url):
            readers = [room.join() for _ in range(MOST_READERS)]
            for reader in readers:
                reader.__enter__()
            async with client.get(url + "events", headers=SHOWN) as answer:
                assert answer.status == 503
                assert "16 browsers" in await answer.text()

    run(scene)


def test_the_daemon_is_followed_only_while_somebody_looks() -> None:
    async def scene(path: Path) -> None:
        room = Room()
        following = asyncio.create_task(room.follow(path, linger=0.05))
        await asyncio.sleep(0.1)
        assert room._count == 0
        with room.join() as reader:
            told = aiter(reader)
            assert (await anext(told))["type"] == "hello"
            assert (await anext(told))["type"] in {"status", "gone", "back"}
        await asyncio.sleep(0.5)
        before = room._count
        await asyncio.sleep(1.5)
        assert room._count == before
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

    with daemon("--source", "-") as d:
        d.until(lambda _: True)
        asyncio.run(scene(d.path))
        d.until(lambda answer: answer.counters.clients == 0)


def certificate(folder: Path) -> tuple[Path, Path]:
    """One that says it is localhost, and its key."""
    files = folder / "c.pem", folder / "k.pem"
    wish = ("-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost")
    command = ["openssl", "req", *wish, "-out", str(files[0]), "-keyout", str(files[1])]
    try:
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        pytest.skip("there is no openssl to make a certificate with")
    return files


def test_others_are_served_with_a_certificate_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["web", "--listen", "0.0.0.0:0"]) == 1
    assert "--certificate and --key" in capsys.readouterr().err
    chain, key = certificate(tmp_path)
    assert main(["web", "--certificate", str(chain), "--key", str(tmp_path / "x")]) == 1
    assert "no certificate with its key" in capsys.readouterr().err
    files = ("--certificate", str(chain), "--key", str(key))
    place = ("--listen", "0.0.0.0:0", "--socket", str(tmp_path / "e.sock"))

    async def scene(printed: str) -> None:
        assert printed.startswith("https://0.0.0.0:")
        url, token = printed.replace("//0.0.0.0", "//127.0.0.1").split("#")
        context = ssl.create_default_context(cafile=str(chain))
        context.check_hostname = False
        shown = {"Authorization": f"Bearer {token}"}
        async with (
            ClientSession(connector=TCPConnector(ssl=context)) as client,
            client.get(url + "events", headers=shown) as answer,
        ):
            assert answer.status == 200
            while "gone" not in kinds(await messages(answer, 1)):
                pass

    with serving("web", *place, *files) as printed:
        run(lambda: scene(printed))
