"""How the daemon and those beside it are doing, as a program may know that is none of them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import grpc

from earshot.client import ANSWER_SECONDS, explained, target
from earshot.generated.v1.playback_pb2 import GetPlaybackStatusRequest as AskPlayer
from earshot.generated.v1.playback_pb2 import GetPlaybackStatusResponse as Player
from earshot.generated.v1.playback_pb2_grpc import PlaybackStub
from earshot.generated.v1.status_pb2 import GetStatusRequest as AskStatus
from earshot.generated.v1.status_pb2 import GetStatusResponse as Status
from earshot.generated.v1.status_pb2_grpc import StatusStub
from earshot.place import uplink_of
from earshot.usage import Usage, server_of, usage

DAEMON = "daemon"
PLAYER, UPLINK = "player", "uplink"
PLAYER_SECONDS = 2.0  # for the player to answer; without it, the rest is told


@dataclass(frozen=True, slots=True)
class Vitals:
    """What is known at a moment."""

    status: Status | None = None
    """None: the daemon does not answer"""
    player: Player | None = None
    """None: there is none that answers"""
    usages: Mapping[str, Usage] = field(default_factory=dict)
    """by name, of the daemon and those beside it that run"""
    trouble: str = ""
    """why the daemon does not answer"""


async def vitals(path: Path) -> Vitals:
    """Ask the daemon at a socket, and whoever is beside it; takes seconds at most."""
    usages = await asyncio.to_thread(_usages, path)
    player = await _player(_sockets(path)[PLAYER]) if PLAYER in usages else None
    try:
        async with grpc.aio.insecure_channel(target(path)) as channel:
            stub = StatusStub(channel)  # type: ignore[no-untyped-call]
            answer: Status = await stub.GetStatus(AskStatus(), timeout=ANSWER_SECONDS)
    except grpc.aio.AioRpcError as error:
        return Vitals(None, player, usages, str(explained(error, path)))
    return Vitals(answer, player, usages)


async def _player(path: Path) -> Player | None:
    try:
        async with grpc.aio.insecure_channel(target(path)) as channel:
            stub = PlaybackStub(channel)  # type: ignore[no-untyped-call]
            answer: Player = await stub.GetPlaybackStatus(AskPlayer(), timeout=PLAYER_SECONDS)
    except grpc.aio.AioRpcError:
        return None
    return answer


def _sockets(path: Path) -> dict[str, Path]:
    return {DAEMON: path, PLAYER: path.with_name("player.sock"), UPLINK: uplink_of(path)}


def _usages(path: Path) -> dict[str, Usage]:
    found = {name: _usage(socket) for name, socket in _sockets(path).items()}
    return {name: one for name, one in found.items() if one}


def _usage(path: Path) -> Usage | None:
    try:
        facts = path.stat()
        return usage(_server(path, facts.st_ino, facts.st_mtime_ns))
    except OSError:
        return None


@lru_cache(maxsize=8)
def _server(path: Path, number: int, made: int) -> int:
    """The process that serves this very socket, which is connected to once only. Raises OSError."""
    del number, made
    if pid := server_of(path):
        return pid
    message = f"{path}: nobody serves it"
    raise OSError(message)
