"""The filter that a process puts on itself: what the kernel refuses it from then on, with EPERM.

A program of classic BPF (seccomp(2)) looks at every system call of all threads, and of all programs
that they start: at the architecture, at the number, of some calls at one argument. It refuses

    sockets of any family but AF_UNIX    socket, socketpair
    the same, and more, by a side door   io_uring_*
    a connection without connect         sendto, sendmsg, sendmmsg with MSG_FASTOPEN
    the hands of another process         ptrace, process_vm_*, pidfd_getfd; ioctl that types into a
                                         terminal (TIOCSTI, TIOCLINUX)
    what has the kernel use a network    mount and its successors; add_key, request_key, keyctl
    another kernel, another view of it   kexec_*, *_module, bpf, perf_event_open, userfaultfd,
                                         unshare, setns, chroot, pivot_root, open_by_handle_at
    every call of another architecture   i386 and x32 on x86-64, 32-bit ARM on aarch64

Nothing that is refused can be had back. What it cannot see: the socket behind a descriptor that
somebody hands over (landlock.py does, for TCP), and what another program does when it is asked to
over AF_UNIX.
"""

import ctypes
import errno
import platform
import socket
import sys
from typing import NamedTuple

from earshot.kernel import no_new_privileges, system_call

ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO
LOAD, RETURN, EQUAL, AT_LEAST, ANY_BIT = 0x20, 0x06, 0x15, 0x35, 0x45
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # where they stand in struct seccomp_data
X32 = 0x40000000  # from here on, numbers are calls of x32

TIOCSTI, TIOCLINUX, MSG_FASTOPEN = 0x5412, 0x541C, 0x20000000


class Step(NamedTuple):
    """An instruction: where a comparison leads, so many steps further on, if it is so or not."""

    code: int
    so: int
    otherwise: int
    value: int


class Case(NamedTuple):
    """A call that an argument decides: an int to the kernel, so that its lower half is all of it.

    `met` is the verdict if it compares with any of the values, the other one is it if not.
    """

    numbers: tuple[int, int]
    argument: int
    comparison: int
    values: tuple[int, ...]
    met: int


# What <linux/audit.h> calls the architecture, and its column in the tables below.
MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
SECCOMP = (317, 277)
CASES = {
    "socket": Case((41, 198), 0, EQUAL, (socket.AF_UNIX,), ALLOW),
    "socketpair": Case((53, 199), 0, EQUAL, (socket.AF_UNIX,), ALLOW),
    "sendto": Case((44, 206), 3, ANY_BIT, (MSG_FASTOPEN,), REFUSE),
    "sendmsg": Case((46, 211), 2, ANY_BIT, (MSG_FASTOPEN,), REFUSE),
    "sendmmsg": Case((307, 269), 3, ANY_BIT, (MSG_FASTOPEN,), REFUSE),
    "ioctl": Case((16, 29), 1, EQUAL, (TIOCSTI, TIOCLINUX), REFUSE),
}
REFUSED = {
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "mount": (165, 40),
    "umount2": (166, 39),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "unshare": (272, 97),
    "setns": (308, 268),
    "chroot": (161, 51),
    "pivot_root": (155, 41),
    "open_by_handle_at": (304, 265),
}

_SET_MODE_FILTER, _ACTION_AVAILABLE, _ALL_THREADS = 1, 2, 1


class _Filter(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("jt", ctypes.c_uint8),
        ("jf", ctypes.c_uint8),
        ("k", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("len", ctypes.c_uint16), ("filter", ctypes.POINTER(_Filter)))


def program(machine: str) -> list[Step]:
    """The filter for an architecture."""
    audit, column = MACHINES[machine]
    steps = [Step(LOAD, 0, 0, ARCHITECTURE), Step(EQUAL, 1, 0, audit), Step(RETURN, 0, 0, REFUSE)]
    steps += [Step(LOAD, 0, 0, NUMBER), Step(AT_LEAST, 0, 1, X32), Step(RETURN, 0, 0, REFUSE)]
    for numbers in REFUSED.values():
        steps += [Step(EQUAL, 0, 1, numbers[column]), Step(RETURN, 0, 0, REFUSE)]
    for case in CASES.values():
        steps += _decide(case, column)
    return [*steps, Step(RETURN, 0, 0, ALLOW)]


def _decide(case: Case, column: int) -> list[Step]:
    body = [Step(LOAD, 0, 0, ARGUMENTS + 8 * case.argument)]
    for value in case.values:
        body += [Step(case.comparison, 0, 1, value), Step(RETURN, 0, 0, case.met)]
    body.append(Step(RETURN, 0, 0, REFUSE if case.met == ALLOW else ALLOW))
    return [Step(EQUAL, 0, len(body), case.numbers[column]), *body]


def check() -> None:
    """Raise OSError where the kernel has no such filters, or the architecture no table."""
    refuse = ctypes.c_uint32(REFUSE & ~errno.EPERM)
    system_call(SECCOMP[_column()], _ACTION_AVAILABLE, 0, ctypes.addressof(refuse))


def install() -> None:
    """Put the filter on all threads, for ever. Raises OSError."""
    check()
    load(program(platform.machine()))


def load(steps: list[Step]) -> None:
    """Give a filter to the kernel. Raises OSError."""
    filters = (_Filter * len(steps))(*(_Filter(*step) for step in steps))
    code = _Program(len(steps), filters)
    no_new_privileges()
    what = _SET_MODE_FILTER, _ALL_THREADS, ctypes.addressof(code)
    if thread := system_call(SECCOMP[_column()], *what):
        raise OSError(errno.EBUSY, f"thread {thread} has a filter of its own")


def _column() -> int:
    """Where this architecture stands in the tables. Raises OSError if nowhere."""
    machine = platform.machine()
    if sys.platform != "linux" or machine not in MACHINES or sys.maxsize < 1 << 32:
        raise OSError(errno.ENOSYS, f"no filter for {platform.system()} on {machine}")
    return MACHINES[machine][1]
