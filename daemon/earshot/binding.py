"""How a gRPC server comes to its Unix socket."""

import os
from pathlib import Path

import grpc

from earshot.errors import DeviceError
from earshot.place import MODE, share

OWNERS = 0o600  # mode of the socket until its group is the right one


def bind(server: grpc.aio.Server, path: Path, group: str | None = None) -> None:
    """Bind the socket; never, not even for a moment, may others than owner and group reach it."""
    before = os.umask(0o777 & ~OWNERS)
    try:
        server.add_insecure_port(f"unix:{path.absolute()}")
    except RuntimeError as error:
        message = f"{path}: a socket cannot be opened there; give --socket another path"
        raise DeviceError(message) from error
    finally:
        os.umask(before)
    try:
        if group:
            share(path, group)
        path.chmod(MODE)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
