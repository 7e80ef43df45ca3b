"""What one client has still to be sent: bounded, partials first to go, then the client."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from earshot.errors import EarshotError, LimitError
from earshot.events import Event, Partial

_UNREAD = "events that this client has not read"


T = TypeVar("T")


class Waiting(Generic[T]):
    """What waits for one reader, who may be slow, until closed. Belongs to one event loop."""

    def __init__(self, waiting: deque[T]) -> None:
        """`waiting` holds what is read first, and says how much is kept at most."""
        self._waiting = waiting
        self._error: EarshotError | None = None
        self._closed = False
        self._news = asyncio.Event()
        self.unread = False
        self.sent = 0

    def close(self, error: EarshotError | None = None) -> None:
        """End after what waits, with `error` if one is given. The first close counts."""
        if not self._closed:
            self._closed, self._error = True, error
            self._news.set()

    async def __aiter__(self) -> AsyncIterator[T]:
        """All of it as it comes, until closed. One reader. Raises what `close` was given."""
        while True:
            while self._waiting:
                self.sent += 1
                yield self._waiting.popleft()
            if self._closed:
                break
            self._news.clear()
            await self._news.wait()
        if self._error:
            raise self._error


class Outbox(Waiting[Event]):
    """Events in order, from one who never waits to one who may be slow.

    When `limit` events wait, the partials among them go: the next one says it all again. When that
    does not help, everything goes, and the reader gets a LimitError.
    """

    def __init__(self, limit: int, *, without: int | None = None) -> None:
        """`without` is an utterance that had begun before, and is left out."""
        super().__init__(deque())
        self._limit, self._without = limit, without

    def put(self, event: Event) -> None:
        """Take an event, unless closed."""
        if self._closed or getattr(event, "utterance", self) == self._without:
            return
        self._waiting.append(event)
        if len(self._waiting) > self._limit:
            self._drop()
        self._news.set()

    def _drop(self) -> None:
        stable: deque[Event] = deque(
            event for event in self._waiting if not isinstance(event, Partial)
        )
        if len(stable) <= self._limit:
            self._waiting = stable
            return
        self._waiting.clear()
        self.unread = True
        self.close(LimitError(_UNREAD, len(stable), self._limit, "events"))
