"""What a re-ranker and those who ask it know each other by: certificates, keys and tokens in files.

A key or a token is only taken from a file that nobody but its owner can read. Over TCP there is no
talking without TLS; a Unix socket is guarded by its mode. Nothing here is ever logged. A relative
path is of what the service manager hands over to the service (LoadCredential=, if it does).
"""

import hmac
import json
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc

from earshot.errors import SettingsError

LEAST_TOKEN = 16  # characters
OTHERS = stat.S_IRWXG | stat.S_IRWXO
UNIX = "unix:"
AUTHORIZATION, BEARER = "authorization", "Bearer "
# How a client spreads its calls over all addresses of a target (dns:///name:port, ipv4:a:1,b:2),
# and tries elsewhere what one of them broke off: it died (UNAVAILABLE), or was stopped before gRPC
# handed the call over (CANCELLED). Ranking twice does no harm; all tries share the deadline.
_AGAIN = {
    "maxAttempts": 3,
    "initialBackoff": "0.005s",
    "maxBackoff": "0.02s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
}
_BY_TURNS = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [{"name": [{}], "retryPolicy": _AGAIN}],
}
BY_TURNS = ("grpc.service_config", json.dumps(_BY_TURNS))
# Who was away is tried again within so many milliseconds; gRPC itself would wait for two minutes.
RECONNECT = ("grpc.max_reconnect_backoff_ms", 10_000)


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """The files by which a server is known, and knows its clients."""

    certificate: Path | None = None
    """the chain of certificates of the server (PEM), needed for TCP"""
    key: Path | None = None
    """its private key (PEM), mode 0600"""
    client_ca: Path | None = None
    """clients must show a certificate of this authority (PEM)"""
    token: Path | None = None
    """file with the token that clients must show, mode 0600"""


@dataclass(frozen=True, slots=True)
class ClientFiles:
    """The files by which a client is known, and knows its server."""

    ca: Path | None = None
    """authority of the server's certificate (PEM); without it, those that this machine trusts"""
    certificate: Path | None = None
    """the client's own chain of certificates (PEM), where the server asks for one"""
    key: Path | None = None
    """its private key (PEM), mode 0600"""
    token: Path | None = None
    """file with the token to show, mode 0600"""
    server_name: str = ""
    """name in the server's certificate, where it is not that of the address"""


def is_unix(address: str) -> bool:
    """Whether an address is a Unix socket's, which no network reaches."""
    return address.startswith(UNIX)


def read_private(path: Path) -> bytes:
    """Read a file that is its owner's alone. Raises SettingsError where others may, too."""
    data, mode = _read(path)
    if mode & OTHERS and not _handed_over(path):
        message = f"{path}: others may read it (mode {mode & 0o777:04o}); chmod 600 {path}"
        raise SettingsError(message)
    return data


def _placed(path: Path) -> Path:
    return Path(os.environ.get("CREDENTIALS_DIRECTORY", ""), path)


def _handed_over(path: Path) -> bool:
    """Whether the service manager hands it to this service alone (LoadCredential=)."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return bool(folder) and _placed(path).resolve().is_relative_to(Path(folder or "").resolve())


def _read(path: Path) -> tuple[bytes, int]:
    """Read a file, and its mode while it is open. Raises SettingsError."""
    path = _placed(path)
    try:
        with path.open("rb") as file:
            return file.read(1 << 20), os.fstat(file.fileno()).st_mode
    except OSError as error:
        message = f"{path}: cannot be read ({(error.strerror or str(error)).lower()})"
        raise SettingsError(message) from error


def read_token(path: Path) -> str:
    """Read a token. Raises SettingsError for one that is too short or cannot be sent."""
    try:
        token = read_private(path).decode("ascii").strip()
    except UnicodeDecodeError:
        token = ""
    if len(token) < LEAST_TOKEN or not token.isprintable() or " " in token:
        message = (
            f"{path}: holds no token; write one of at least {LEAST_TOKEN} letters and digits, "
            f"such as that of `openssl rand -hex 32`"
        )
        raise SettingsError(message)
    return token


def shown(token: str) -> tuple[tuple[str, str], ...]:
    """The metadata of a call that shows a token."""
    return ((AUTHORIZATION, BEARER + token),)


def is_shown(token: str, metadata: Sequence[tuple[str, str | bytes]]) -> bool:
    """Whether the metadata of a call shows the token; takes as long whatever is shown."""
    given = [value for key, value in metadata if key == AUTHORIZATION]
    found = given[0] if len(given) == 1 else ""
    text = found if isinstance(found, bytes) else found.encode()
    return hmac.compare_digest(text, (BEARER + token).encode())


def server_credentials(files: ServerFiles, address: str) -> grpc.ServerCredentials | None:
    """What to serve an address with; None for a Unix socket. Raises SettingsError."""
    if is_unix(address):
        return None
    if not files.certificate or not files.key:
        message = (
            f"{address}: over TCP only with TLS; set certificate and key, or listen on unix:PATH"
        )
        raise SettingsError(message)
    if not files.token and not files.client_ca:
        message = f"{address}: anybody could ask; set token, client_ca or both"
        raise SettingsError(message)
    authority = _read(files.client_ca)[0] if files.client_ca else None
    pair = (read_private(files.key), _read(files.certificate)[0])
    try:
        return grpc.ssl_server_credentials([pair], authority, authority is not None)
    except (ValueError, RuntimeError) as error:
        message = f"{files.certificate}: no certificate that goes with {files.key} ({error})"
        raise SettingsError(message) from error


def open_channel(target: str, files: ClientFiles) -> grpc.aio.Channel:
    """Open a channel, which connects when it is used. Raises SettingsError.

    Several addresses behind one target take turns, and stand in for each other.
    """
    if is_unix(target):
        return grpc.aio.insecure_channel(target, options=[RECONNECT])
    if bool(files.certificate) != bool(files.key):
        message = "certificate and key go together; set both or none"
        raise SettingsError(message)
    credentials = grpc.ssl_channel_credentials(
        _read(files.ca)[0] if files.ca else None,
        read_private(files.key) if files.key else None,
        _read(files.certificate)[0] if files.certificate else None,
    )
    options: list[tuple[str, str | int]] = [BY_TURNS, RECONNECT]
    if files.server_name:
        options.append(("grpc.ssl_target_name_override", files.server_name))
    return grpc.aio.secure_channel(target, credentials, options)
