"""What a process takes of the machine, as the kernel tells (/proc), and who serves a socket."""

import os
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid of SO_PEERCRED
_ANSWER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one process."""

    pid: int
    cpu_seconds: float
    """of all its threads since it started"""
    resident_bytes: int


def server_of(path: Path) -> int | None:
    """Find the process that serves a Unix socket; None where none does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_ANSWER_SECONDS)
        try:
            probe.connect(str(path))
            told = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        except OSError:
            return None
    pid: int = _CREDENTIALS.unpack(told)[0]
    return pid or None  # 0: in another container


def usage(pid: int) -> Usage | None:
    """Find what a process has taken; None where that is not told, or there is none."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    # After the name, which may hold anything: fields 14 and 15 are times, 24 is memory (proc(5)).
    fields = text.rpartition(")")[2].split()
    ticks, pages = int(fields[11]) + int(fields[12]), int(fields[21])
    return Usage(pid, ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE"))
