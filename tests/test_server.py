"""What stands beside the recognition: health, reflection, status, and the socket itself."""

import asyncio
import stat
from functools import partial
from typing import Any

import pytest
from earshot.condition import SourceState
from earshot.errors import DeviceError
from earshot.generated.v1 import privacy_pb2, status_pb2
from earshot.generated.v1.privacy_pb2_grpc import PrivacyStub
from earshot.generated.v1.status_pb2_grpc import StatusStub
from earshot.place import claim
from google.protobuf.duration_pb2 import Duration
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.fake_recogniser import loud, quiet
from tests.house import House, house, until


def check(h: House, *, ready: bool) -> bool:
    return h.sessions.ready is ready


def test_health_follows_the_microphone() -> None:
    async def scene() -> None:
        async with house() as h:
            stub = health_pb2_grpc.HealthStub(h.channel)
            status = health_pb2.HealthCheckResponse

            async def health(service: str) -> int:
                request = health_pb2.HealthCheckRequest(service=service)
                return int((await stub.Check(request)).status)

            assert await health("") == status.NOT_SERVING
            for ready, expected in ((True, status.SERVING), (False, status.NOT_SERVING)):
                h.room.change(ready=ready)
                await until(partial(check, h, ready=ready))
                assert await health("") == expected
                assert await health("earshot.v1.Recognition") == expected
                assert await health("earshot.v1.Status") == status.SERVING

    asyncio.run(scene())


def test_reflection_lists_the_services() -> None:
    async def scene() -> None:
        async with house() as h:
            stub = reflection_pb2_grpc.ServerReflectionStub(h.channel)
            request = reflection_pb2.ServerReflectionRequest(list_services="")
            answer = await anext(aiter(stub.ServerReflectionInfo(iter([request]))))
            names = {service.name for service in answer.list_services_response.service}
            ours = {f"earshot.v1.{one}" for one in ("Recognition", "Status", "Privacy", "Meter")}
            assert names >= ours | {"grpc.health.v1.Health"}

    asyncio.run(scene())


def test_status_tells_what_was_done() -> None:
    async def scene() -> None:
        async with house() as h:
            h.room.say(loud(0.3), quiet(0.5))
            h.room.skip(160)
            await until(lambda: h.sessions.tally.dropped == 160)
            stub = StatusStub(h.channel)  # type: ignore[no-untyped-call]
            answer = await stub.GetStatus(status_pb2.GetStatusRequest())
            assert answer.ready
            assert answer.mode == status_pb2.MODE_LOCAL_ONLY
            assert answer.bundle == status_pb2.BundleName(name="fake", version="1.0")
            assert answer.source == "the room"
            assert answer.echo_removal == status_pb2.ECHO_REMOVAL_OFF
            assert answer.uptime.ToNanoseconds() > 0
            counters = answer.counters
            assert counters.heard == Duration(nanos=800_000_000)
            assert (counters.utterances, counters.committed, counters.cancelled) == (1, 1, 0)
            assert (counters.dropped_samples, counters.clients) == (160, 0)

    asyncio.run(scene())


def test_status_tells_whether_an_echo_is_being_taken_out() -> None:
    async def scene() -> None:
        async with house() as h:
            h.sessions.source = SourceState("the room", echoless=True)
            status: Any = StatusStub(h.channel)  # type: ignore[no-untyped-call]
            privacy: Any = PrivacyStub(h.channel)  # type: ignore[no-untyped-call]

            async def told(expected: int) -> None:
                async with asyncio.timeout(10):
                    while True:
                        answer = await status.GetStatus(status_pb2.GetStatusRequest())
                        if answer.echo_removal == expected:
                            return

            waiting, active = status_pb2.ECHO_REMOVAL_WAITING, status_pb2.ECHO_REMOVAL_ACTIVE
            await told(waiting)  # nothing was heard yet
            h.room.say(quiet(0.1), cleaned=True)
            await told(active)
            h.room.say(quiet(0.1))
            await told(waiting)
            for silenced in (partial(h.room.change, ready=False), None):
                h.room.say(quiet(0.1), cleaned=True)
                await told(active)
                if silenced:
                    silenced()
                else:
                    await privacy.SetMuted(privacy_pb2.SetMutedRequest(muted=True))
                await told(waiting)

    asyncio.run(scene())


def test_the_socket_is_for_owner_and_group_and_is_removed_at_the_end() -> None:
    async def scene() -> None:
        async with house() as h:
            assert stat.S_IMODE(h.path.stat().st_mode) == 0o660
            with pytest.raises(DeviceError, match="another earshot"):
                claim(h.path)
            path = h.path
        assert not path.exists()

    asyncio.run(scene())
