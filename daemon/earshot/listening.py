"""Where a page or a metric is served over TCP, and to whom.

Never by the daemon, which may not open such a socket: by commands of their own, and only to this
machine, unless a token is asked for. A request must name a host that is meant: without that, a
page of somebody else could have its name lead here and read with the browser's eyes (DNS
rebinding).
"""

import hmac
import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from earshot.errors import RequestError

_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<host>[^:\[\]/@]+)):(?P<port>\d{1,5})")
_HOST = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^:\[\]/@]+)(?::(?P<port>\d{1,5}))?")
_LOCALHOST = "localhost"
_HIGHEST = 65_535


@dataclass(frozen=True, slots=True)
class Address:
    """A place on a network."""

    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> Self:
        """Read HOST:PORT. Raises RequestError."""
        found = _ADDRESS.fullmatch(text)
        if not found or int(found["port"]) > _HIGHEST:
            message = f"{text!r} is no address; give HOST:PORT, such as 127.0.0.1:8765"
            raise RequestError(message)
        return cls(found["six"] or found["host"], int(found["port"]))

    @property
    def local(self) -> bool:
        """Whether only this machine reaches it."""
        return self.host.lower() == _LOCALHOST or is_loopback(self.host)

    @property
    def name(self) -> str:
        """The host as it stands in a URL."""
        return f"[{self.host}]" if ":" in self.host else self.host


def is_loopback(host: str) -> bool:
    """Whether this is an address, and one that only this machine reaches."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_meant(header: str, reached: tuple[str, int], names: Collection[str] = ()) -> bool:
    """Whether the Host header of a request names what it has reached.

    `reached`: the address and port of the connection's end here; `names`: what else is meant.
    """
    found = _HOST.fullmatch(header)
    if not found or (found["port"] and int(found["port"]) != reached[1]):
        return False
    host = found["host"].strip("[]").lower()
    here = reached[0].lower().removeprefix("::ffff:")  # IPv4, where both are listened to
    own = {here, *(name.lower() for name in names)}
    return host in own or (host == _LOCALHOST and is_loopback(here))


def shows(header: str, token: str) -> bool:
    """Whether an Authorization header shows the token; takes as long whatever it shows."""
    given = header.encode("utf-8", "surrogateescape")
    return hmac.compare_digest(given, f"Bearer {token}".encode())
