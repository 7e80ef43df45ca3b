"""The daemon as a client sees it: what `listen`, `status` and `doctor` share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc

from earshot.convert import MODES, from_message
from earshot.errors import DeviceError
from earshot.events import Event, Mode
from earshot.generated.v1 import privacy_pb2, recognition_pb2, status_pb2
from earshot.generated.v1.privacy_pb2_grpc import PrivacyStub
from earshot.generated.v1.recognition_pb2_grpc import RecognitionStub
from earshot.generated.v1.status_pb2_grpc import StatusStub
from earshot.place import closed

ANSWER_SECONDS = 5.0  # for a question that the daemon answers from memory


def target(path: Path) -> str:
    """Say to gRPC which socket is meant."""
    return f"unix:{path.absolute()}"


@contextmanager
def connected(path: Path) -> Iterator[grpc.Channel]:
    """Open a channel to the daemon at a socket. Errors of gRPC become DeviceError."""
    try:
        with grpc.insecure_channel(target(path)) as channel:
            yield channel
    except grpc.RpcError as error:
        raise explained(error, path) from error


def listen(
    channel: grpc.Channel,
    *,
    partials: bool = True,
    lattices: bool = False,
    explanations: bool = False,
    interpretations: bool = False,
) -> Iterator[Event]:
    """Follow the microphone of the daemon."""
    wish = recognition_pb2.Filter(
        partials=partials,
        lattices=lattices,
        explanations=explanations,
        interpretations=interpretations,
    )
    stub = RecognitionStub(channel)  # type: ignore[no-untyped-call]
    for response in stub.Listen(recognition_pb2.ListenRequest(filter=wish)):
        yield from_message(response.event)


def status(channel: grpc.Channel) -> status_pb2.GetStatusResponse:
    """Ask how the daemon stands."""
    stub = StatusStub(channel)  # type: ignore[no-untyped-call]
    answer: status_pb2.GetStatusResponse = stub.GetStatus(
        status_pb2.GetStatusRequest(), timeout=ANSWER_SECONDS
    )
    return answer


def set_muted(channel: grpc.Channel, *, muted: bool) -> privacy_pb2.SetMutedResponse:
    """Have the microphone closed, or opened again."""
    stub = PrivacyStub(channel)  # type: ignore[no-untyped-call]
    answer: privacy_pb2.SetMutedResponse = stub.SetMuted(
        privacy_pb2.SetMutedRequest(muted=muted), timeout=ANSWER_SECONDS
    )
    return answer


def set_mode(channel: grpc.Channel, mode: Mode) -> privacy_pb2.SetModeResponse:
    """Decide what may leave the device."""
    stub = PrivacyStub(channel)  # type: ignore[no-untyped-call]
    answer: privacy_pb2.SetModeResponse = stub.SetMode(
        privacy_pb2.SetModeRequest(mode=MODES[mode]), timeout=ANSWER_SECONDS
    )
    return answer


def explained(error: grpc.RpcError, path: Path) -> DeviceError:
    """Say what an error of gRPC means to whoever asked the daemon at a socket."""
    code, details = error.code(), error.details() or "nothing"
    if code is grpc.StatusCode.UNAVAILABLE and not details.startswith("the daemon"):
        if closed(path):
            message = f"{path}: this user may not use it; `earshot doctor` says who may"
            return DeviceError(message)
        return DeviceError(f"no daemon answers at {path}; start one with `earshot run`")
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeviceError(f"the daemon at {path} does not answer within {ANSWER_SECONDS:g} s")
    return DeviceError(f"the daemon at {path} says: {details} ({code.name})")
