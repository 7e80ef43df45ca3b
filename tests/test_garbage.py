"""A thousand messages that are none, to each method of each service."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import numpy as np
import pytest
from earshot.generated.v1 import meter_pb2, privacy_pb2, recognition_pb2, status_pb2
from google.protobuf.message import DecodeError, Message
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from tests.fake_recogniser import loud
from tests.house import House, house, kinds, spoken

COUNT, AT_ONCE = 1_000, 50
METHODS: list[tuple[str, str, type[Message]]] = [
    ("stream_stream", "earshot.v1.Recognition/Recognize", recognition_pb2.RecognizeRequest),
    ("unary_stream", "earshot.v1.Recognition/Listen", recognition_pb2.ListenRequest),
    ("unary_unary", "earshot.v1.Status/GetStatus", status_pb2.GetStatusRequest),
    ("unary_unary", "earshot.v1.Privacy/SetMuted", privacy_pb2.SetMutedRequest),
    ("unary_unary", "earshot.v1.Privacy/SetMode", privacy_pb2.SetModeRequest),
    ("unary_stream", "earshot.v1.Meter/Watch", meter_pb2.WatchRequest),
    ("unary_unary", "grpc.health.v1.Health/Check", health_pb2.HealthCheckRequest),
    ("unary_stream", "grpc.health.v1.Health/Watch", health_pb2.HealthCheckRequest),
    (
        "stream_stream",
        "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        reflection_pb2.ServerReflectionRequest,
    ),
]


def garbage(message: type[Message], seed: int) -> Iterator[bytes]:
    """Bytes that are no such message: of any kind, and with the beginning of one."""
    dice = np.random.default_rng(seed)
    start = spoken(loud(0.01))[seed % 2].SerializeToString()
    while True:
        data = dice.bytes(int(dice.integers(1, 200)))
        if dice.random() < 0.5:
            data = start[: int(dice.integers(len(start)))] + data
        try:
            message.FromString(data)
        except DecodeError:
            yield data


async def answered(h: House, kind: str, method: str, data: bytes) -> tuple[grpc.StatusCode, str]:
    identity: Callable[[bytes], bytes] = bytes
    multi: Any = getattr(h.channel, kind)(
        f"/{method}", request_serializer=identity, response_deserializer=identity
    )
    call = multi(iter([data]) if kind.startswith("stream") else data)
    return await call.code(), await call.details()


@pytest.mark.parametrize(
    ("kind", "method", "message"), METHODS, ids=lambda value: str(value).rpartition("/")[2]
)
def test_a_thousand_messages_that_are_none_are_refused_one_by_one(
    kind: str, method: str, message: type[Message], caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        async with house() as h:
            source = garbage(message, seed=len(method))
            for _ in range(COUNT // AT_ONCE):
                batch = [answered(h, kind, method, next(source)) for _ in range(AT_ONCE)]
                for code, sentence in await asyncio.gather(*batch):
                    assert code is grpc.StatusCode.INVALID_ARGUMENT
                    assert message.__name__ in sentence
            assert h.sessions.clients.now == 0
            assert kinds([r.event async for r in h.stub.Recognize(iter(spoken(loud(0.3))))])

    asyncio.run(scene())
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []
