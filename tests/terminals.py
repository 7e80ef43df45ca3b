"""A pseudo-terminal, and what a person would see in it (pyte draws it)."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyte

from tests.processes import PATIENCE, ROOT


@dataclass
class Terminal:
    """With a program in it."""

    process: subprocess.Popen[bytes]
    screen: pyte.Screen
    stream: pyte.ByteStream
    end: int  # ours
    written: bytes = b""

    def read(self, seconds: float = 0.1) -> bool:
        """Draw what the program wrote; False once it is gone."""
        if self.end in select.select([self.end], [], [], seconds)[0]:
            try:
                data = os.read(self.end, 65_536)
            except OSError:  # the other end is closed
                return False
            self.stream.feed(data)
            self.written += data
            return bool(data)
        return True

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def until(self, *texts: str) -> str:
        """Wait until all of this is seen at once."""
        end = time.monotonic() + PATIENCE
        while not all(text in self.text for text in texts):
            alive = self.read()
            assert time.monotonic() < end, f"{texts} was never seen:\n{self.text}"
            assert alive, f"it ended before {texts} was seen:\n{self.text}"
        return self.text

    def rest(self) -> int:
        """See it to its end; its exit code."""
        end = time.monotonic() + PATIENCE
        while self.read() and time.monotonic() < end:
            pass
        return self.process.wait(PATIENCE)


@contextmanager
def terminal(
    *arguments: str, columns: int = 80, lines: int = 24, kind: str = "xterm-256color"
) -> Iterator[Terminal]:
    """A terminal in which `earshot` runs."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    plain = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    process = subprocess.Popen(
        [sys.executable, "-m", "earshot", *arguments],
        cwd=ROOT,
        env={**plain, "TERM": kind},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    screen = pyte.Screen(columns, lines)
    try:
        yield Terminal(process, screen, pyte.ByteStream(screen), ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
