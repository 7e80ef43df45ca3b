"""Where the API is found, one Unix socket and nobody else's; where catalog and state are kept."""

import grp
import os
import re
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from earshot.errors import DeviceError, SettingsError

LONGEST = 107  # bytes of a Unix socket's path, fixed by the kernel
MODE = 0o660
OWNERS = 0o600  # mode of a socket until its group is the right one
SYSTEM = Path("/run/earshot/earshot.sock")  # of the system unit
SYSTEM_UPLINK = Path("/run/earshot-uplink/uplink.sock")  # of its unit
SYSTEM_STATE = Path("/var/lib/earshot-uplink")
CATALOG = "catalog.db"
MUTED = "muted"  # where it is kept, and beside the socket
ASSISTED = "assisted"  # as well
AUDIT = "audit"  # folder
# What stands for a place on a network in other programs, and would be the name of a file here.
NETWORK = re.compile(
    r"(tcp\d?|https?|grpcs?|dns|ipv[46]|vsock|wss?):.*"  # tcp://0.0.0.0:50051
    r"|[^/]*:\d+|\d+|(\d+\.){3}\d+"  # localhost:50051, :50051, 50051, 0.0.0.0
    r"|\[.*\].*|[\da-f:]*::[\da-f:]*|localhost|\*",  # [::]:50051, ::1
    re.IGNORECASE,
)
SCHEMES = ("unix:", "unix-abstract:")  # of gRPC


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


def refuse_network(place: Path) -> None:
    """Raise SettingsError for what is no path of a Unix socket, but an address of a network."""
    if NETWORK.fullmatch(str(place)):
        message = (
            f"socket is {str(place)!r}, but earshot never listens on a network; give the path of a "
            f"Unix socket, and reach it from another machine over SSH: "
            f"ssh -N -L /tmp/earshot.sock:{SYSTEM} HOST"
        )
        raise SettingsError(message)
    if str(place).startswith(SCHEMES):
        message = f"socket is {str(place)!r}; give the path alone, such as {SYSTEM}"
        raise SettingsError(message)


def nearest_socket() -> Path:
    """Choose where a client looks: this user's daemon, or else the system's."""
    try:
        own = default_socket()
    except SettingsError:
        return SYSTEM
    # Whoever is not of the system's group may not even know whether its socket is there.
    return SYSTEM if not own.exists() and (closed(SYSTEM) or SYSTEM.exists()) else own


def closed(path: Path) -> bool:
    """Whether there is, or may be, a socket that this user must not use."""
    try:
        path.lstat()
    except OSError as error:
        return isinstance(error, PermissionError)
    return not os.access(path, os.W_OK, effective_ids=True)


def uplink_of(place: Path) -> Path:
    """Choose where the uplink serves the daemon whose socket is at `place`.

    As a service of the system it may not write into the daemon's folder, and has one of its own.
    """
    return SYSTEM_UPLINK if place == SYSTEM else place.with_name(SYSTEM_UPLINK.name)


def default_catalog() -> Path:
    """Choose where the catalog is: what the daemon was given to keep, or its user's data."""
    if given := os.environ.get("STATE_DIRECTORY"):  # by systemd, for this service alone
        return Path(given.partition(":")[0]) / CATALOG
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "earshot" / CATALOG


def default_settings() -> Path | None:
    """Choose the settings: those in the folder that systemd names to a service, if any."""
    given = os.environ.get("CONFIGURATION_DIRECTORY", "").partition(":")[0]
    path = Path(given) / "earshot.toml"
    return path if given and path.exists() else None


def default_state() -> Path:
    """Choose the folder of what outlives the daemon: its service's, or else its user's."""
    if given := os.environ.get("STATE_DIRECTORY"):  # by systemd, for this service alone
        return Path(given.partition(":")[0])
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "earshot"


def claim(path: Path, group: str | None = None) -> None:
    """Make the place free for a new socket, and let a Unix group come as far as there.

    Raises DeviceError if it cannot be had, SettingsError for a group that there is not.
    """
    if len(bytes(path.absolute())) > LONGEST:
        message = f"{path}: longer than the {LONGEST} bytes a socket's path may have; give --socket"
        raise SettingsError(message)
    folder = path.absolute().parent
    ours = folder.name == SYSTEM.parent.name or not folder.exists()
    try:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        if path.exists() or path.is_symlink():
            _remove_stale(path)
        if group:
            _let_in(folder, group, ours=ours)
    except OSError as error:
        message = f"{path}: no place for a socket ({error.strerror}); give --socket another path"
        raise DeviceError(message) from error


def share(path: Path, group: str) -> None:
    """Give a socket to a Unix group. Raises SettingsError or DeviceError where that cannot be."""
    number = _group(group)
    if path.stat().st_gid == number:
        return
    try:
        os.chown(path, -1, number)
    except OSError as error:
        message = (
            f"{path}: may not be given to the group {group} ({error.strerror}); run earshot as a "
            f"member of it (`usermod -aG {group} USER`), or by a unit with Group={group}"
        )
        raise DeviceError(message) from error


@contextmanager
def opened(path: Path, group: str | None = None) -> Iterator[None]:
    """Have a socket made there while within, then let its group use it.

    Never, not even for a moment, may others than owner and group reach it.
    """
    before = os.umask(0o777 & ~OWNERS)
    try:
        yield
    finally:
        os.umask(before)
    try:
        if group:
            share(path, group)
        path.chmod(MODE)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _group(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError as error:
        message = f"there is no group {name!r}; make it with `groupadd --system {name}`"
        raise SettingsError(message) from error


def _let_in(folder: Path, group: str, *, ours: bool) -> None:
    """Let a group pass a folder that is ours, and see that it can pass those above. OSError."""
    number = _group(group)
    if ours and not _passable(folder, number):
        with suppress(PermissionError):  # then what follows says what to do
            os.chown(folder, -1, number)
            folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IXGRP)
    for one in (folder, *folder.parents):
        if not _passable(one, number):
            message = (
                f"{one}: the group {group} cannot pass this folder on the way to the socket; allow "
                f"it with `chgrp {group} {one} && chmod g+x {one}`, or have the socket elsewhere, "
                f"such as {SYSTEM}"
            )
            raise DeviceError(message)


def _passable(folder: Path, group: int) -> bool:
    facts = folder.stat()
    mine = facts.st_gid == group
    return bool(facts.st_mode & (stat.S_IXGRP if mine else stat.S_IXOTH))


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
