"""Who goes first on a busy processor: niceness of single threads, by their ids as Linux allows.

No sound must be missed while others are busy, nor while it is recognised. So the thread that reads
the source goes before others where the limits allow that (RLIMIT_NICE; LimitNICE= of the unit): it
takes next to nothing, and a device keeps only so much. The thread that recognises can wait, and
steps back where its owner wants that, which needs no right; the governor sees to it that it does
not fall behind for long. onnxruntime has one thread a network and never spins (networks.py).
"""

import logging
import os
import resource
import threading
from contextlib import suppress

from earshot.errors import SettingsError

logger = logging.getLogger(__name__)

FIRST, LAST = -20, 19  # niceness of who goes before all others, and of who goes behind
UNCHANGED = 0


def check_nice(name: str, nice: int) -> None:
    """Raise SettingsError for what is no niceness."""
    if not FIRST <= nice <= LAST:
        message = f"{name} is {nice}, but must be {FIRST} (before all others) to {LAST}"
        raise SettingsError(message)


def renice(nice: int) -> int:
    """Change the niceness of the calling thread, or come as near as is allowed; what it is then."""
    thread = threading.get_native_id()
    if nice != UNCHANGED:
        before = os.getpriority(os.PRIO_PROCESS, thread)
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, max(nice, min(before, least_nice())))
    found = os.getpriority(os.PRIO_PROCESS, thread)
    logger.debug("thread %s: niceness %d", threading.current_thread().name, found)
    return found


def least_nice() -> int:
    """The niceness down to which a thread of this process may go (getrlimit(2))."""
    if os.geteuid() == 0:
        return FIRST
    limit, _ = resource.getrlimit(resource.RLIMIT_NICE)
    return FIRST if limit == resource.RLIM_INFINITY else max(FIRST, min(LAST + 1, 20 - limit))


def outlook(nice: int) -> tuple[str, str]:
    """Whether a thread could go before others as far as `nice`, and the mend if not; for people."""
    least = least_nice()
    if least <= nice:
        return f"the microphone is read before other programs run (nice {nice})", ""
    mend = f"LimitNICE={nice} in the unit, or a line `- nice {nice}` in /etc/security/limits.conf"
    return f"the microphone is read when other programs let it (nice {min(least, 0)} at best)", mend
