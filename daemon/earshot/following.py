"""Follows a daemon for those who look: its events, its meter and its vitals, told apart by type.

It never ends by itself: where the daemon goes away, that is told, and it is looked for until it is
back.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import grpc

from earshot.client import target
from earshot.convert import from_message
from earshot.events import Event
from earshot.generated.v1 import events_pb2
from earshot.generated.v1.meter_pb2 import WatchRequest
from earshot.generated.v1.meter_pb2_grpc import MeterStub
from earshot.generated.v1.recognition_pb2 import Filter, ListenRequest
from earshot.generated.v1.recognition_pb2_grpc import RecognitionStub
from earshot.meter import Reading
from earshot.meter_api import from_response
from earshot.place import answers
from earshot.vitals import Vitals, vitals

VITALS_SECONDS = 1.0  # from one look at them to the next
AGAIN_SECONDS = 0.5  # from one try to reach a daemon to the next
REACH_SECONDS = 5.0  # for a daemon to answer; the machine may be busy
WISH = Filter(partials=True, lattices=True, interpretations=True)


@dataclass(frozen=True, slots=True)
class Gone:
    """The daemon does not answer, or does not any more; it is looked for."""

    why: str


@dataclass(frozen=True, slots=True)
class Back:
    """The daemon answers, for the first time or again; what was before is of another life."""


Item = Event | Reading | Vitals | Gone | Back
Take = Callable[[Item], None]


async def follow(path: Path, take: Take) -> None:
    """Follow the daemon at a socket until cancelled; `take` is given all there is to see."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_lives(path, take))
        group.create_task(_vitals(path, take))


async def _vitals(path: Path, take: Take) -> None:
    while True:
        take(await vitals(path))
        await asyncio.sleep(VITALS_SECONDS)


async def _lives(path: Path, take: Take) -> None:
    """Follow one daemon after another."""
    known = ""
    while True:
        why = "the daemon has ended"
        try:
            async with grpc.aio.insecure_channel(target(path)) as channel:
                await _reach(path, channel)
                known = ""
                take(Back())
                await _life(channel, take)
        except TimeoutError:
            why = f"no daemon answers at {path}; start one with `earshot run`"
        except ExceptionGroup as errors:
            why = _reason(errors)
        if why != known:
            take(Gone(why))
        known = why
        await asyncio.sleep(AGAIN_SECONDS)


async def _reach(path: Path, channel: grpc.aio.Channel) -> None:
    """Wait until the daemon answers. Raises TimeoutError, at once where nobody serves."""
    if not await asyncio.to_thread(answers, path):
        raise TimeoutError
    await asyncio.wait_for(channel.channel_ready(), REACH_SECONDS)


def _reason(errors: ExceptionGroup[Exception]) -> str:
    """What a daemon said at its end. Raises what no daemon says."""
    said, others = errors.split(grpc.aio.AioRpcError)
    if others:
        raise others
    first = said.exceptions[0] if said else None
    details = first.details() if isinstance(first, grpc.aio.AioRpcError) else ""
    return details or "the daemon has ended"


def _known(message: events_pb2.Event) -> Event | None:
    """The event of a message; None for one that only newer programs know."""
    try:
        return from_message(message)
    except ValueError:
        return None


async def _life(channel: grpc.aio.Channel, take: Take) -> None:
    """Follow a daemon to its end."""

    async def listen() -> None:
        stub = RecognitionStub(channel)  # type: ignore[no-untyped-call]
        async for response in stub.Listen(ListenRequest(filter=WISH)):
            if event := _known(response.event):
                take(event)

    async def watch() -> None:
        stub = MeterStub(channel)  # type: ignore[no-untyped-call]
        async for response in stub.Watch(WatchRequest()):
            take(from_response(response))

    async with asyncio.TaskGroup() as group:
        group.create_task(listen())
        group.create_task(watch())
