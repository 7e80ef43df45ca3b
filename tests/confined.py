"""Run a module as a unit's list of system calls would let it: a file of their numbers, its name."""

import errno
import runpy
import sys
from pathlib import Path

from earshot.seccomp import ALLOW, EQUAL, LOAD, NUMBER, RETURN, Step, load

REFUSE = 0x00050000 | errno.EPERM  # as SystemCallErrorNumber=EPERM


def main() -> None:
    steps = [Step(LOAD, 0, 0, NUMBER)]
    for number in Path(sys.argv[1]).read_text(encoding="ascii").split():
        steps += [Step(EQUAL, 0, 1, int(number)), Step(RETURN, 0, 0, ALLOW)]
    load([*steps, Step(RETURN, 0, 0, REFUSE)])
    del sys.argv[:2]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
