"""The service Meter: looks ⇄ messages."""

import grpc

from earshot.answering import answered
from earshot.convert import duration
from earshot.generated.v1 import events_pb2
from earshot.generated.v1 import meter_pb2 as pb
from earshot.generated.v1.meter_pb2_grpc import MeterServicer
from earshot.looks import Look
from earshot.meter import Reading
from earshot.sessions import Sessions
from earshot.vad import Gate

_GATES = {
    Gate.QUIET: pb.GATE_QUIET,
    Gate.STARTING: pb.GATE_STARTING,
    Gate.SPEAKING: pb.GATE_SPEAKING,
    Gate.STOPPING: pb.GATE_STOPPING,
}
_GATES_BACK = {message: gate for gate, message in _GATES.items()}


class MeterApi(MeterServicer):
    """The service Meter."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def Watch(  # noqa: N802
        self, request: pb.WatchRequest, context: grpc.aio.ServicerContext[object, pb.WatchResponse]
    ) -> None:
        """Show the source."""
        del request
        async with answered(context):
            with self._sessions.measure() as ring:
                async for reading in ring:
                    await context.write(to_response(reading))


def to_response(reading: Reading) -> pb.WatchResponse:
    """Say a reading as a message."""
    return pb.WatchResponse(looks=map(_message, reading))


def from_response(message: pb.WatchResponse) -> Reading:
    """Read the reading of a message."""
    return tuple(map(_look, message.looks))


def _message(look: Look) -> pb.Look:
    return pb.Look(
        at=events_pb2.Position(time=duration(look.at), sample=look.at),
        peak_db=look.peak_db,
        rms_db=look.rms_db,
        speech=look.speech,
        gate=_GATES[look.gate],
        done=look.done,
        utterance=look.utterance,
    )


def _look(one: pb.Look) -> Look:
    gate = _GATES_BACK.get(one.gate, Gate.QUIET)
    levels = one.peak_db, one.rms_db
    return Look(one.at.sample, *levels, one.speech, gate, one.done, one.utterance)
