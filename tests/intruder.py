"""The fake daemon with somebody else's code in it: it hears, and tries to get out meanwhile.

What it hears are the names of the errors that its tries met, and "out" for one that met none.
"""

import errno
import itertools
import os
import platform
import socket
import subprocess
import sys
from collections.abc import Callable

from earshot.events import Event
from earshot.kernel import system_call
from earshot.seccomp import CASES, MACHINES, REFUSED

from tests import fake_daemon
from tests.fake_recogniser import FakeRecogniser, Samples

FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET, 40)  # 40: VSOCK
KINDS = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW)


def tried(act: Callable[[], object]) -> str:
    """The name of the error that an act meets, or "out"."""
    try:
        act()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "out"


def called(name: str, *arguments: int) -> str:
    """What a system call of the tables answers."""
    numbers = CASES[name].numbers if name in CASES else REFUSED[name]
    return tried(lambda: system_call(numbers[MACHINES[platform.machine()][1]], *arguments))


def in_a_child() -> str:
    """What a program that is started from here meets."""
    code = "import tests.intruder as i; print(i.tried(i.socket.socket))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def in_a_fork() -> str:
    """What a copy of this process meets."""
    if (child := os.fork()) == 0:
        os._exit(tried(socket.socket) == "EPERM")
    return "EPERM" if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) else "out"


def every_way() -> dict[str, str]:
    """All ways to a socket that is not of this machine, and the calls that lead around it."""
    found = {}
    for family, kind in itertools.product(FAMILIES, KINDS):
        found[f"socket {family} {kind}"] = tried(lambda f=family, k=kind: socket.socket(f, k))  # type: ignore[misc]
        found[f"socket(2) {family} {kind}"] = called("socket", family, kind, 0)
        found[f"socket(2), above {family} {kind}"] = called("socket", 1 << 32 | family, kind, 0)
        found[f"socketpair(2) {family} {kind}"] = called("socketpair", family, kind, 0, 0)
    found |= {name: called(name, 0, 0, 0, 0, 0, 0) for name in REFUSED}
    return found


class Intruder(FakeRecogniser):
    """Tries before it hears."""

    def accept(self, samples: Samples) -> list[Event]:
        self._says = sorted({*every_way().values(), in_a_child(), in_a_fork()})
        return super().accept(samples)


if __name__ == "__main__":
    sys.exit(fake_daemon.main(Intruder))
