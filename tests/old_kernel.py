"""Run a module as a kernel without seccomp and Landlock would: its name, then its arguments."""

import errno
import runpy
import sys

from earshot.seccomp import ALLOW, EQUAL, LOAD, NUMBER, RETURN, SECCOMP, Step, load

LANDLOCK = 444
MISSING = 0x00050000 | errno.ENOSYS


def main() -> None:
    steps = [Step(LOAD, 0, 0, NUMBER)]
    for number in (*SECCOMP, LANDLOCK):
        steps += [Step(EQUAL, 0, 1, number), Step(RETURN, 0, 0, MISSING)]
    load([*steps, Step(RETURN, 0, 0, ALLOW)])
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
