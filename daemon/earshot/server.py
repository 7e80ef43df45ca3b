"""The gRPC server: services, health and reflection on one Unix socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from earshot.api import About, ApiSettings, PrivacyApi, RecognitionApi, StatusApi
from earshot.binding import bind
from earshot.generated.v1.meter_pb2_grpc import add_MeterServicer_to_server
from earshot.generated.v1.privacy_pb2_grpc import add_PrivacyServicer_to_server
from earshot.generated.v1.recognition_pb2_grpc import add_RecognitionServicer_to_server
from earshot.generated.v1.status_pb2_grpc import add_StatusServicer_to_server
from earshot.meter_api import MeterApi
from earshot.mode import Switches
from earshot.place import claim
from earshot.sessions import Sessions
from earshot.strict import Strict

RECOGNITION, STATUS = "earshot.v1.Recognition", "earshot.v1.Status"
PRIVACY, METER = "earshot.v1.Privacy", "earshot.v1.Meter"
GRACE = 1.0  # seconds for clients to read their last events


@asynccontextmanager
async def serving(
    path: Path, settings: ApiSettings, sessions: Sessions, about: About, switches: Switches
) -> AsyncIterator[None]:
    """Serve at `path` while within. Raises DeviceError if the place cannot be had."""
    claim(path, settings.group)
    limit = ("grpc.max_receive_message_length", settings.message_bytes)
    server = grpc.aio.server(options=[limit], interceptors=[Strict()])
    add_RecognitionServicer_to_server(RecognitionApi(sessions, settings), server)  # type: ignore[no-untyped-call]
    add_StatusServicer_to_server(StatusApi(sessions, about, switches.mode), server)  # type: ignore[no-untyped-call]
    add_PrivacyServicer_to_server(PrivacyApi(switches), server)  # type: ignore[no-untyped-call]
    add_MeterServicer_to_server(MeterApi(sessions), server)  # type: ignore[no-untyped-call]
    pulse = health.aio.HealthServicer()  # type: ignore[attr-defined]
    health_pb2_grpc.add_HealthServicer_to_server(pulse, server)
    reflection.enable_server_reflection(
        (RECOGNITION, STATUS, PRIVACY, METER, health.SERVICE_NAME, reflection.SERVICE_NAME), server
    )
    bind(server, path, settings.group)
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


async def _beat(pulse: health_pb2_grpc.HealthServicer, sessions: Sessions) -> None:
    """Keep the health of the services up to date."""
    status = health_pb2.HealthCheckResponse
    for service in (STATUS, PRIVACY, METER):
        await pulse.set(service, status.SERVING)
    async for _ in sessions.changes():
        now = status.SERVING if sessions.ready else status.NOT_SERVING
        for service in (health.OVERALL_HEALTH, RECOGNITION):
            await pulse.set(service, now)
