"""earshot under a clock that is stepped (stepped_clock.py): `python -m models.stepped run …`.

As it is, but for time.sleep, which libfaketime (0.9.10) breaks in Python 3.11 and later: of a time
of CLOCK_MONOTONIC to sleep until, it takes away what belongs to the wall clock, even where it is to
leave CLOCK_MONOTONIC alone, and the kernel refuses what is left.
"""

import select
import sys
import time
from typing import SupportsIndex

from earshot.__main__ import main


def sleep(seconds: float | SupportsIndex) -> None:
    """Sleep, as Python did before 3.11."""
    select.select([], [], [], float(seconds))


def install() -> None:
    """Put it in place of time.sleep, if that does not work."""
    try:
        time.sleep(0.0)
    except OSError:
        time.sleep = sleep


if __name__ == "__main__":
    install()
    sys.exit(main())
