"""The uplink's way to the re-ranker: its settings, and one channel that says whether it is up."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import grpc

from earshot.credentials import ClientFiles, is_unix, open_channel, read_token, shown
from earshot.errors import SettingsError
from earshot.generated.v1.rescoring_pb2 import RescoreRequest, RescoreResponse
from earshot.generated.v1.rescoring_pb2_grpc import RescoringStub
from earshot.settings import check_above_zero, read_settings

RESOLVERS = ("dns:", "ipv4:", "ipv6:")  # of gRPC, which may know several addresses
PLAIN = ("http:", "tcp:", "grpc:", "ws:")
LEAST_AUDIT = 1 << 16  # bytes


@dataclass(frozen=True, slots=True)
class UplinkSettings:
    """Where lattices go, and how what leaves is written down."""

    address: str = ""
    """of the re-ranker: host:port, always by TLS; or unix:PATH for one on this machine"""
    ca: Path | None = None
    """authority of its certificate (PEM); without it, those that this machine trusts"""
    certificate: Path | None = None
    """the uplink's own certificate (PEM), where the re-ranker asks for one"""
    key: Path | None = None
    """its private key (PEM), mode 0600"""
    token: Path | None = None
    """file with the token to show, mode 0600"""
    server_name: str = ""
    """name in the re-ranker's certificate, where it is not that of the address"""
    longest_ms: int = 2_000
    """after which an answer is not waited for, however long the daemon would"""
    socket: Path | None = None
    """the Unix socket for the daemon; without it, beside that of the daemon"""
    idle_seconds: float = 60.0
    """after which it ends where no daemon in mode assisted attends it"""
    audit_days: float = 90.0
    """how long it is remembered what left"""
    audit_bytes: int = 16 << 20
    """how much of that is kept at most; the oldest goes first"""

    def __post_init__(self) -> None:
        """Raise SettingsError for an address that is none, and for limits that are none."""
        if self.address:
            _check_address(self.address)
        check_above_zero(self, "longest_ms", "idle_seconds", "audit_days")
        if self.audit_bytes < LEAST_AUDIT:
            message = f"audit_bytes is {self.audit_bytes}, but must be {LEAST_AUDIT} at least"
            raise SettingsError(message)

    @property
    def files(self) -> ClientFiles:
        """By which the re-ranker is known, and knows the uplink."""
        return ClientFiles(self.ca, self.certificate, self.key, self.token, self.server_name)


@dataclass(frozen=True, slots=True)
class UplinkFile:
    """The file of settings of the uplink."""

    uplink: UplinkSettings = field(default_factory=UplinkSettings)


def load(path: Path | None) -> UplinkSettings:
    """Read the settings of a file, or the defaults. Raises SettingsError."""
    return read_settings(UplinkFile, path).uplink


def _check_address(address: str) -> None:
    """Raise SettingsError for what is neither host:port nor a Unix socket."""
    if address.startswith(PLAIN):
        message = (
            f"address is {address!r}, which is not encrypted; give host:port, which is always "
            "reached by TLS, or unix:PATH"
        )
        raise SettingsError(message)
    port = address.rpartition(":")[2]
    known = is_unix(address) or address.startswith(RESOLVERS) or "://" not in address
    if not known or not (is_unix(address) or (port.isdecimal() and 0 < int(port) < 1 << 16)):
        message = f"address is {address!r}, but must be host:port or unix:PATH"
        raise SettingsError(message)


class Reach(NamedTuple):
    """Whether the re-ranker can be reached."""

    reachable: bool
    about: str  # its address, or what is wrong


class Relay:
    """One re-ranker, or several behind one address. Belongs to one event loop."""

    def __init__(self, settings: UplinkSettings) -> None:
        """Open nothing yet but the files. Raises SettingsError."""
        if not settings.address:
            message = "the uplink has nowhere to send to: set address in its settings (--config F)"
            raise SettingsError(message)
        self.address, self._longest = settings.address, settings.longest_ms / 1_000
        self._metadata = shown(read_token(settings.token)) if settings.token else ()
        self._channel = open_channel(settings.address, settings.files)
        self._stub = RescoringStub(self._channel)  # type: ignore[no-untyped-call]
        self.reach = Reach(reachable=False, about=f"{self.address} is not connected yet")
        self._changed = asyncio.Event()

    async def ask(self, request: RescoreRequest, seconds: float | None) -> RescoreResponse:
        """Ask it. Raises grpc.aio.AioRpcError."""
        limit = self._longest if seconds is None else min(seconds, self._longest)
        answer: RescoreResponse = await self._stub.Rescore(
            request, timeout=limit, metadata=self._metadata
        )
        return answer

    async def watch(self) -> None:
        """Stay connected, and take note of how it is; for ever."""
        while True:
            state = self._channel.get_state(try_to_connect=True)
            self._is(reachable=state is grpc.ChannelConnectivity.READY)
            await self._channel.wait_for_state_change(state)

    def _is(self, *, reachable: bool) -> None:
        about = self.address if reachable else f"{self.address} cannot be reached"
        if (found := Reach(reachable, about)) != self.reach:
            self.reach = found
            self._changed.set()
            self._changed = asyncio.Event()

    async def changes(self) -> AsyncIterator[Reach]:
        """How it is: now, and whenever that changes."""
        while True:
            changed = self._changed
            yield self.reach
            await changed.wait()

    async def close(self) -> None:
        """End the connection."""
        await self._channel.close(None)
