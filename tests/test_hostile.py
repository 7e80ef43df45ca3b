"""Who means no good, or knows no better: files, bytes and clients not as they should be.

Files go through `earshot transcribe`, the rest through the socket; a fake recogniser hears them.
"""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import soundfile
from earshot.__main__ import main
from earshot.api import ApiSettings
from earshot.generated.v1 import recognition_pb2 as pb
from earshot.generated.v1.recognition_pb2_grpc import RecognitionStub
from earshot.sessions import SessionSettings

from tests.fake_engine import FakeEngine
from tests.fake_recogniser import loud, quiet
from tests.house import House, everything, house, kinds, refused, requests, spoken, until

UTTERANCE = ["speech_started", "end_point", "committed"]
EVERYTHING = pb.Filter(partials=True, lattices=True)
AUDIO = np.concatenate([loud(0.19), quiet(0.51)])  # a resampler rings a little beyond an edge


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("earshot.commands.transcribe.load_engine", lambda _: FakeEngine())


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("rate", "channels", "subtype"),
    [(16_000, 1, "PCM_U8"), (96_000, 1, "PCM_24"), (48_000, 2, "PCM_16"), (8_000, 8, "FLOAT")],
)
def test_an_unusual_file_is_heard_like_any_other(
    rate: int, channels: int, subtype: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "unusual.wav"
    mono = AUDIO[np.arange(round(len(AUDIO) * rate / 16_000)) * 16_000 // rate]
    soundfile.write(path, np.repeat(mono[:, None], channels, axis=1), rate, subtype=subtype)
    assert main(["transcribe", str(path)]) == 0
    assert capsys.readouterr().out == "word word\n"


@pytest.mark.usefixtures("engine")
def test_a_truncated_file_is_heard_as_far_as_it_goes_and_an_empty_one_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, cut, empty = tmp_path / "whole.wav", tmp_path / "cut.wav", tmp_path / "empty.wav"
    soundfile.write(whole, AUDIO, 16_000)
    cut.write_bytes(whole.read_bytes()[: 44 + 2 * 1_600 + 1])
    empty.write_bytes(b"")
    assert main(["transcribe", str(cut), str(empty)]) == 1
    out, err = capsys.readouterr()
    assert out == f"{cut}: word\n"
    assert err == f"earshot: {empty}: is empty\n"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_number_are_refused_and_nobody_else_is_harmed(value: float) -> None:
    async def scene() -> None:
        config = pb.RecognizeConfig(format=pb.SAMPLE_FORMAT_F32LE, sample_rate=48_000)
        audio = np.array([0.0, value], "<f4").tobytes()
        async with house() as h:
            code, sentence = await refused(h, requests([audio], config))
            assert (code, "NaN" in sentence) == ("INVALID_ARGUMENT", True)
            assert kinds([r.event async for r in h.stub.Recognize(iter(spoken(AUDIO)))])

    asyncio.run(scene())


def test_a_message_over_the_limit_is_refused_with_both_numbers_before_it_is_kept() -> None:
    async def scene() -> None:
        async with house() as h:
            limit = ApiSettings().message_bytes
            code, sentence = await refused(h, requests([bytes(4 * limit)]))
            assert code == "RESOURCE_EXHAUSTED"
            assert str(limit) in sentence
            assert h.sessions.heard == 0

    asyncio.run(scene())


def raw(house: House, kind: str, method: str) -> Any:
    """A method that takes bytes as they are."""
    return getattr(house.channel, kind)(
        f"/earshot.v1.{method}", request_serializer=bytes, response_deserializer=bytes
    )


HOSTILE = (bytes(range(256)), b"\xff" * 50, b"\x12\x05abc", b"\x0a\xff\xff\xff\xff\x0f")
UNARY = [
    ("unary_stream", "Recognition/Listen"),
    ("unary_unary", "Status/GetStatus"),
    ("unary_unary", "Privacy/SetMuted"),
]


@pytest.mark.parametrize("data", HOSTILE)
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    async def scene() -> None:
        async with house() as h:
            recognize = raw(h, "stream_stream", "Recognition/Recognize")
            call = recognize(iter([data]))
            assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert "RecognizeRequest" in await call.details()
            messages = [message.SerializeToString() for message in spoken(loud(0.3))]
            call = recognize(iter([*messages, data]))
            events = [pb.RecognizeResponse.FromString(r).event for r in await everything(call)]
            assert kinds(events) == UTTERANCE
            assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT
            for kind, method in UNARY:
                call = raw(h, kind, method)(data)
                assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT
                name = method.partition("/")[2].removeprefix("Get")
                assert f"{name}Request" in await call.details()
            assert h.sessions.clients.now == 0
            assert kinds([r.event async for r in h.stub.Recognize(iter(spoken(loud(0.3))))])

    asyncio.run(scene())


def test_a_client_that_never_reads_is_disconnected_and_the_others_go_on() -> None:
    async def scene() -> None:
        sessions, api = SessionSettings(unread_events=20), ApiSettings(write_seconds=0.5)
        async with house(sessions_settings=sessions, api_settings=api) as h:
            # Without probing of the bandwidth, no more than 64 KiB are buffered on the way.
            async with grpc.aio.insecure_channel(
                f"unix:{h.path}", options=[("grpc.http2.bdp_probe", 0)]
            ) as channel:
                stub = RecognitionStub(channel)  # type: ignore[no-untyped-call]
                idle = stub.Listen(pb.ListenRequest(filter=EVERYTHING))
                await until(lambda: h.sessions.clients.now == 1)
                reader = h.stub.Listen(pb.ListenRequest())
                await until(lambda: h.sessions.clients.now == 2)
                for _ in range(100):
                    h.room.say(loud(2.0), quiet(0.5))
                    for kind in UTTERANCE:
                        assert (await reader.read()).event.WhichOneof("event") == kind
                await until(lambda: h.sessions.clients.now == 1)
                assert h.sessions.clients.dropped == 1
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    async for _ in idle:
                        pass
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert "exceed the limit of" in (caught.value.details() or "")

    asyncio.run(scene())


def test_a_client_that_vanishes_leaves_nothing_behind() -> None:
    async def scene() -> None:
        async with house() as h:
            for _ in range(3):
                async with grpc.aio.insecure_channel(f"unix:{h.path}") as channel:
                    stub = RecognitionStub(channel)  # type: ignore[no-untyped-call]
                    call = stub.Recognize()
                    for message in spoken(loud(0.3)):
                        await call.write(message)
                    await call.read()
            await until(lambda: h.sessions.clients.now == 0)
            assert h.sessions.clients.total == 3
            assert len(h.sessions._sessions) == 1  # that of the source
            assert not h.sessions._outboxes

    asyncio.run(scene())
