"""No memory of the daemon is left behind: tried with real crashes, and by who would look in."""

import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake_recogniser import quiet
from tests.processes import PATIENCE, ROOT, Daemon

CORE_PATTERN = Path("/proc/sys/kernel/core_pattern")
YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")
CRASH = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
LOOK = """
import ctypes, os, sys
from earshot.dumps import forbid_dumps
if os.geteuid() == 0:
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
ctypes.CDLL(None).prctl(4, 1)  # as a program that its user started
assert os.stat("/proc/self/environ").st_uid == os.geteuid()
assert forbid_dumps()
assert os.stat("/proc/self/environ").st_uid == 0
assert len(os.listdir("/proc/self/fd")) > 2 and open("/proc/self/maps").read()
assert open("/proc/self/status").read() and os.readlink("/proc/self/exe")
print("ready", flush=True)
sys.stdin.read()
"""
INTRUDE = """
import os, sys
if os.geteuid() == 0:
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
try:
    open(f"/proc/{sys.argv[1]}/mem", "rb").close()
except OSError as error:
    print(error.strerror)
else:
    print("open")
"""


def intruded(process: int) -> str:
    """What another process of the same user meets that opens its memory."""
    command = [sys.executable, "-c", INTRUDE, str(process)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def free() -> bool:
    """Whether processes of a user may look into each other at all."""
    return not YAMA.exists() or YAMA.read_text(encoding="ascii").strip() == "0"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """One in which a program that crashes leaves a core."""
    if not CORE_PATTERN.exists() or not CORE_PATTERN.read_text().startswith("core"):
        pytest.skip("this system does not write cores where a program crashed")
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    try:
        done = subprocess.run([sys.executable, "-c", CRASH], cwd=tmp_path, check=False)
        assert done.returncode == -signal.SIGSEGV
        if not cores(tmp_path):
            pytest.skip("no program leaves a core here (see `ulimit -Hc`)")
        for core in cores(tmp_path):
            core.unlink()
        yield tmp_path
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)


def cores(folder: Path) -> list[Path]:
    return list(folder.glob("core*"))


def test_a_daemon_that_crashes_leaves_no_core_where_others_do(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="e") as short:
        place = Path(short) / "e.sock"
        command = [sys.executable, "-m", "tests.fake_daemon", "0", "--source", "-"]
        command += ["--socket", str(place)]
        private = {**os.environ, "PYTHONPATH": str(ROOT)}
        private |= {"XDG_DATA_HOME": short, "XDG_STATE_HOME": short}
        with subprocess.Popen(command, cwd=folder, stdin=-1, env=private) as process:
            d = Daemon(process, place)
            try:
                d.hear(quiet(0.5))
                d.until(lambda answer: answer.ready)
                limits = Path(f"/proc/{process.pid}/limits").read_text(encoding="ascii")
                (core,) = [line for line in limits.splitlines() if "core file" in line]
                assert core.split()[4:6] == ["0", "0"]
                process.send_signal(signal.SIGSEGV)
                assert process.wait(PATIENCE) == -signal.SIGSEGV
            finally:
                process.kill()
    assert cores(folder) == []


def test_no_other_process_of_the_user_looks_into_its_memory_and_it_still_sees_itself() -> None:
    command = [sys.executable, "-c", LOOK]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert intruded(process.pid) == "Permission denied"
        process.communicate("")
        assert process.returncode == 0


@pytest.mark.skipif(not free(), reason="this kernel lets no process look into another (Yama)")
def test_into_another_one_it_does() -> None:
    command = [sys.executable, "-c", LOOK.replace("forbid_dumps()", "True").replace("== 0", ">= 0")]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert intruded(process.pid) == "open"
        process.communicate("")
