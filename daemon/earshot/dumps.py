"""What the daemon has in memory stays there: no core dump, and no other program looks in.

The limit stops the kernel writing a core file. That the process is not dumpable (prctl(2)) also
stops programs to which the kernel would pipe one whatever the limit (core(5)), and keeps processes
of the same user from its memory: /proc/PID/mem, ptrace, the descriptors of another (pidfd_getfd).
Only root still looks in, as with py-spy. A process may read of itself what it needs (/proc/self/fd,
maps, status); who owns /proc/PID of the daemon is root.
"""

import logging
import resource

from earshot.kernel import process_control

logger = logging.getLogger(__name__)

_PR_GET_DUMPABLE, _PR_SET_DUMPABLE = 3, 4


def forbid_dumps() -> bool:
    """Leave no memory of this process behind, for ever; whether the kernel does all of it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        process_control(_PR_SET_DUMPABLE, 0)
        return process_control(_PR_GET_DUMPABLE) == 0
    except OSError as error:
        logger.warning("other programs of this user may read what is heard (%s)", error.strerror)
        return False
