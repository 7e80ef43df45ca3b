"""Landlock, where the kernel has it: no TCP, not even on a socket that somebody else opened.

A second lock beside seccomp, which looks at calls and not at the sockets they are about. It counts
for the thread that puts it on and all that this one starts, and also keeps them from the memory of
processes outside (/proc/PID/mem).
"""

import ctypes
import errno
import os

from earshot.kernel import no_new_privileges, system_call

_CREATE_RULESET, _RESTRICT_SELF = 444, 446  # on every architecture
_TELL_VERSION = 1
_BIND_TCP, _CONNECT_TCP = 1, 2
OLDEST = 4  # the first that knows of TCP


class _Ruleset(ctypes.Structure):
    _fields_ = (("handled_access_fs", ctypes.c_uint64), ("handled_access_net", ctypes.c_uint64))


def version() -> int:
    """Find which Landlock the kernel has. Raises OSError if none that knows of TCP."""
    found = system_call(_CREATE_RULESET, 0, 0, _TELL_VERSION)
    if found < OLDEST:
        raise OSError(errno.EOPNOTSUPP, f"version {found} knows nothing of TCP")
    return found


def restrict() -> None:
    """Refuse TCP to this thread, and all that it starts, for ever. Raises OSError."""
    version()
    rules = _Ruleset(0, _BIND_TCP | _CONNECT_TCP)  # handled, and nothing is allowed
    address, size = ctypes.addressof(rules), ctypes.sizeof(rules)
    ruleset = system_call(_CREATE_RULESET, address, size, 0)
    try:
        no_new_privileges()
        system_call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
