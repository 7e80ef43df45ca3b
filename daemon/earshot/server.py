"""The gRPC server: services, health and reflection on one Unix socket."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from earshot.api import About, ApiSettings, PrivacyApi, RecognitionApi, StatusApi
from earshot.errors import DeviceError
from earshot.generated.v1.privacy_pb2_grpc import add_PrivacyServicer_to_server
from earshot.generated.v1.recognition_pb2_grpc import add_RecognitionServicer_to_server
from earshot.generated.v1.status_pb2_grpc import add_StatusServicer_to_server
from earshot.mute import MuteSwitch
from earshot.place import MODE, claim
from earshot.sessions import Sessions

RECOGNITION, STATUS = "earshot.v1.Recognition", "earshot.v1.Status"
PRIVACY = "earshot.v1.Privacy"
GRACE = 1.0  # seconds for clients to read their last events


@asynccontextmanager
async def serving(
    path: Path, settings: ApiSettings, sessions: Sessions, about: About, switch: MuteSwitch
) -> AsyncIterator[None]:
    """Serve at `path` while within. Raises DeviceError if the place cannot be had."""
    claim(path)
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", settings.message_bytes)])
    add_RecognitionServicer_to_server(RecognitionApi(sessions, settings), server)  # type: ignore[no-untyped-call]
    add_StatusServicer_to_server(StatusApi(sessions, about), server)  # type: ignore[no-untyped-call]
    add_PrivacyServicer_to_server(PrivacyApi(switch), server)  # type: ignore[no-untyped-call]
    pulse = health.aio.HealthServicer()  # type: ignore[attr-defined]
    health_pb2_grpc.add_HealthServicer_to_server(pulse, server)
    reflection.enable_server_reflection(
        (RECOGNITION, STATUS, PRIVACY, health.SERVICE_NAME, reflection.SERVICE_NAME), server
    )
    _bind(server, path)
    await server.start()
    beating = asyncio.create_task(_beat(pulse, sessions))
    try:
        yield
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating
        await server.stop(GRACE)
        path.unlink(missing_ok=True)  # noqa: ASYNC240 - one system call, on the way out


def _bind(server: grpc.aio.Server, path: Path) -> None:
    """Bind the socket; never, not even for a moment, may others than owner and group reach it."""
    before = os.umask(0o777 & ~MODE)
    try:
        server.add_insecure_port(f"unix:{path.absolute()}")
    except RuntimeError as error:
        message = f"{path}: a socket cannot be opened there; give --socket another path"
        raise DeviceError(message) from error
    finally:
        os.umask(before)
    path.chmod(MODE)


async def _beat(pulse: health_pb2_grpc.HealthServicer, sessions: Sessions) -> None:
    """Keep the health of the services up to date."""
    status = health_pb2.HealthCheckResponse
    for service in (STATUS, PRIVACY):
        await pulse.set(service, status.SERVING)
    async for _ in sessions.changes():
        now = status.SERVING if sessions.ready else status.NOT_SERVING
        for service in (health.OVERALL_HEALTH, RECOGNITION):
            await pulse.set(service, now)
