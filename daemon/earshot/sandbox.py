"""The kernel keeps this process off the network: it is asked to, and found out by trying."""

import logging
import socket

from earshot import landlock, seccomp
from earshot.errors import DeviceError

logger = logging.getLogger(__name__)

MEND = "use a kernel with CONFIG_SECCOMP_FILTER, or the unit in systemd/"


def keep_local(*, required: bool) -> bool:
    """Have the kernel refuse this process the network, for ever; whether it does.

    Raises DeviceError where it does not though that is required.
    """
    reasons = []
    for name, lock in (("Landlock", landlock.restrict), ("seccomp", seccomp.install)):
        try:
            lock()
        except OSError as error:
            reasons.append(f"{name}: {error.strerror}")
    if kept := refuses_internet():
        lacking = ", ".join(reasons) or "nothing"
        logger.debug("the kernel keeps earshot off the network (lacking: %s)", lacking)
        return kept
    reason = ", ".join(reasons) or "it took the filter, and does not heed it"
    message = f"the kernel does not keep earshot off the network ({reason}); {MEND}"
    if required:
        message = f"{message}; or run without --require-sandbox and require_sandbox"
        raise DeviceError(message)
    logger.warning("%s", message)
    return kept


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


def _refused(family: socket.AddressFamily) -> bool:
    try:
        socket.socket(family, socket.SOCK_DGRAM).close()
    except OSError:
        return True
    return False
