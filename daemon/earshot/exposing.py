"""The metrics of the daemon at a Unix socket, where its owner wants them: off by default."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from earshot.generated.v1.status_pb2 import GetStatusResponse as Status
from earshot.optional import needed
from earshot.place import refuse_network
from earshot.vitals import Vitals


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """Whether metrics are served by the daemon itself."""

    socket: Path | None = None
    """the Unix socket at which they are served, over HTTP; without it, they are not"""

    def __post_init__(self) -> None:
        """Raise SettingsError for a socket that is none."""
        if self.socket:
            refuse_network(self.socket)


@asynccontextmanager
async def exposing(
    settings: MetricsSettings, group: str | None, answer: Callable[[], Status]
) -> AsyncIterator[None]:
    """Serve metrics while within, to the `group`; `answer` tells how the daemon stands.

    Raises SettingsError where a library is missing, DeviceError where the place cannot be had.
    """
    if settings.socket is None:
        yield
        return
    with needed("see"):
        from earshot import exporter, serving_http  # noqa: PLC0415 - may lack their libraries

    async def ask() -> Vitals:
        return Vitals(answer())

    app = exporter.exporter(ask)
    async with serving_http.at_socket(app, settings.socket, group):
        yield
