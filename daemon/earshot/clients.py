"""Who is served: counted in and out with one log line each, and never more than the limit."""

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from earshot.errors import AudioError, DeviceError, EarshotError, LimitError
from earshot.meter import Ring
from earshot.outbox import Outbox
from earshot.session import Session
from earshot.units import seconds

logger = logging.getLogger(__name__)

STOPPING = "the daemon is stopping; try again when it runs again"
_AT_ONCE = "clients at once"


@dataclass(slots=True)
class Clients:
    """The clients of a daemon."""

    limit: int
    now: int = 0
    total: int = 0
    dropped: int = 0  # because they did not read
    stopping: bool = False

    @contextmanager
    def serve(self, name: str, session: Session, outbox: Outbox | Ring) -> Iterator[None]:
        """Serve one of them. Raises LimitError, and DeviceError when nobody is served any more."""
        if self.stopping:
            raise DeviceError(STOPPING)
        if self.now >= self.limit:
            raise LimitError(_AT_ONCE, self.now + 1, self.limit, "clients")
        self.now += 1
        self.total += 1
        number, began, before = self.total, session.heard, session.utterances
        since, end = time.monotonic(), "done"
        logger.info("client %d opened: %s", number, name)
        try:
            yield
        except BaseException as error:
            end = _reason(error)
            raise
        finally:
            self.now -= 1
            self.dropped += outbox.unread
            heard, spoken = seconds(session.heard - began), session.utterances - before
            facts = f"{heard:.1f} s of audio, {spoken} utterances, {outbox.sent} events"
            took = time.monotonic() - since
            end = "dropped because it did not read" if outbox.unread else end
            text = "client %d closed after %.1f s: %s, %s; %s"
            logger.info(text, number, took, name, facts, end)


def _reason(error: BaseException) -> str:
    """Say why a client is not served any more; no text of its own, which may hold names."""
    match error:
        case DeviceError() | LimitError() | AudioError():
            return str(error)
        case EarshotError():
            return f"refused ({error.status.value})"
        case asyncio.CancelledError() | GeneratorExit():
            return "the client went away"
    return type(error).__name__
