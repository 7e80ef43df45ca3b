"""A wall clock that is stepped while they run, for those processes alone that are started under it.

libfaketime, which the loader puts before the C library, adds to CLOCK_REALTIME what a file says,
and reads that anew whenever somebody asks for the time. CLOCK_MONOTONIC and the times of files stay
as they are, as they do where a clock is really stepped.

That it works is found out, not believed: a witness runs under it from the beginning, keeps itself
off the network as the daemon does, and is asked for its time after each step.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

NEAR = 1.0  # seconds by which it may be out: the true clock may be set meanwhile
ABSENT = "libfaketime is not installed (Debian: `apt install faketime`)"
WITNESS = """
import sys, time
from earshot.sandbox import keep_local
keep_local(required=False)
for _ in sys.stdin:
    print(time.time(), time.monotonic(), flush=True)
"""


class NoSteppedClock(Exception):  # noqa: N818 - a reason to leave something out, not a failure
    """No process sees a clock stepped here; the message says why."""


class SteppedClock:
    """The clock, true at first, and the witness."""

    def __init__(self, library: str, folder: Path) -> None:
        """By a library, as LD_PRELOAD names it; what the clock shows is kept in a folder."""
        self._file, self._ahead = folder / "ahead", 0.0
        self.environment = {
            "LD_PRELOAD": library,
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # else who waits is woken too early or too late
            "NO_FAKE_STAT": "1",
        }
        """what a process has besides that is to see it"""
        self._show()
        self._witness = subprocess.Popen(  # noqa: S603 - ours
            [sys.executable, "-c", WITNESS],
            env={**os.environ, **self.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        own = self._witness.pid  # what all share is its own, so that it is gone when this one is
        self.environment["FAKETIME_SHARED"] = f"/faketime_sem_{own} /faketime_shm_{own}"

    def step(self, ahead: float) -> None:
        """Be so many seconds ahead of the true time from now on. Raises NoSteppedClock."""
        self._ahead = ahead
        self._show()
        self.check()

    def check(self) -> None:
        """Raise NoSteppedClock unless the witness sees this clock stepped, and no other."""
        began = time.monotonic()
        told = self._told()
        if not told:
            message = "the process that was to see the clock stepped is gone"
            raise NoSteppedClock(message)
        wall, steady = told
        if not began <= steady <= time.monotonic():
            message = "CLOCK_MONOTONIC is stepped as well, which no step of the clock does"
            raise NoSteppedClock(message)
        seen = (wall - steady) - (time.time() - time.monotonic())
        if abs(seen - self._ahead) > NEAR:
            wanted = round(self._ahead)
            message = f"a process sees the clock {round(seen)} s ahead instead of {wanted} s"
            raise NoSteppedClock(message)

    def close(self) -> None:
        """Let the witness go."""
        self._witness.communicate()

    def _show(self) -> None:
        """Write down what it shows, at once as a whole: it may be read meanwhile."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{self._ahead:+.0f}\n", encoding="ascii")
        new.replace(self._file)

    def _told(self) -> list[float]:
        """What the witness says: its wall clock and its steady one, in seconds."""
        witness = self._witness
        assert witness.stdin is not None  # noqa: S101 - it was started with pipes
        assert witness.stdout is not None  # noqa: S101
        with suppress(BrokenPipeError):
            print(file=witness.stdin, flush=True)
        return [float(number) for number in witness.stdout.readline().split()]


@contextmanager
def stepped_clock() -> Iterator[SteppedClock]:
    """Have one for a while. Raises NoSteppedClock."""
    library = _library()
    with (
        tempfile.TemporaryDirectory(prefix="earshot-") as folder,
        closing(SteppedClock(library, Path(folder))) as clock,
    ):
        clock.check()
        yield clock


def _library() -> str:
    """The library, as its own wrapper names it. Raises NoSteppedClock."""
    wrapper = shutil.which("faketime")
    if wrapper is None:
        raise NoSteppedClock(ABSENT)
    ask = [wrapper, "-m", "-f", "+0", "printenv", "LD_PRELOAD"]  # -m: for several threads
    done = subprocess.run(ask, capture_output=True, text=True, check=False)  # noqa: S603 - found above
    if done.returncode:
        message = f"faketime does not work: {done.stderr.strip() or done.stdout.strip()}"
        raise NoSteppedClock(message)
    return done.stdout.strip()
