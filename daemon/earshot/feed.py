"""From the thread that reads a source to the event loop: bounded, in order, each loss counted.

When the loop falls behind a source that can wait (a file), the thread waits. One that cannot (a
microphone) loses the newest audio: what was heard already stays whole, so a sentence under way is
cut once, at its end. It goes on losing until half of the backlog is gone, for one long gap harms
recognition less than many short ones.
"""

import asyncio
import logging
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Self

from earshot.events import AudioDropped
from earshot.scheduling import UNCHANGED, check_nice, renice
from earshot.settings import check_above_zero
from earshot.sources import Attentive, Chunk, Item, Mutable, Source
from earshot.units import samples

logger = logging.getLogger(__name__)

LEAVE_SECONDS = 2.0  # for a source to end after `close`; a frozen sound server may never let go


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """The hand-over from the source."""

    limit_ms: int = 5_000
    """audio kept while the recogniser is behind: later than that, words are of no use any more"""
    nice: int = -11
    """niceness of the thread that reads the source, where that is allowed: it goes first"""

    def __post_init__(self) -> None:
        check_above_zero(self, "limit_ms")
        check_nice("nice", self.nice)


class Feed:
    """`async for item in feed`, in one task: everything the source gives, to its end or `close`.

    Raises what the source raised, after the last item before it. The source is read from the first
    request on. `dropped` counts all samples lost so far, by the source or here.
    """

    def __init__(
        self, source: Source, limit_ms: int, *, lossless: bool, nice: int = UNCHANGED
    ) -> None:
        """Keep at most `limit_ms` of audio; `lossless` has the source wait when that is full.

        `nice`: niceness of the thread.
        """
        self._nice = nice
        self._source, self._limit, self._lossless = source, samples(limit_ms), lossless
        self._thread = threading.Thread(target=self._read, name="source", daemon=True)
        self._arrived = asyncio.Event()
        self._state = threading.Condition()  # guards all that follows
        self._items: deque[Item] = deque()
        self._backlog = 0  # samples in the items
        self._gap: tuple[int, int] | None = None  # being lost: from, up to
        self._ended = self._closed = self._muted = False
        self._mutes = 0  # how often it was muted: what is older is thrown away
        self._error: Exception | None = None
        self.dropped = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        if self._thread.ident is None and not self._closed:
            self._loop = asyncio.get_running_loop()
            self._thread.start()
        while True:
            self._arrived.clear()
            with self._state:
                if self._closed:
                    raise StopAsyncIteration
                if self._items:
                    return self._take()
                if self._ended:
                    raise self._error or StopAsyncIteration
            await self._arrived.wait()

    async def close(self) -> None:
        """End the iteration and the source. What was not taken is gone."""
        with self._state:
            self._closed = True
            self._state.notify()
        self._arrived.set()
        self._source.close()
        if self._thread.ident is None:
            return
        await asyncio.to_thread(self._thread.join, LEAVE_SECONDS)
        if self._thread.is_alive():
            logger.warning("%s does not let go and is left behind", self._source.description)

    async def mute(self) -> bool:
        """Throw away what waits and what comes, and close the device; False if it is held."""
        with self._state:
            self._muted, self._mutes = True, self._mutes + 1
            self._items.clear()
            self._backlog, self._gap = 0, None
            self._state.notify()
        source = self._source
        return await asyncio.to_thread(source.mute) if isinstance(source, Mutable) else True

    def attend(self, *, speaking: bool) -> None:
        """Tell the source whether somebody speaks."""
        if isinstance(self._source, Attentive):
            self._source.attend(speaking=speaking)

    def unmute(self) -> None:
        """Give again what comes."""
        with self._state:
            self._muted = False
        if isinstance(self._source, Mutable):
            self._source.unmute()

    def _take(self) -> Item:
        item = self._items.popleft()
        self._backlog -= _length(item)
        self._state.notify()
        return item

    def _read(self) -> None:
        """Read the source to its end, in the thread."""
        renice(self._nice)
        try:
            for item in self._source:
                with self._state:
                    self._put(item)
        except Exception as error:  # noqa: BLE001 - whatever it is, the consumer is told
            self._error = error
        with self._state:
            self._tell_gap()
            self._ended = True
            self._wake()

    def _put(self, item: Item) -> None:
        """Hand an item on, wait until there is room, or lose it."""
        mutes = self._mutes
        if self._lossless:
            self._state.wait_for(lambda: self._closed or not self._full(_length(item)))
        if self._closed or self._muted or mutes != self._mutes:
            return
        if not isinstance(item, Chunk):
            if isinstance(item, AudioDropped) and self._gap is not None:
                self._lose(item.at, item.samples)
                return
            self._tell_gap()
        elif self._full(len(item.samples)):
            self._lose(item.first, len(item.samples))
            return
        else:
            self._tell_gap(item.first)
        self._append(item)

    def _full(self, length: int) -> bool:
        """Whether an item of so many samples is too much; a single one never is."""
        limit = self._limit if self._gap is None else self._limit // 2
        return bool(self._backlog) and self._backlog + length > limit

    def _lose(self, first: int, length: int) -> None:
        """Lengthen the gap up to the end of what is lost now, or begin one."""
        begin, end = self._gap or (first, first)
        self._gap = begin, max(end, first + length)

    def _tell_gap(self, end: int | None = None) -> None:
        """End the gap, if there is one, where the source goes on."""
        if self._gap is None:
            return
        begin, known = self._gap
        self._gap = None
        self._append(AudioDropped(begin, (known if end is None else end) - begin, 0))

    def _append(self, item: Item) -> None:
        if isinstance(item, AudioDropped):
            self.dropped += item.samples
            item = replace(item, total=self.dropped)
        self._items.append(item)
        self._backlog += _length(item)
        self._wake()

    def _wake(self) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(self._arrived.set)


def _length(item: Item) -> int:
    return len(item.samples) if isinstance(item, Chunk) else 0
