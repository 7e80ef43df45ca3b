import asyncio
import itertools
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from earshot.errors import DeviceError
from earshot.notify import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The service manager's end of the socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(tmp_path / "n"))
        end.settimeout(5)
        yield end


def environment(manager: socket.socket, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": manager.getsockname(), **more}


async def watched(notifier: Notifier, progress: Iterator[object], seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await notifier.watch(lambda: next(progress))


def received(manager: socket.socket) -> list[bytes]:
    manager.setblocking(False)  # noqa: FBT003 - by position only
    found = []
    with suppress(BlockingIOError):
        while True:
            found.append(manager.recv(100))
    return found


def test_ready_and_stopping_are_said(manager: socket.socket) -> None:
    notifier = Notifier(environment(manager))
    notifier.ready()
    notifier.stopping()
    assert received(manager) == [b"READY=1", b"STOPPING=1"]


def test_how_it_stands_is_one_line(manager: socket.socket) -> None:
    Notifier(environment(manager)).status("waiting\nfor a microphone")
    assert received(manager) == [b"STATUS=waiting for a microphone"]


def test_a_start_that_goes_on_is_waited_for(
    manager: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("earshot.notify.PATIENCE_SECONDS", 0.01)
    looks = iter((False, True))
    asyncio.run(Notifier(environment(manager)).start(lambda: next(looks)))
    assert received(manager) == [b"EXTEND_TIMEOUT_USEC=10000"]


def test_an_abstract_address_is_understood() -> None:
    name = f"earshot-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind("\0" + name)
        Notifier({"NOTIFY_SOCKET": "@" + name}).ready()
        assert received(end) == [b"READY=1"]


def test_nothing_is_said_where_nobody_asked() -> None:
    notifier = Notifier({})
    notifier.ready()
    asyncio.run(watched(notifier, itertools.count(), 1.0))


def test_the_watchdog_is_fed_while_there_is_progress(manager: socket.socket) -> None:
    notifier = Notifier(environment(manager, WATCHDOG_USEC="40000"))
    asyncio.run(watched(notifier, itertools.count(), 0.2))
    assert received(manager).count(b"WATCHDOG=1") >= 2


def test_a_manager_that_does_not_read_is_not_waited_for(
    manager: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = Notifier(environment(manager))
    for _ in range(1_000):
        notifier.ready()
    assert "too busy" in caplog.text


def test_the_watchdog_starves_when_the_audio_stands_still(manager: socket.socket) -> None:
    notifier = Notifier(environment(manager, WATCHDOG_USEC="40000"))
    asyncio.run(watched(notifier, itertools.repeat(7), 0.2))
    assert received(manager) == [b"WATCHDOG=1"]


def test_a_watchdog_of_another_process_is_not_fed(manager: socket.socket) -> None:
    notifier = Notifier(environment(manager, WATCHDOG_USEC="40000", WATCHDOG_PID="1"))
    asyncio.run(watched(notifier, itertools.count(), 1.0))
    assert received(manager) == []


def test_a_manager_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="service manager"):
        Notifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).ready()
