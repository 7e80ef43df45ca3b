"""A headless Chromium, spoken to by the DevTools protocol over its WebSocket."""

import asyncio
import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

from tests.processes import PATIENCE

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# Of what runs as root in a container: no sandbox, little shared memory.
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
QUIET = ("--no-first-run", "--disable-background-networking", "--remote-debugging-port=0")
LONGEST = 2 * PATIENCE  # a browser has much to do


def program() -> str | None:
    """Where Chromium is, if it is."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


@dataclass
class Tab:
    """A page that is open."""

    socket: ClientWebSocketResponse
    session: str = ""
    complaints: list[str] = field(default_factory=list)
    """errors that the page wrote to its console, or did not catch"""
    requested: list[str] = field(default_factory=list)
    """every address that it asked for"""
    reading: asyncio.Task[None] | None = None
    _numbers: Any = field(default_factory=lambda: count(1))
    _answers: dict[int, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)

    async def read(self) -> None:
        """Take what the browser says, until it is gone."""
        async for message in self.socket:
            told = json.loads(message.data)
            if answer := self._answers.pop(told.get("id", 0), None):
                answer.set_result(told)
            else:
                self._note(told.get("method", ""), told.get("params", {}))

    def _note(self, method: str, told: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(told["exceptionDetails"]))
        if method == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.complaints.append(json.dumps(told["entry"]))
        if method == "Runtime.consoleAPICalled" and told["type"] in {"error", "assert"}:
            self.complaints.append(json.dumps(told["args"]))
        if method == "Network.requestWillBeSent":
            self.requested.append(told["request"]["url"])

    async def send(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Do something, and give what came of it."""
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": arguments}
        await self.socket.send_json(message | ({"sessionId": self.session} if self.session else {}))
        async with asyncio.timeout(LONGEST):
            told = await self._answers[number]
        assert "error" not in told, (method, told)
        result: dict[str, Any] = told["result"]
        return result

    async def value(self, script: str) -> Any:
        """What a script gives."""
        told = await self._evaluated(script)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    async def until(self, script: str) -> Any:
        """Wait until a script gives something true; it may fail while the page is not there yet."""
        async with asyncio.timeout(LONGEST):
            while True:
                told = await self._evaluated(script)
                if "exceptionDetails" not in told and (found := told["result"].get("value")):
                    return found
                await asyncio.sleep(0.05)

    async def _evaluated(self, script: str) -> dict[str, Any]:
        return await self.send("Runtime.evaluate", expression=script, returnByValue=True)

    async def go(self, url: str) -> None:
        """Open an address, as if it were typed."""
        await self.send("Page.navigate", url="about:blank")  # another fragment alone loads nothing
        await self.send("Page.navigate", url=url)

    async def size(self, width: int, height: int) -> None:
        """Be a window of this size, in pixels."""
        more = {"deviceScaleFactor": 1, "mobile": width < 600}
        await self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, **more)

    async def prefer(self, **features: str) -> None:
        """Prefer something, such as color_scheme="dark"."""
        media = [
            {"name": f"prefers-{name.replace('_', '-')}", "value": value}
            for name, value in features.items()
        ]
        await self.send("Emulation.setEmulatedMedia", features=media)

    async def picture(self) -> bytes:
        """What is seen, as PNG."""
        told = await self.send("Page.captureScreenshot", format="png")
        return base64.b64decode(told["data"])


@asynccontextmanager
async def tab() -> AsyncIterator[Tab]:
    """A browser with one page."""
    found = program()
    assert found, "there is no Chromium"
    with tempfile.TemporaryDirectory(prefix="browser", ignore_cleanup_errors=True) as folder:
        command = (found, *FLAGS, *QUIET, f"--user-data-dir={folder}", "about:blank")
        process = subprocess.Popen(  # noqa: ASYNC220 - it is waited for at the end only
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": folder},
            start_new_session=True,
        )
        try:
            address = await _address(process, Path(folder))
            async with ClientSession() as client, client.ws_connect(address, max_msg_size=0) as ws:
                yield await _opened(ws)
            await asyncio.sleep(0)  # its connection is closed in the next turn
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # its helpers, too
            process.wait()


async def _address(process: subprocess.Popen[bytes], folder: Path) -> str:
    """Where it can be spoken to: it writes that into its folder."""
    told = folder / "DevToolsActivePort"
    async with asyncio.timeout(LONGEST):
        while not told.exists() or len(lines := told.read_text().split()) < 2:
            assert process.poll() is None, "the browser does not start"
            await asyncio.sleep(0.05)
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}"


async def _opened(ws: ClientWebSocketResponse) -> Tab:
    found = Tab(ws)
    found.reading = asyncio.create_task(found.read())
    target = (await found.send("Target.createTarget", url="about:blank"))["targetId"]
    told = await found.send("Target.attachToTarget", targetId=target, flatten=True)
    found.session = told["sessionId"]
    for part in ("Page", "Runtime", "Log", "Network"):
        await found.send(f"{part}.enable")
    return found
