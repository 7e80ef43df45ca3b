"""From the thread that reads a source to the event loop: bounded, in order, and what is lost is counted.

When the loop falls behind a source that can wait (a file), the thread waits. One that cannot (a
microphone) loses the newest audio: what is heard already stays whole, so a sentence under way is
cut once, at its end. And it goes on losing until half of the backlog is gone, for one long gap
harms recognition less than many short ones.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace

from earshot.events import AudioDropped
from earshot.sources import Chunk, Item, Source
from earshot.units import samples

logger = logging.getLogger(__name__)

LEAVE_SECONDS = 2.0  # for a source to end after `close`; a frozen sound server may never let go


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """The hand-over from the source."""

    limit_ms: int = 10_000
    """audio kept while the recogniser is behind; more than it could catch up with is of no use"""


class Feed:
    """`async for item in feed`: once, by one task. Raises what the source raises, after the last item.

    The thread starts with the iteration. `dropped` counts all samples lost so far, by the source
    or here.
    """

    def __init__(self, source: Source, limit_ms: int, *, lossless: bool) -> None:
        self._source, self._limit, self._lossless = source, samples(limit_ms), lossless
        self._items: deque[Item] = deque()
        self._backlog = 0  # samples in the items
        self._gap: tuple[int, int] | None = None  # what is being lost, from and up to
        self._state = threading.Condition()  # guards all above and the two below
        self._ended = self._closed = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._read, name="source", daemon=True)
        self._arrived = asyncio.Event()
        self.dropped = 0

    async def __aiter__(self) -> AsyncIterator[Item]:
        """Give everything the source gives, to its end or until closed."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        while not self._closed:
            self._arrived.clear()
            item = self._take()
            if item is not None:
                yield item
            elif self._ended:
                break
            else:
                await self._arrived.wait()
        if self._error is not None and not self._closed:
            raise self._error

    async def close(self) -> None:
        """End the iteration and the source. What was not taken is gone."""
        with self._state:
            self._closed = True
            self._state.notify()
        self._arrived.set()
        self._source.close()
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join, LEAVE_SECONDS)
            if self._thread.is_alive():
                logger.warning("%s does not let go; it is left behind", self._source.description)
