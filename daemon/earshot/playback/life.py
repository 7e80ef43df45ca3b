"""The life of the player: the only place that knows all its parts, and starts and stops them."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from earshot import reference
from earshot.binding import bind
from earshot.errors import DeviceError
from earshot.generated.v1.playback_pb2_grpc import add_PlaybackServicer_to_server
from earshot.notify import Notifier
from earshot.place import MODE, claim
from earshot.playback.api import PlaybackApi
from earshot.playback.ducking import follow
from earshot.playback.player import Player
from earshot.playback.priority import raise_priority
from earshot.playback.settings import PlaybackSettings
from earshot.playback.tap import Tap
from earshot.sandbox import keep_local
from earshot.signals import on_signals
from earshot.strict import Strict

logger = logging.getLogger(__name__)

SOCKET = "player.sock"  # beside the daemon's
SERVICE = "earshot.v1.Playback"
GRACE = 0.5  # seconds for clients to read an answer
LOOK_SECONDS = 0.5  # whether anything is still to be played


@dataclass(frozen=True, slots=True)
class PlayerPlan:
    """All that a player needs."""

    place: Path
    """of its socket; that of the reference is beside it"""
    daemon: Path
    """socket of the daemon that tells when somebody speaks"""
    settings: PlaybackSettings
    group: str | None = None
    """Unix group that may reach it"""
    silent: bool = False
    """play to the pretended output, whatever is asked for"""
    linger: float | None = None
    """seconds without anything to play after which it ends; without it, never"""


def run(plan: PlayerPlan) -> None:
    """Live until a signal comes. Raises EarshotError where it cannot."""
    priority = raise_priority()
    asyncio.run(_live(plan, priority))


async def _live(plan: PlayerPlan, priority: str) -> None:
    claim(plan.place, plan.group)
    claim(plan.place.with_name(reference.NAME), plan.group)
    keep_local(required=False)
    stop, notifier = asyncio.Event(), Notifier()
    on_signals(stop)
    loop = asyncio.get_running_loop()

    failures = list[str]()

    def failed() -> None:
        failures.append("playback ended by an error of its own; the log says which")
        loop.call_soon_threadsafe(stop.set)

    with closing(_tap(plan.place.with_name(reference.NAME))) as tap:
        player = Player(plan.settings, tap, failed, silent=plan.silent)
        async with _serving(plan, PlaybackApi(player, tap, priority)), _following(plan, player):
            gc.freeze()  # what is there stays; to look through it again would take milliseconds
            notifier.ready()
            logger.info("music is played for clients at %s (scheduling: %s)", plan.place, priority)
            await _until(stop, player, plan.linger)
            notifier.stopping()
            await player.close()
    for failure in failures:
        raise DeviceError(failure)


def _tap(path: Path) -> Tap:
    try:
        return Tap(path, MODE)
    except OSError as error:
        message = f"{path}: a socket cannot be opened there ({error.strerror})"
        raise DeviceError(message) from error


@asynccontextmanager
async def _serving(plan: PlayerPlan, api: PlaybackApi) -> AsyncIterator[None]:
    """Serve the API while within."""
    server = grpc.aio.server(interceptors=[Strict()])
    add_PlaybackServicer_to_server(api, server)  # type: ignore[no-untyped-call]
    pulse = health.aio.HealthServicer()  # type: ignore[attr-defined]
    health_pb2_grpc.add_HealthServicer_to_server(pulse, server)
    names = (SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    bind(server, plan.place, plan.group)
    await server.start()
    for service in (health.OVERALL_HEALTH, SERVICE):
        await pulse.set(service, health_pb2.HealthCheckResponse.SERVING)
    try:
        yield
    finally:
        await server.stop(GRACE)
        plan.place.unlink(missing_ok=True)


@asynccontextmanager
async def _following(plan: PlayerPlan, player: Player) -> AsyncIterator[None]:
    """Make room for speech while within."""
    retry = plan.settings.retry_ms / 1_000
    task = asyncio.create_task(follow(plan.daemon.absolute(), retry, player.speech))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _until(stop: asyncio.Event, player: Player, linger: float | None) -> None:
    """Wait for the signal, or until there was nothing to play for long enough."""
    idle_since = asyncio.get_running_loop().time()
    while linger is None or asyncio.get_running_loop().time() - idle_since < linger:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), None if linger is None else LOOK_SECONDS)
            return
        if not player.mixer.idle:
            idle_since = asyncio.get_running_loop().time()
    logger.info("nothing was played for %g s: the player ends", linger)
