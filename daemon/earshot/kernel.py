"""System calls for which Python has no name."""

import ctypes
import errno
import os
import sys

_PR_SET_NO_NEW_PRIVS = 38


def system_call(number: int, *arguments: int) -> int:
    """Call the kernel; what it answers. Raises OSError, also on a system that is not Linux."""
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, "not a Linux kernel")
    return _answer(_libc().syscall(number, *map(ctypes.c_long, arguments)))


def no_new_privileges() -> None:
    """Let no program that is run from here gain privileges; the kernel asks for it. For ever."""
    process_control(_PR_SET_NO_NEW_PRIVS, 1)


def process_control(option: int, value: int = 0) -> int:
    """Call prctl(2); what it answers. Raises OSError, also on a system that is not Linux."""
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, "not a Linux kernel")
    return _answer(_libc().prctl(option, *map(ctypes.c_ulong, (value, 0, 0, 0))))


def _libc() -> ctypes.CDLL:
    found = ctypes.CDLL(None, use_errno=True)
    found.syscall.restype = ctypes.c_long
    return found


def _answer(value: int) -> int:
    if value < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return value
