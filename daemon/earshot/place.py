"""Where the API is found, one Unix socket and nobody else's; where catalog and state are kept."""

import os
import socket
import stat
from pathlib import Path

from earshot.errors import DeviceError, SettingsError

LONGEST = 107  # bytes of a Unix socket's path, fixed by the kernel
MODE = 0o660
SYSTEM = Path("/run/earshot/earshot.sock")  # of the system unit
CATALOG = "catalog.db"
MUTED = "muted"  # where it is kept, and beside the socket


def default_socket() -> Path:
    """Choose where to serve. Raises SettingsError if there is no runtime directory."""
    if given := os.environ.get("RUNTIME_DIRECTORY"):  # by systemd, for this service alone
        return Path(given.partition(":")[0]) / SYSTEM.name
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(runtime) / "earshot" / SYSTEM.name
    if os.geteuid() == 0:
        return SYSTEM
    message = "XDG_RUNTIME_DIR is not set, so there is no place for a socket: give --socket PATH"
    raise SettingsError(message)


def nearest_socket() -> Path:
    """Choose where a client looks: this user's daemon, or else the system's."""
    try:
        own = default_socket()
    except SettingsError:
        return SYSTEM
    return SYSTEM if SYSTEM.exists() and not own.exists() else own


def default_catalog() -> Path:
    """Choose where the catalog is: what the daemon was given to keep, or its user's data."""
    if given := os.environ.get("STATE_DIRECTORY"):  # by systemd, for this service alone
        return Path(given.partition(":")[0]) / CATALOG
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "earshot" / CATALOG


def default_state() -> Path:
    """Choose the folder of what outlives the daemon: its service's, or else its user's."""
    if given := os.environ.get("STATE_DIRECTORY"):  # by systemd, for this service alone
        return Path(given.partition(":")[0])
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "earshot"


def claim(path: Path) -> None:
    """Make the place free for a new socket. Raises DeviceError if it cannot be had."""
    if len(bytes(path.absolute())) > LONGEST:
        message = f"{path}: longer than the {LONGEST} bytes a socket's path may have; give --socket"
        raise SettingsError(message)
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        if path.exists() or path.is_symlink():
            _remove_stale(path)
    except OSError as error:
        message = f"{path}: no place for a socket ({error.strerror}); give --socket another path"
        raise DeviceError(message) from error


def _remove_stale(path: Path) -> None:
    if not stat.S_ISSOCK(path.lstat().st_mode):
        message = f"{path}: there is something else in the socket's place; give --socket another"
        raise DeviceError(message)
    if answers(path):
        message = f"{path}: another earshot is running there; stop it, or give --socket another"
        raise DeviceError(message)
    path.unlink()


def answers(path: Path) -> bool:
    """Whether a process listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
