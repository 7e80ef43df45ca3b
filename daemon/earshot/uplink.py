"""The uplink: the process that has the network, and no microphone, no audio and no catalog.

    daemon ──Unix socket──▶ uplink ─▶ audit log, then ──TLS──▶ re-ranker

It serves the daemon and has no way into it. It forwards while a daemon attends it, which one does
in mode assisted only; it ends when the daemon says so, or when none attends for a while. What
cannot be written to the audit log is not sent.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import grpc

from earshot.answering import refusal
from earshot.audit import AuditLog
from earshot.binding import bind
from earshot.errors import AuditError, DeviceError, LimitError
from earshot.generated.v1 import status_pb2, uplink_pb2
from earshot.generated.v1.audit_pb2 import AuditOutcome, AuditSent
from earshot.generated.v1.uplink_pb2_grpc import UplinkServicer, add_UplinkServicer_to_server
from earshot.notify import Notifier
from earshot.place import claim
from earshot.relay import Reach, Relay
from earshot.signals import on_signals
from earshot.strict import Strict

logger = logging.getLogger(__name__)

MOST_BYTES = 1 << 14  # of a request: more than any lattice takes that the daemon sends
MOST_AT_ONCE = 64  # questions
GRACE = 0.5  # seconds for answers under way when it ends
HOUR = 3_600.0  # between looks for what is too old
UNATTENDED = "no daemon in mode assisted attends the uplink; nothing is sent"
_REQUEST, _UPLINK = "one request", "the uplink"
Context = grpc.aio.ServicerContext[object, object]


class Post(UplinkServicer):
    """The service Uplink."""

    def __init__(self, relay: Relay, log: AuditLog) -> None:
        self._relay, self._log = relay, log
        self._writing = asyncio.Lock()
        self._attending = self._asking = 0
        self._alone_since = time.monotonic()
        self._troubled = False
        self.stopped = asyncio.Event()

    @property
    def alone(self) -> float:
        """Seconds for which no daemon has attended."""
        return 0.0 if self._attending else time.monotonic() - self._alone_since

    async def Attend(  # noqa: N802
        self, request: uplink_pb2.AttendRequest, context: Context
    ) -> AsyncIterator[uplink_pb2.AttendResponse]:
        """Tell a daemon how the re-ranker can be reached, for as long as it is there."""
        del request, context
        self._attending += 1
        try:
            async for reach in self._relay.changes():
                yield uplink_pb2.AttendResponse(reachable=reach.reachable, about=reach.about)
        finally:
            self._attending -= 1
            self._alone_since = time.monotonic()

    async def Forward(  # noqa: N802
        self, request: uplink_pb2.ForwardRequest, context: Context
    ) -> uplink_pb2.ForwardResponse:
        """Write it down, then send it."""
        self._check(request)
        self._asking += 1
        try:
            number = await self._written(request)
            return await self._sent(request, number, context)
        finally:
            self._asking -= 1

    async def StopUplink(  # noqa: N802
        self, request: uplink_pb2.StopUplinkRequest, context: Context
    ) -> uplink_pb2.StopUplinkResponse:
        """End."""
        del request, context
        logger.info("the daemon says that nothing is to leave any more: stopping")
        self.stopped.set()
        return uplink_pb2.StopUplinkResponse()

    def _check(self, request: uplink_pb2.ForwardRequest) -> None:
        """Raise what speaks against it before anything is written."""
        if not self._attending or self.stopped.is_set():
            raise DeviceError(UNATTENDED)
        if not self._relay.reach.reachable:
            raise DeviceError(self._relay.reach.about)
        if (size := request.request.ByteSize()) > MOST_BYTES:
            raise LimitError(_REQUEST, size, MOST_BYTES, "bytes")
        if self._asking >= MOST_AT_ONCE:
            raise LimitError(_UPLINK, self._asking + 1, MOST_AT_ONCE, "questions at once")

    async def _written(self, request: uplink_pb2.ForwardRequest) -> int:
        """Write down what is about to be sent. Raises AuditError."""
        entry = AuditSent(
            address=self._relay.address,
            mode=status_pb2.MODE_ASSISTED,
            utterance=request.utterance,
            version=request.version,
            bytes=request.request.ByteSize(),
            request=request.request,
        )
        async with self._writing:
            try:
                number = await asyncio.to_thread(self._log.sent, entry)
            except AuditError as error:
                self._trouble(str(error))
                raise
        self._trouble("")
        return number

    def _trouble(self, reason: str) -> None:
        """Log once that nothing can be written, and once that it can again."""
        if bool(reason) != self._troubled:
            self._troubled = bool(reason)
            logger.warning("%s", reason or "the audit log can be written again")

    async def _sent(
        self, request: uplink_pb2.ForwardRequest, number: int, context: Context
    ) -> uplink_pb2.ForwardResponse:
        """Send it, and write down what became of it."""
        began, found = time.monotonic(), AuditOutcome(status="CANCELLED")
        try:
            left = context.time_remaining()
            answer = await self._relay.ask(request.request, left)
            found = AuditOutcome(status="OK", bytes=answer.ByteSize())
            return uplink_pb2.ForwardResponse(response=answer)
        except grpc.aio.AioRpcError as error:
            found = AuditOutcome(status=error.code().name)
            logger.debug("the re-ranker: %s", error.details())
            await context.abort(error.code(), refusal(error.code()))
        finally:
            found.took.FromNanoseconds(round((time.monotonic() - began) * 1e9))
            await asyncio.shield(self._ended(number, found))

    async def _ended(self, number: int, found: AuditOutcome) -> None:
        async with self._writing:
            try:
                await asyncio.to_thread(self._log.outcome, number, found)
                await asyncio.to_thread(self._log.sync)
            except AuditError as error:
                self._trouble(str(error))

    async def settled(self) -> None:
        """Wait until all is written that was begun."""
        async with self._writing:
            pass

    async def tidy(self) -> None:
        """Delete what is too old, every hour; for ever."""
        while True:
            await asyncio.sleep(HOUR)
            async with self._writing:
                with suppress(AuditError):
                    await asyncio.to_thread(self._log.expire)


async def live(place: Path, relay: Relay, log: AuditLog, idle_seconds: float) -> None:
    """Serve at `place` until told to stop, or nobody attends. Raises DeviceError."""
    post, notifier = Post(relay, log), Notifier()
    on_signals(post.stopped)
    async with _serving(place, post), _working(relay.watch(), post.tidy(), _say(relay)):
        logger.info("a daemon in mode assisted is served at %s", place)
        notifier.ready()
        while not post.stopped.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(min(1.0, idle_seconds / 4)):
                    await post.stopped.wait()
            if post.alone > idle_seconds:
                logger.info("no daemon in mode assisted for %g s: stopping", idle_seconds)
                break
        notifier.stopping()


async def _say(relay: Relay) -> None:
    """Log how the re-ranker can be reached, whenever that changes; for ever."""
    before: Reach | None = None
    async for reach in relay.changes():
        if before is not None or reach.reachable:
            logger.info("the re-ranker: %s", reach.about)
        before = reach


@asynccontextmanager
async def _serving(place: Path, post: Post) -> AsyncIterator[None]:
    claim(place)
    limit = ("grpc.max_receive_message_length", 2 * MOST_BYTES)
    server = grpc.aio.server(options=[limit], interceptors=[Strict()])
    add_UplinkServicer_to_server(post, server)  # type: ignore[no-untyped-call]
    bind(server, place)
    await server.start()
    try:
        yield
    finally:
        await server.stop(GRACE)
        await post.settled()
        place.unlink(missing_ok=True)  # noqa: ASYNC240 - one system call, on the way out


@asynccontextmanager
async def _working(*works: Coroutine[object, object, None]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
