"""The kernel keeps this process off the network: it is asked to, and found out by trying."""

import logging
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from earshot import landlock, seccomp
from earshot.errors import DeviceError

logger = logging.getLogger(__name__)

MEND = "use a kernel with CONFIG_SECCOMP_FILTER, or the unit in systemd/"


class Kept(NamedTuple):
    """Whether the kernel keeps this process off the network, and if not, why."""

    enforced: bool
    reason: str = ""


def keep_local(*, required: bool) -> Kept:
    """Have the kernel refuse this process the network, for ever.

    Raises DeviceError where it does not though that is required.
    """
    reasons = []
    for name, lock in (("Landlock", landlock.restrict), ("seccomp", seccomp.install)):
        try:
            lock()
        except OSError as error:
            reasons.append(f"{name}: {error.strerror}")
    if open_already := _open_sockets():
        reasons.append(f"{open_already} sockets of a network were open when it started")
    elif refuses_internet():
        lacking = ", ".join(reasons) or "nothing"
        logger.debug("the kernel keeps earshot off the network (lacking: %s)", lacking)
        return Kept(enforced=True)
    reason = ", ".join(reasons) or "it took the filter, and does not heed it"
    message = f"the kernel does not keep earshot off the network ({reason}); {MEND}"
    if required:
        message = f"{message}; or run without --require-sandbox and require_sandbox"
        raise DeviceError(message)
    logger.warning("%s", message)
    return Kept(enforced=False, reason=reason)


def offered() -> str:
    """What the kernel has to keep a process off the network. Raises DeviceError if too little."""
    try:
        seccomp.check()
    except OSError as error:
        message = f"the kernel cannot keep earshot off the network (seccomp: {error.strerror})"
        raise DeviceError(message) from error
    try:
        return f"seccomp, Landlock {landlock.version()}"
    except OSError as error:
        return f"seccomp; no second lock (Landlock: {error.strerror})"


def refuses_internet() -> bool:
    """Whether the kernel refuses an internet socket, of either kind. Sends nothing."""
    return all(_refused(family) for family in (socket.AF_INET, socket.AF_INET6))


def _open_sockets() -> int:
    """How many sockets this process has that are not AF_UNIX: no lock closes those."""
    found, own = 0, Path("/proc/self/fd")
    for path in own.iterdir() if own.exists() else ():
        with suppress(OSError), socket.socket(fileno=os.dup(int(path.name))) as one:
            found += one.family != socket.AF_UNIX  # OSError: no socket, or the listing's own
    return found


def _refused(family: socket.AddressFamily) -> bool:
    try:
        socket.socket(family, socket.SOCK_DGRAM).close()
    except OSError:
        return True
    return False
