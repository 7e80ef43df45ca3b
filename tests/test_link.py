"""The daemon's end of the way to the uplink: what it hands over, and what it makes of answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from earshot.answering import refusal
from earshot.asking import AssistSettings, Question
from earshot.condition import UplinkState
from earshot.errors import DeviceError, RequestError
from earshot.events import Result, Word
from earshot.generated.v1 import rescoring_pb2, uplink_pb2
from earshot.generated.v1.uplink_pb2_grpc import UplinkServicer, add_UplinkServicer_to_server
from earshot.link import Link
from earshot.masking import masked
from earshot.parcel import unpack
from earshot.word_list import WordList

from tests.choosy import result_of
from tests.house import until

LIST, USUAL = WordList(("call", "word")), AssistSettings()
SAID = tuple(Word(w, 1_600 * i, 1_600 * (i + 1), 0.0) for i, w in enumerate(("call", "word")))
FOUND = result_of(SAID)  # each of both may also be "ward", which is no word of the list


@dataclass
class FakeUplink(UplinkServicer):
    """Answers as it is told, and keeps what it was asked."""

    paths: tuple[tuple[int, ...], ...] = ((1, 3),)
    refuses: grpc.StatusCode | None = None
    asked: list[uplink_pb2.ForwardRequest] = field(default_factory=list)
    stopped: int = 0

    async def Attend(self, request: Any, context: Any) -> AsyncIterator[uplink_pb2.AttendResponse]:  # noqa: N802
        del request, context
        yield uplink_pb2.AttendResponse(reachable=True, about="there")
        await asyncio.Event().wait()

    async def Forward(self, request: Any, context: Any) -> uplink_pb2.ForwardResponse:  # noqa: N802
        self.asked.append(request)
        if self.refuses:
            await context.abort(self.refuses, refusal(self.refuses))
        paths = [rescoring_pb2.RescoredPath(arcs=arcs, posterior=0.5) for arcs in self.paths]
        return uplink_pb2.ForwardResponse(response=rescoring_pb2.RescoreResponse(paths=paths))

    async def StopUplink(self, request: Any, context: Any) -> uplink_pb2.StopUplinkResponse:  # noqa: N802
        del request, context
        self.stopped += 1
        return uplink_pb2.StopUplinkResponse()


@asynccontextmanager
async def linked(
    uplink: FakeUplink, folder: Path, settings: AssistSettings = USUAL
) -> AsyncIterator[Link]:
    place = folder / "u"
    server = grpc.aio.server()
    add_UplinkServicer_to_server(uplink, server)  # type: ignore[no-untyped-call]
    server.add_insecure_port(f"unix:{place}")
    await server.start()
    link = Link(place, settings, lambda: LIST)
    await link.start(10.0)
    await until(lambda: link.open)
    yield link
    await link.stop(uplink=True)
    await server.stop(0)


def question(found: Result = FOUND) -> Question:
    return Question(7, 2, found, 10.0)


def test_a_lattice_is_handed_over_and_its_paths_are_read(folder: Path) -> None:
    async def scene() -> None:
        uplink = FakeUplink()
        async with linked(uplink, folder, AssistSettings(debias=True)) as link:
            (path,) = await link.ask(question())
            assert path.words == ("call", "word")
            (asked,) = uplink.asked
            assert (asked.utterance, asked.version, asked.request.debias) == (7, 2, True)
        assert uplink.stopped == 1
        assert link.standing.state is UplinkState.OFF
        with pytest.raises(DeviceError):
            await link.ask(question())

    asyncio.run(scene())


def test_names_leave_as_numbers_and_come_back_as_names(folder: Path) -> None:
    async def scene() -> None:
        uplink = FakeUplink(paths=((0, 3),))
        async with linked(uplink, folder) as link:
            (path,) = await link.ask(question())
            assert path.words == ("ward", "word")
            parcel = uplink.asked[0].request.parcel
            assert {arc.word for arc in unpack(parcel, LIST).arcs} == {"call", "word", "#1"}
            assert b"ward" not in uplink.asked[0].SerializeToString()
        async with linked(uplink, folder, AssistSettings(hide_names=False)) as link:
            await link.ask(question())
            assert list(uplink.asked[1].request.parcel.spelt) == ["ward"]

    asyncio.run(scene())


def test_a_name_has_one_number_and_none_where_there_is_no_list() -> None:
    found = masked(FOUND.lattice, WordList(("call",)))
    assert [arc.word for arc in found.arcs] == ["#1", "call", "#1", "#2"]
    assert found.nodes == FOUND.lattice.nodes
    assert masked(FOUND.lattice, WordList()) == FOUND.lattice


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.INVALID_ARGUMENT]
)
def test_where_words_are_numbered_in_another_way_they_are_spelt_and_names_are_not(
    code: grpc.StatusCode, folder: Path
) -> None:
    async def scene() -> None:
        uplink = FakeUplink(refuses=code)
        async with linked(uplink, folder) as link:
            with pytest.raises(DeviceError, match=f"answers {code.name}"):
                await link.ask(question())
            uplink.refuses = None
            await link.ask(question())
        numbered, spelt = (one.request.parcel for one in uplink.asked)
        assert numbered.word_list == LIST.fingerprint
        assert (spelt.word_list, set(spelt.spelt)) == (0, {"call", "word", "#1"})

    asyncio.run(scene())


def test_late_is_told_apart_and_what_makes_no_sense_is_refused(folder: Path) -> None:
    async def scene() -> None:
        uplink = FakeUplink(refuses=grpc.StatusCode.DEADLINE_EXCEEDED)
        async with linked(uplink, folder) as link:
            with pytest.raises(TimeoutError):
                await link.ask(question())
            uplink.refuses, uplink.paths = None, ((9,),)
            with pytest.raises(RequestError):
                await link.ask(question())

    asyncio.run(scene())
