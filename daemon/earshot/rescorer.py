"""The re-ranker as a server: gRPC over TLS or a Unix socket. It keeps nothing between calls.

It never hears anything and logs no word. Any number of it may stand behind a load balancer: which
of them answers makes no difference.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from earshot.answering import answered
from earshot.batching import Batcher, BatchSettings, Ranker
from earshot.binding import bind
from earshot.credentials import (
    UNIX,
    ServerFiles,
    is_shown,
    is_unix,
    read_token,
    server_credentials,
)
from earshot.errors import DeviceError, LimitError
from earshot.generated.v1 import rescoring_pb2 as pb
from earshot.generated.v1.rescoring_pb2_grpc import (
    RescoringServicer,
    add_RescoringServicer_to_server,
)
from earshot.neural import RescorerBundle
from earshot.notify import Notifier
from earshot.place import claim
from earshot.rescoring import MOST_PATHS
from earshot.settings import check_above_zero, read_settings
from earshot.signals import on_signals
from earshot.strict import Strict

logger = logging.getLogger(__name__)

SERVICE = "earshot.v1.Rescoring"
MOST_ID = 64  # bytes
_N_BEST, _ID = "n_best", "id"
LOOK, QUIET = 0.02, 5  # seconds between looks whether anybody asks, and how many find nobody
_UNKNOWN = "show the token of this re-ranker: metadata authorization, Bearer TOKEN"
Context = grpc.aio.ServicerContext[pb.RescoreRequest, pb.RescoreResponse]


@dataclass(frozen=True, slots=True)
class RescorerSettings:
    """How the re-ranker is served."""

    listen: str = "unix:rescorer.sock"
    """unix:PATH, or HOST:PORT, which needs TLS"""
    rescorer: str = "en"
    """name or folder of what it ranks with"""
    group: str = ""
    """Unix group that may use the socket; without it, that of the process"""
    message_bytes: int = 1 << 14
    """of a request"""
    longest_ms: int = 2_000
    """how long a request may take that says no deadline, or a later one"""
    grace_ms: int = 2_000
    """how long requests under way have when it is stopped; new ones, half of that at most"""
    tls: ServerFiles = field(default_factory=ServerFiles)
    batch: BatchSettings = field(default_factory=BatchSettings)

    def __post_init__(self) -> None:
        """Raise SettingsError for limits that are none."""
        check_above_zero(self, "message_bytes", "longest_ms")


@dataclass(frozen=True, slots=True)
class RescorerFile:
    """The tables of its file."""

    rescorer: RescorerSettings = field(default_factory=RescorerSettings)
    """how it is served"""


def load(path: Path | None) -> RescorerSettings:
    """Read the settings of a file, or the defaults. Raises SettingsError."""
    return read_settings(RescorerFile, path).rescorer


class RescoringApi(RescoringServicer):
    """The service Rescoring."""

    def __init__(
        self, bundle: RescorerBundle, batcher: Batcher, token: str, longest: float
    ) -> None:
        """`token` may be empty: then none is asked for. `longest` is in seconds."""
        self._batcher, self._token, self._longest = batcher, token, longest
        self._model = pb.RescoringModel(name=bundle.name, version=bundle.version)
        self._asked = 0

    async def Rescore(  # noqa: N802
        self, request: pb.RescoreRequest, context: Context
    ) -> pb.RescoreResponse:
        """Order the paths of a lattice anew."""
        self._asked += 1
        if self._token and not is_shown(self._token, tuple(context.invocation_metadata() or ())):
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, _UNKNOWN)
        left = context.time_remaining()
        seconds = self._longest if left is None else min(left, self._longest)
        async with answered(context):
            _check(request)
            try:
                paths = await self._batcher.rescore(
                    request.parcel, request.n_best or 1, seconds, debias=request.debias
                )
            except TimeoutError:
                message = f"not done in {1000 * seconds:.0f} ms; ask again with a later deadline"
                await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, message)
        found = [pb.RescoredPath(arcs=p.arcs, score=p.score, posterior=p.posterior) for p in paths]
        return pb.RescoreResponse(paths=found, model=self._model, id=request.id)

    async def rest(self, seconds: float) -> None:
        """Wait until nobody asks any more, `seconds` at most."""
        end, quiet = time.monotonic() + seconds, 0
        while quiet < QUIET and time.monotonic() < end:
            before = self._asked
            await asyncio.sleep(LOOK)
            quiet = quiet + 1 if self._asked == before else 0


def _check(request: pb.RescoreRequest) -> None:
    """Raise LimitError for what is more than may be asked for."""
    if request.n_best > MOST_PATHS:
        raise LimitError(_N_BEST, request.n_best, MOST_PATHS, "paths")
    if (size := len(request.id.encode())) > MOST_ID:
        raise LimitError(_ID, size, MOST_ID, "bytes")


async def live(settings: RescorerSettings, bundle: RescorerBundle) -> None:
    """Serve until SIGTERM or SIGINT. Raises EarshotError, and whatever ends the work."""
    stop, notifier, began = asyncio.Event(), Notifier(), time.monotonic()
    on_signals(stop)
    batcher = Batcher(Ranker(bundle.model, bundle.settings), settings.batch)
    async with _working(batcher, stop) as working, serving(settings, bundle, batcher) as address:
        logger.info("ranking with %s %s at %s", bundle.name, bundle.version, address)
        notifier.ready()
        await stop.wait()
        notifier.stopping()
        if working.done():
            working.result()  # a fault: nobody would be answered any more
    tally = batcher.tally
    logger.info(
        "stopped: %.1f s up, %d requests answered in %d batches, %d refused, %d dropped",
        time.monotonic() - began, tally.answered, tally.batches, tally.refused, tally.dropped,
    )  # fmt: skip


@asynccontextmanager
async def _working(batcher: Batcher, stop: asyncio.Event) -> AsyncIterator[asyncio.Task[None]]:
    """Work on what comes while within; set `stop` if the work ends, and raise what ended it."""
    working = asyncio.create_task(batcher.work())
    working.add_done_callback(lambda _: stop.set())
    try:
        yield working
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        batcher.close()
    if not working.cancelled():
        working.result()


@asynccontextmanager
async def serving(
    settings: RescorerSettings, bundle: RescorerBundle, batcher: Batcher
) -> AsyncIterator[str]:
    """Serve while within, at the address that is given. Raises SettingsError, DeviceError.

    gRPC ends as CANCELLED, whatever the grace, what it has accepted and not yet handed over when it
    is stopped. So half of that is there to serve on while anybody asks; health tells that it ends.
    """
    token = read_token(settings.tls.token) if settings.tls.token else ""
    limit = ("grpc.max_receive_message_length", settings.message_bytes)
    options = [limit, ("grpc.so_reuseport", 0)]  # a port that another has is none of ours
    server = grpc.aio.server(options=options, interceptors=[Strict()])
    api = RescoringApi(bundle, batcher, token, settings.longest_ms / 1000)
    add_RescoringServicer_to_server(api, server)  # type: ignore[no-untyped-call]
    pulse = health.aio.HealthServicer()  # type: ignore[attr-defined]
    health_pb2_grpc.add_HealthServicer_to_server(pulse, server)
    address, grace = _bound(server, settings), settings.grace_ms / 1000
    await server.start()
    for service in (health.OVERALL_HEALTH, SERVICE):
        await pulse.set(service, health_pb2.HealthCheckResponse.SERVING)
    try:
        yield address
        await pulse.enter_graceful_shutdown()
        await api.rest(grace / 2)
    finally:
        await server.stop(grace / 2)
        if is_unix(settings.listen):
            Path(settings.listen.removeprefix(UNIX)).unlink(missing_ok=True)  # noqa: ASYNC240


def _bound(server: grpc.aio.Server, settings: RescorerSettings) -> str:
    """Bind the address, and say what it is, with the port that was chosen for 0."""
    address = settings.listen
    credentials = server_credentials(settings.tls, address)
    if credentials is None:
        place = Path(address.removeprefix(UNIX))
        claim(place, settings.group or None)
        bind(server, place, settings.group or None)
        return address
    host = address.rpartition(":")[0]
    try:
        port = server.add_secure_port(address, credentials)
    except RuntimeError as error:
        message = (
            f"{address}: cannot be listened on; is the port free, and the address this host's?"
        )
        raise DeviceError(message) from error
    return f"{host}:{port}"
