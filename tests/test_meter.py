"""What there is to see of the audio: levels, gate and the end, for those who watch."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator

import grpc
import numpy as np
import pytest
from earshot.errors import DeviceError
from earshot.generated.v1 import meter_pb2 as pb
from earshot.generated.v1.meter_pb2_grpc import MeterStub
from earshot.looks import LEAST_DB, Frame, Look, levels
from earshot.meter import LOOKS, MOST, Meter, Ring
from earshot.meter_api import from_response, to_response
from earshot.sessions import SessionSettings
from earshot.units import VAD_FRAME
from earshot.vad import Gate

from tests.fake_recogniser import loud, quiet
from tests.house import House, house, until
from tests.test_recogniser import recogniser


def frame(number: int, amplitude: float = 0.5) -> Frame:
    samples = np.full(VAD_FRAME, amplitude, np.float32)
    return Frame(
        samples, number * VAD_FRAME, speech=True, gate=Gate.SPEAKING, done=0.5, utterance=1
    )


def look(at: int = 320) -> Look:
    return Look(at, -6.0, -9.0, speech=True, gate=Gate.STOPPING, done=0.25, utterance=3)


def test_levels_are_those_of_the_samples() -> None:
    wave = np.sin(np.arange(VAD_FRAME) * 2 * np.pi / 32).astype(np.float32)
    assert levels(wave) == pytest.approx((0.0, -3.01), abs=0.01)
    assert levels(wave * np.float32(0.1)) == pytest.approx((-20.0, -23.01), abs=0.01)
    assert levels(np.zeros(VAD_FRAME, np.float32)) == (LEAST_DB, LEAST_DB)


def test_a_look_holds_no_samples() -> None:
    for field in dataclasses.fields(Look):
        assert isinstance(getattr(Look.at_frame(frame(1)), field.name), float | int | Gate)
    kinds = {field.type for field in pb.Look.DESCRIPTOR.fields}
    assert pb.Look.DESCRIPTOR.fields[0].TYPE_BYTES not in kinds
    assert not any(field.is_repeated for field in pb.Look.DESCRIPTOR.fields)


def test_a_look_survives_the_way_over_the_wire() -> None:
    for gate in Gate:
        reading = (dataclasses.replace(look(), gate=gate),)
        sent = to_response(reading).SerializeToString()
        assert from_response(pb.WatchResponse.FromString(sent)) == reading


def test_while_nobody_watches_nothing_is_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def at_frame(one: Frame) -> Look:
        made.append(one)
        return look(one.at)

    monkeypatch.setattr(Look, "at_frame", at_frame)

    async def scene() -> None:
        meter = Meter()
        meter.take(frame(1))
        assert made == []
        with meter.watch():
            meter.take(frame(2))
        assert len(made) == 1
        meter.take(frame(3))
        assert len(made) == 1
        with meter.watch() as ring:
            for number in range(4, 4 + LOOKS):
                meter.take(frame(number))
            reading = await anext(aiter(ring))
            assert reading[0].at == 4 * VAD_FRAME, "what was seen for another is not shown"

    asyncio.run(scene())


def test_who_is_slow_loses_the_oldest() -> None:
    async def scene() -> None:
        ring = Ring()
        for number in range(MOST + 3):
            ring.put((look(number),))
        ring.close(DeviceError("over"))
        readings = aiter(ring)
        found = [(await anext(readings))[0].at for _ in range(MOST)]
        assert found == list(range(3, MOST + 3))
        with pytest.raises(DeviceError, match="over"):
            await anext(readings)
        assert ring.sent == MOST

    asyncio.run(scene())


@pytest.mark.parametrize("size", [VAD_FRAME, 1_000, 70_000])
def test_the_recogniser_shows_every_frame_in_any_slicing(size: int) -> None:
    found: list[Frame] = []
    audio = np.concatenate([quiet(1.0), loud(0.5), quiet(2.0)])
    plain = recogniser(final=-2.0)
    heard = plain.observed(found.append)
    heard._vad._detector = plain._vad._detector
    for first in range(0, len(audio), size):
        heard.accept(audio[first : first + size])
    assert [one.at for one in found] == list(range(VAD_FRAME, len(audio) + 1, VAD_FRAME))
    np.testing.assert_array_equal(np.concatenate([one.samples for one in found]), audio)
    assert [one.at for one in found if one.speech] == list(range(16_320, 24_001, VAD_FRAME))
    under_way = [one for one in found if one.utterance]
    assert {one.utterance for one in under_way} == {1}
    assert under_way[0].gate is Gate.SPEAKING
    assert any(0 < one.done < 1 for one in under_way)
    assert all(one.done == 0 for one in found if not one.utterance)


def test_a_fresh_recogniser_goes_on_showing() -> None:
    found: list[Frame] = []
    heard = recogniser().observed(found.append).anew(32_000, 4)
    heard.accept(np.zeros(VAD_FRAME, np.float32))
    assert [one.at for one in found] == [32_000 + VAD_FRAME]


def watching(h: House) -> grpc.aio.UnaryStreamCall[pb.WatchRequest, pb.WatchResponse]:
    stub = MeterStub(h.channel)  # type: ignore[no-untyped-call]
    call: grpc.aio.UnaryStreamCall[pb.WatchRequest, pb.WatchResponse]
    call = stub.Watch(pb.WatchRequest())
    return call


async def some(
    call: grpc.aio.UnaryStreamCall[pb.WatchRequest, pb.WatchResponse], count: int
) -> AsyncIterator[Look]:
    """The next so many looks."""
    async for response in call:
        for one in from_response(response):
            yield one
            count -= 1
        if not count:
            return


def test_clients_watch_and_are_counted() -> None:
    async def scene() -> None:
        async with house() as h:
            call = watching(h)
            await until(lambda: h.sessions.clients.now == 1)
            h.room.say(loud(0.2), quiet(0.5))
            looks = [one async for one in some(call, 35)]
            assert [one.at for one in looks] == list(range(VAD_FRAME, 11_201, VAD_FRAME))
            assert looks[0].peak_db == pytest.approx(-6.02, abs=0.01)
            assert looks[-1].peak_db == LEAST_DB
            assert looks[0].utterance == 1
            call.cancel()
            await until(lambda: h.sessions.clients.now == 0)
            assert not h.sessions.meter._rings

    asyncio.run(scene())


def test_too_many_who_watch_are_refused_and_a_stop_is_told() -> None:
    async def scene() -> None:
        async with house(sessions_settings=SessionSettings(clients=1)) as h:
            call = watching(h)
            await until(lambda: h.sessions.clients.now == 1)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await watching(h).read()
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            await h.sessions.stop()
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call.read()
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            assert "stopping" in (caught.value.details() or "")

    asyncio.run(scene())
