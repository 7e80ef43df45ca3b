"""How a gRPC server comes to its Unix socket."""

from pathlib import Path

import grpc

from earshot.errors import DeviceError
from earshot.place import opened


def bind(server: grpc.aio.Server, path: Path, group: str | None = None) -> None:
    """Bind the socket; never, not even for a moment, may others than owner and group reach it."""
    with opened(path, group):
        try:
            server.add_insecure_port(f"unix:{path.absolute()}")
        except RuntimeError as error:
            message = f"{path}: a socket cannot be opened there; give --socket another path"
            raise DeviceError(message) from error
