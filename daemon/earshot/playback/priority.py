"""A higher scheduling class for the player, where it may have one."""

import logging
import os
from contextlib import suppress

from earshot.scheduling import renice

logger = logging.getLogger(__name__)

LEAST_REAL_TIME, NICE = 1, -11  # the least of real time is before all that is not


def raise_priority() -> str:
    """Be scheduled before others, with the threads that are started later; by what means.

    All threads, not the feeding one alone: it waits for Python's lock, and whoever holds that lock
    must not have to wait for a busy program.
    """
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(LEAST_REAL_TIME))
        return f"SCHED_RR {LEAST_REAL_TIME}"
    if (nice := renice(NICE)) < 0:
        return f"nice {nice}"
    logger.debug("neither real time nor a better niceness is allowed: see `ulimit -r -e`")
    return "usual"
