"""What the program says of itself: for people behind its name, for systemd's journal by priority.

The journal adds time, name and process itself. A line that begins with <N> has the priority N there
(sd-daemon(3)), by which `journalctl -p warning` finds it; on a terminal it would be noise.
"""

import io
import logging
import os
import sys
from typing import TextIO

# Of syslog(3), by the least level of logging that has it.
PRIORITIES = (
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
    (logging.NOTSET, 7),
)


def journalled(stream: TextIO) -> bool:
    """Whether a stream goes into systemd's journal."""
    try:
        facts = os.fstat(stream.fileno())
    except (OSError, io.UnsupportedOperation):  # closed, or in memory
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{facts.st_dev}:{facts.st_ino}"


def begin(level: int) -> None:
    """Log to standard error from this level on."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter(journal=journalled(sys.stderr)))
    logging.basicConfig(level=level, handlers=[handler])


def complain(text: str) -> None:
    """Say on standard error what made it impossible to go on."""
    sys.stderr.write(_line(text, logging.ERROR, journal=journalled(sys.stderr)) + "\n")


class _Formatter(logging.Formatter):
    def __init__(self, *, journal: bool) -> None:
        super().__init__()
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        """Give the lines of a record, each with what stands before it."""
        return _line(super().format(record), record.levelno, journal=self._journal)


def _line(text: str, level: int, *, journal: bool) -> str:
    if not journal:
        return f"earshot: {text}"
    priority = next(number for least, number in PRIORITIES if level >= least)
    return "\n".join(f"<{priority}>{line}" for line in text.splitlines())
