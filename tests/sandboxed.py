"""A process with the sandbox on, which tries everything: what it met as JSON on standard output.

Its argument is the descriptor of a Unix socket over which it is handed sockets: two of TCP, and it
tries to connect them to the address that comes with them.
"""

import fcntl
import json
import os
import socket
import sys
import termios
import threading
from pathlib import Path

from earshot.sandbox import keep_local
from earshot.seccomp import MSG_FASTOPEN, TIOCSTI

from tests.intruder import every_way, in_a_child, in_a_fork, tried


def main() -> None:
    handed = socket.socket(fileno=int(sys.argv[1]))
    go, earlier = threading.Event(), dict[str, str]()

    def wait_and_try() -> None:
        go.wait()
        earlier.update(every_way())

    thread = threading.Thread(target=wait_and_try)
    thread.start()
    kept = keep_local(required=True)
    go.set()
    thread.join()
    found = {
        "kept": kept.enforced,
        "refused": every_way(),
        "refused to the thread from before": earlier,
        "child": in_a_child(),
        "fork": in_a_fork(),
        "unix": unix(),
        "terminal": terminal(),
        "handed": connecting(handed),
        "memory": tried(lambda: Path(f"/proc/{os.getppid()}/mem").open("rb").close()),
        "threads": filtered_threads(),
    }
    json.dump(found, sys.stdout)


def unix() -> str:
    """Whether Unix sockets go on working."""
    one, other = socket.socketpair()
    one.sendall(b"heard")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("")  # an abstract name of the kernel's choice
        listener.listen()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(listener.getsockname())
            listener.accept()[0].close()
    return other.recv(5).decode()


def terminal() -> list[str]:
    """Typing into a terminal, and asking for its size."""
    _, side = os.openpty()
    acts = (lambda: fcntl.ioctl(side, TIOCSTI, b"x"), lambda: termios.tcgetattr(side))
    return [tried(act) for act in acts]


def connecting(handed: socket.socket) -> list[str]:
    """The two ways to connect a socket of TCP that somebody else opened."""
    _, descriptors, _, _ = socket.recv_fds(handed, 1, 2)
    one, other = (socket.socket(fileno=descriptor) for descriptor in descriptors)
    address = ("127.0.0.1", 9)
    return [
        tried(lambda: one.connect(address)),
        tried(lambda: other.sendto(b"x", MSG_FASTOPEN, address)),
    ]


def filtered_threads() -> list[bool]:
    """Whether each thread has a filter and can gain no privileges."""
    stands = [path.read_text() for path in Path("/proc/self/task").glob("*/status")]
    return ["Seccomp:\t2" in stand and "NoNewPrivs:\t1" in stand for stand in stands]


if __name__ == "__main__":
    main()
