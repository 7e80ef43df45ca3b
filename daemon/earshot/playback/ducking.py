"""Follows the daemon: music makes room while somebody speaks. A daemon that is away is no error."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import grpc

from earshot.generated.v1 import recognition_pb2
from earshot.generated.v1.events_pb2 import Event
from earshot.generated.v1.recognition_pb2_grpc import RecognitionStub

logger = logging.getLogger(__name__)

ENDS = ("committed", "cancelled")


class Speaking:
    """Whether somebody speaks, by the events of utterances."""

    def __init__(self) -> None:
        self._open: set[int] = set()

    def told(self, event: Event) -> bool:
        """Hear an event; whether somebody speaks."""
        kind = event.WhichOneof("event")
        if kind == "speech_started":
            self._open.add(event.speech_started.utterance)
        elif kind in ENDS:
            self._open.discard(getattr(event, kind).utterance)
        return bool(self._open)


async def follow(daemon: Path, retry_seconds: float, speech: Callable[[bool], None]) -> None:
    """Tell `speech` when somebody begins to speak and when it is over, for ever.

    `daemon` is the absolute path of its socket.
    """
    address = f"unix:{daemon}"
    while True:
        try:
            async with grpc.aio.insecure_channel(address) as channel:
                await _listen(channel, speech)
        except grpc.aio.AioRpcError as error:
            logger.debug("no daemon to follow: %s", error.details())
        speech(False)  # noqa: FBT003 - nobody is known to speak
        await asyncio.sleep(retry_seconds)


async def _listen(channel: grpc.aio.Channel, speech: Callable[[bool], None]) -> None:
    request = recognition_pb2.ListenRequest(filter=recognition_pb2.Filter())
    stub, speaking, before = RecognitionStub(channel), Speaking(), False  # type: ignore[no-untyped-call]
    async for response in stub.Listen(request):
        if (now := speaking.told(response.event)) != before:
            before = now
            speech(now)
