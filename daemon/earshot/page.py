"""The live page: files for a browser, and a stream of what happens (server-sent events).

Whoever opens the stream is first told what the last seconds held. Each reader has an outbox of its
own: of one that is slow, readings of the meter go first, then the reader, which connects again by
itself. The daemon is followed only while somebody looks, and for a little longer.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib.resources import files
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from earshot.errors import EarshotError
from earshot.following import Item, follow
from earshot.outbox import Waiting
from earshot.serving_http import application
from earshot.telling import Message, Teller

FILES = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/picture.js": ("picture.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
MOST_READERS = 16
# So many messages of each type are told to a new reader: 15 s of the meter.
KEPT = {"reading": 150, "event": 100, "status": 1, "gone": 1, "back": 1}
WAITING = 400  # messages that may wait for a reader
WRITE_SECONDS = 10.0  # that a browser may leave a message unread
LINGER_SECONDS = 30.0  # after the last reader


class Reader(Waiting[Message]):
    """Messages for one browser: bounded."""

    def __init__(self, told: Collection[Message]) -> None:
        """`told`: what it is told first."""
        super().__init__(deque(told))

    def put(self, message: Message) -> None:
        """Take a message, unless closed."""
        if self._closed:
            return
        self._waiting.append(message)
        if len(self._waiting) > WAITING:
            self._waiting = deque(one for one in self._waiting if one["type"] != "reading")
        if len(self._waiting) > WAITING:
            self.close()
        self._news.set()

    def close(self, error: EarshotError | None = None) -> None:
        """End at once; what waits is not read any more."""
        self._waiting.clear()
        super().close(error)


class Room:
    """All that look at one daemon."""

    def __init__(self) -> None:
        self._teller, self._readers = Teller(), set[Reader]()
        self._kept = {kind: deque[tuple[int, Message]](maxlen=most) for kind, most in KEPT.items()}
        self._count = 0
        self._changed = asyncio.Event()  # who looks

    def take(self, item: Item) -> None:
        """Tell everybody."""
        message = self._teller.tell(item)
        self._count += 1
        if message["type"] == "back":  # of another life is what was kept
            for kept in self._kept.values():
                kept.clear()
        if message.get("event") != "partial":
            self._kept[str(message["type"])].append((self._count, message))
        for reader in self._readers:
            reader.put(message)

    @contextmanager
    def join(self) -> Iterator[Reader]:
        """Look from now on, and at the last seconds."""
        kept = (one for many in self._kept.values() for one in many)
        past = [message for _, message in sorted(kept, key=lambda one: one[0])]
        reader = Reader([{"type": "hello"}, *past])
        self._readers.add(reader)
        self._changed.set()
        try:
            yield reader
        finally:
            self._readers.discard(reader)
            self._changed.set()

    @property
    def full(self) -> bool:
        """Whether nobody else may look."""
        return len(self._readers) >= MOST_READERS

    def close(self) -> None:
        """Send everybody away."""
        for reader in self._readers:
            reader.close()

    async def follow(self, path: Path, linger: float = LINGER_SECONDS) -> None:
        """Follow the daemon at a socket while somebody looks, and `linger` seconds longer."""
        while True:
            await self._until(lambda: bool(self._readers))
            following = asyncio.create_task(follow(path, self.take))
            deserted = asyncio.create_task(self._deserted(linger))
            try:
                await asyncio.wait({following, deserted}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                failed = following.done()
                for task in (following, deserted):
                    task.cancel()
                await asyncio.gather(following, deserted, return_exceptions=True)
            if failed:
                following.result()

    async def _deserted(self, linger: float) -> None:
        """Wait until nobody has looked for so long."""
        while True:
            await self._until(lambda: not self._readers)
            with suppress(TimeoutError):
                async with asyncio.timeout(linger):
                    await self._until(lambda: bool(self._readers))
                    continue
            return

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()


def page(room: Room, token: str, names: Collection[str] = ()) -> web.Application:
    """Make the application; the files are for everybody, what is heard for who has the token."""
    app = application(token, names, free=FILES)
    folder = files("earshot") / "assets" / "web"

    def answering(name: str, content_type: str) -> Handler:
        text = (folder / name).read_text(encoding="utf-8")

        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(text=text, content_type=content_type)

        return answer

    for path, (name, content_type) in FILES.items():
        app.router.add_get(path, answering(name, content_type))
    app.router.add_get("/events", partial(_events, room))
    app.on_shutdown.append(partial(_close, room))
    return app


async def _close(room: Room, _: web.Application) -> None:
    room.close()


async def _events(room: Room, request: web.Request) -> web.StreamResponse:
    """Stream what happens."""
    if room.full:
        text = f"{MOST_READERS} browsers look already, which is the limit; close one\n"
        raise web.HTTPServiceUnavailable(text=text)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    with room.join() as reader, suppress(ConnectionResetError, TimeoutError):
        async for message in reader:
            text = json.dumps(message, ensure_ascii=False)
            async with asyncio.timeout(WRITE_SECONDS):
                await response.write(f"data: {text}\n\n".encode("utf-8", "backslashreplace"))
    if request.transport:  # it will not read a polite end either
        request.transport.abort()
    return response
