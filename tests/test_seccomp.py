"""The filter that the daemon puts on itself, interpreted: no kernel is asked."""

import socket
import struct

import pytest
from earshot import seccomp
from earshot.seccomp import ALLOW, ANY_BIT, AT_LEAST, EQUAL, LOAD, REFUSE, RETURN, Step

X86, ARM, I386, ARM32 = 0xC000003E, 0xC00000B7, 0x40000003, 0x40000028


def verdict(steps: list[Step], architecture: int, number: int, *arguments: int) -> int:
    """What a filter answers: classic BPF, as far as filters need it."""
    six = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, architecture, 0, *six)
    at = value = 0
    while True:
        step = steps[at]
        at += 1
        if step.code == RETURN:
            return step.value
        if step.code == LOAD:
            (value,) = struct.unpack_from("<I", data, step.value)
            continue
        so = {
            EQUAL: value == step.value,
            AT_LEAST: value >= step.value,
            ANY_BIT: bool(value & step.value),
        }[step.code]
        at += step.so if so else step.otherwise


INET, UNIX, FAST = int(socket.AF_INET), int(socket.AF_UNIX), 0x20000000
BOTH = [  # number on x86-64, on aarch64, arguments, verdict
    (41, 198, (UNIX, 1, 0), ALLOW),
    (41, 198, (UNIX | 5 << 32, 1, 0), ALLOW),  # the kernel does not read the upper half
    (41, 198, (INET, 1, 0), REFUSE),
    (41, 198, (INET | 1 << 32, 1, 0), REFUSE),
    (41, 198, (0, 1, 0), REFUSE),
    (41, 198, (10, 2, 0), REFUSE),
    (41, 198, (16, 3, 0), REFUSE),
    (41, 198, (17, 3, 0), REFUSE),
    (41, 198, (0xFFFFFFFF, 3, 0), REFUSE),
    (53, 199, (UNIX, 1, 0), ALLOW),
    (53, 199, (INET, 1, 0), REFUSE),
    (42, 203, (3,), ALLOW),  # connect
    (44, 206, (3, 0, 0, 0), ALLOW),  # sendto
    (44, 206, (3, 0, 0, FAST | 0x4000), REFUSE),
    (46, 211, (3, 0, 0x4000), ALLOW),  # sendmsg
    (46, 211, (3, 0, FAST), REFUSE),
    (307, 269, (3, 0, 1, 0), ALLOW),  # sendmmsg
    (307, 269, (3, 0, 1, FAST), REFUSE),
    (16, 29, (0, 0x5413), ALLOW),  # ioctl
    (16, 29, (0, 0x5412), REFUSE),
    (16, 29, (0, 0x5412 | 1 << 32), REFUSE),
    (16, 29, (0, 0x541C), REFUSE),
    (425, 425, (), REFUSE),  # io_uring_setup
    (101, 117, (), REFUSE),  # ptrace
    (0, 63, (), ALLOW),  # read
    (1, 64, (), ALLOW),  # write
    (9, 222, (), ALLOW),  # mmap
    (56, 220, (), ALLOW),  # clone
    (59, 221, (), ALLOW),  # execve
    (435, 435, (), ALLOW),  # clone3
    (-1, -1, (), REFUSE),
]


@pytest.mark.parametrize(("x86", "arm", "arguments", "expected"), BOTH)
def test_a_call_has_its_verdict(
    x86: int, arm: int, arguments: tuple[int, ...], expected: int
) -> None:
    one, other = seccomp.program("x86_64"), seccomp.program("aarch64")
    assert verdict(one, X86, x86, *arguments) == expected
    assert verdict(other, ARM, arm, *arguments) == expected
    assert verdict(one, X86, x86 | seccomp.X32, *arguments) == REFUSE
    for foreign in (I386, ARM, 0):
        assert verdict(one, foreign, x86, *arguments) == REFUSE
    for foreign in (ARM32, X86, 0):
        assert verdict(other, foreign, arm, *arguments) == REFUSE


@pytest.mark.parametrize("machine", seccomp.MACHINES)
def test_what_is_refused_is_refused_and_nothing_else(machine: str) -> None:
    steps, (audit, column) = seccomp.program(machine), seccomp.MACHINES[machine]
    refused = {numbers[column] for numbers in seccomp.REFUSED.values()}
    decided = {case.numbers[column] for case in seccomp.CASES.values()}
    assert len(refused | decided) == len(seccomp.REFUSED) + len(seccomp.CASES)
    for number in set(range(600)) - decided:
        assert verdict(steps, audit, number) == (REFUSE if number in refused else ALLOW)
