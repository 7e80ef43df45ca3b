"""The player as a client sees it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc

from earshot.errors import DeviceError, RequestError
from earshot.generated.v1 import playback_pb2 as pb
from earshot.generated.v1.playback_pb2_grpc import PlaybackStub

ANSWER_SECONDS = 10.0  # the player may look into many files first
_THEIRS = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED)


@contextmanager
def player_at(path: Path) -> Iterator[PlaybackStub]:
    """The service of the player at a socket. Errors of gRPC become EarshotError."""
    try:
        with grpc.insecure_channel(f"unix:{path.absolute()}") as channel:
            yield PlaybackStub(channel)  # type: ignore[no-untyped-call]
    except grpc.RpcError as error:
        details = error.details() or "nothing"
        if error.code() is grpc.StatusCode.UNAVAILABLE:
            message = f"no player answers at {path}; `earshot play FILE` starts one"
            raise DeviceError(message) from error
        if error.code() in _THEIRS:
            raise RequestError(details) from error
        message = f"the player at {path} says: {details} ({error.code().name})"
        raise DeviceError(message) from error


def status_of(path: Path) -> pb.GetPlaybackStatusResponse:
    """Ask how playback stands. Raises DeviceError where no player is."""
    with player_at(path) as player:
        answer: pb.GetPlaybackStatusResponse = player.GetPlaybackStatus(
            pb.GetPlaybackStatusRequest(), timeout=ANSWER_SECONDS
        )
    return answer


def play(path: Path, request: pb.PlayRequest) -> pb.PlayResponse:
    """Have files played. Raises RequestError for what cannot be, DeviceError without a player."""
    with player_at(path) as player:
        answer: pb.PlayResponse = player.Play(request, timeout=ANSWER_SECONDS)
    return answer
