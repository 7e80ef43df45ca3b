import asyncio

import grpc
import numpy as np
import pytest
from earshot.api import ApiSettings
from earshot.generated.v1 import recognition_pb2 as pb
from earshot.sessions import SessionSettings
from google.protobuf.duration_pb2 import Duration

from tests.fake_recogniser import loud, quiet, s16le
from tests.house import (
    S16LE,
    house,
    kinds,
    last_events,
    refused,
    requests,
    spoken,
    until,
)

UTTERANCE = ["speech_started", "end_point", "committed"]
EVERYTHING = pb.Filter(partials=True, lattices=True)


def test_audio_of_a_client_becomes_the_events_of_an_utterance() -> None:
    async def scene() -> None:
        async with house() as h:
            call = h.stub.Recognize(iter(spoken(np.concatenate([loud(0.3), quiet(0.5)]))))
            events = [response.event async for response in call]
            assert kinds(events) == UTTERANCE
            point = events[-2].end_point
            assert point.result.text == "word word word"
            assert point.result.words[1].start == Duration(nanos=100_000_000)
            assert (point.end.sample, point.end.time) == (4_800, Duration(nanos=300_000_000))
            assert len(point.result.lattice.arcs) == 3
            assert events[-1].at.sample == 9_600
            assert await call.code() is grpc.StatusCode.OK

    asyncio.run(scene())


def test_an_utterance_in_progress_is_committed_when_the_client_closes_its_side() -> None:
    async def scene() -> None:
        async with house() as h:
            events = [r.event async for r in h.stub.Recognize(iter(spoken(loud(0.3))))]
            assert kinds(events) == UTTERANCE
            assert events[-2].end_point.decision.rule == "end of audio"

    asyncio.run(scene())


@pytest.mark.parametrize("piece", [1, 3, 999, 100_000])
def test_any_slicing_of_the_bytes_gives_the_same_events(piece: int) -> None:
    async def heard(messages: list[pb.RecognizeRequest]) -> list[pb.RecognizeResponse]:
        async with house() as h:
            return [response async for response in h.stub.Recognize(iter(messages))]

    audio = np.concatenate([loud(0.1), quiet(0.05)])
    assert asyncio.run(heard(spoken(audio, piece))) == asyncio.run(heard(spoken(audio)))


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (44_100, 2), (48_000, 3)])
def test_any_rate_and_channel_count_is_heard(rate: int, channels: int) -> None:
    async def scene() -> None:
        samples = np.repeat(np.full(rate, 0.5, np.float32), channels)
        config = pb.RecognizeConfig(
            format=pb.SAMPLE_FORMAT_F32LE, sample_rate=rate, channels=channels
        )
        async with house() as h:
            messages = requests([samples.tobytes()], config)
            events = [r.event async for r in h.stub.Recognize(iter(messages))]
            assert kinds(events) == UTTERANCE
            assert abs(events[-1].at.sample - 16_000) <= 1_600

    asyncio.run(scene())


def test_a_filter_leaves_out_what_was_not_asked_for() -> None:
    async def scene() -> None:
        async with house() as h:
            config = pb.RecognizeConfig(
                format=S16LE, sample_rate=16_000, filter=pb.Filter(n_best=1)
            )
            messages = requests([s16le(loud(0.5))], config)
            events = [response.event async for response in h.stub.Recognize(iter(messages))]
            assert [e.WhichOneof("event") for e in events] == UTTERANCE
            result = events[1].end_point.result
            assert not result.HasField("lattice")
            assert len(result.alternatives) == 1

    asyncio.run(scene())


BAD = {
    "no message at all": ([], "first message"),
    "audio first": ([pb.RecognizeRequest(audio=b"00")], "first message"),
    "an empty message": ([pb.RecognizeRequest()], "first message"),
    "no format": (requests([], pb.RecognizeConfig(sample_rate=16_000)), "format"),
    "no rate": (requests([], pb.RecognizeConfig(format=S16LE)), "rate of 0 Hz"),
    "a rate too high": (
        requests([], pb.RecognizeConfig(format=S16LE, sample_rate=96_000)),
        "96000",
    ),
    "config twice": (requests([]) + requests([]), "after the first"),
    "half a sample": (requests([b"0"]), "middle of a sample"),
    "NaN": (
        requests(
            [np.array([0.0, np.nan], "<f4").tobytes()],
            pb.RecognizeConfig(format=pb.SAMPLE_FORMAT_F32LE, sample_rate=16_000),
        ),
        "NaN",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_request_is_an_invalid_argument_with_a_reason(case: str) -> None:
    async def scene() -> None:
        messages, reason = BAD[case]
        async with house() as h:
            code, sentence = await refused(h, messages)
            assert code == "INVALID_ARGUMENT"
            assert reason in sentence
            assert h.sessions.clients.now == 0

    asyncio.run(scene())


def test_what_was_said_before_an_error_is_committed_before_it() -> None:
    async def scene() -> None:
        async with house() as h:
            call = h.stub.Recognize(iter(requests([s16le(loud(0.3)), b"0"])))
            assert kinds(await last_events(call)) == UTTERANCE
            assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT

    asyncio.run(scene())


def test_limits_are_answered_with_both_numbers() -> None:
    async def scene() -> None:
        settings = ApiSettings(message_bytes=10_000, stream_seconds=1.0)
        async with house(api_settings=settings) as h:
            code, sentence = await refused(h, requests([bytes(20_000)]))
            assert code == "RESOURCE_EXHAUSTED"
            assert "20004" in sentence
            assert "10000" in sentence
            code, sentence = await refused(h, spoken(quiet(1.5)))
            assert (code, "limit of 1 seconds" in sentence) == ("RESOURCE_EXHAUSTED", True)
            channels = pb.RecognizeConfig(format=S16LE, sample_rate=16_000, channels=99)
            code, sentence = await refused(h, requests([], channels))
            assert code == "RESOURCE_EXHAUSTED"
            assert "99 channels exceed the limit of 8 channels" in sentence

    asyncio.run(scene())


def test_one_client_too_many_is_refused_and_the_others_go_on() -> None:
    async def scene() -> None:
        async with house(sessions_settings=SessionSettings(clients=2)) as h:
            calls = [h.stub.Listen(pb.ListenRequest()) for _ in range(2)]
            await until(lambda: h.sessions.clients.now == 2)
            code, sentence = await refused(h, requests([]))
            assert code == "RESOURCE_EXHAUSTED"
            assert "3 clients exceed the limit of 2 clients" in sentence
            h.room.say(loud(0.3), quiet(0.5))
            for call in calls:
                assert (await call.read()).event.WhichOneof("event") == "speech_started"

    asyncio.run(scene())


def test_twenty_clients_at_once_all_hear_the_same() -> None:
    async def scene() -> None:
        async with house() as h:
            calls = [h.stub.Listen(pb.ListenRequest(filter=EVERYTHING)) for _ in range(10)]
            await until(lambda: h.sessions.clients.now == 10)
            audio = np.concatenate([loud(0.3), quiet(0.5)])

            async def speak() -> list[pb.RecognizeResponse]:
                return [r async for r in h.stub.Recognize(iter(spoken(audio)))]

            h.room.say(audio)
            own = await asyncio.gather(*(speak() for _ in range(10)))
            listened = [[await call.read() for _ in range(6)] for call in calls]
            assert all(events == own[0] for events in own)
            assert all(
                [r.event for r in events] == [r.event for r in own[0]] for events in listened
            )

    asyncio.run(scene())


def test_a_deadline_is_kept_and_frees_the_place() -> None:
    async def scene() -> None:
        async with house() as h:
            call = h.stub.Listen(pb.ListenRequest(), timeout=0.2)
            assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            await until(lambda: h.sessions.clients.now == 0)
            endless = h.stub.Recognize(timeout=0.2)
            await endless.write(requests([])[0])
            assert await endless.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            await until(lambda: h.sessions.clients.now == 0)

    asyncio.run(scene())


def test_a_deadline_within_an_utterance_cancels_and_counts_it() -> None:
    async def scene() -> None:
        async with house() as h:
            call = h.stub.Recognize(timeout=0.5)
            for message in spoken(loud(0.3)):
                await call.write(message)
            assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            await until(lambda: len(h.sessions._sessions) == 1)  # that of the source
            tally, clients = h.sessions.tally, h.sessions.clients
            assert (tally.utterances, tally.committed, tally.cancelled) == (1, 0, 1)
            assert (clients.now, clients.total, clients.dropped) == (0, 1, 0)
            assert h.sessions.heard == 4_800

    asyncio.run(scene())


def test_a_client_that_sends_no_config_is_told_so() -> None:
    async def scene() -> None:
        async with house(api_settings=ApiSettings(config_seconds=0.1)) as h:
            call = h.stub.Recognize()
            assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert "config" in await call.details()

    asyncio.run(scene())


def test_a_defect_in_one_stream_does_not_harm_the_others() -> None:
    async def scene() -> None:
        async with house() as h:
            poisoned = np.full(1_600, 1.0, np.float32)
            code, _ = await refused(h, spoken(poisoned))
            assert code == "UNKNOWN"
            events = [r.event async for r in h.stub.Recognize(iter(spoken(loud(0.3))))]
            assert kinds(events) == UTTERANCE

    asyncio.run(scene())


def test_stopping_gives_everybody_the_last_events_and_then_says_so() -> None:
    async def scene() -> None:
        async with house() as h:
            listening = h.stub.Listen(pb.ListenRequest())
            await until(lambda: h.sessions.clients.now == 1)
            h.room.say(loud(0.5))
            speaking = h.stub.Recognize()
            for message in spoken(loud(0.3)):
                await speaking.write(message)
            await until(lambda: h.sessions.tally.utterances == 2)
            await h.sessions.stop()
            for call in (listening, speaking):
                assert kinds(await last_events(call)) == UTTERANCE
                assert await call.code() is grpc.StatusCode.UNAVAILABLE
                assert "stopping" in await call.details()
            assert (await refused(h, requests([])))[0] == "UNAVAILABLE"

    asyncio.run(scene())
