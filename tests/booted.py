"""A machine for tests: systemd, as it is installed here, booted in namespaces of its own.

Its root is an overlay of the root of this machine: what is changed in it is gone with it. Of the
units only those that a service needs are there, so that booting it touches nothing outside. It
needs root, and a kernel that has the namespaces.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE = 60.0  # seconds; the machine may be busy
SYSTEMD = Path("/lib/systemd/systemd")
UNITS = (
    "basic.target multi-user.target paths.target shutdown.target slices.target sockets.target "
    "sysinit.target timers.target sound.target umount.target final.target "
    "systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket"
)
USER_UNITS = (
    "basic.target default.target paths.target shutdown.target sockets.target timers.target "
    "app.slice exit.target systemd-exit.service"
)
# The first argument is a folder for the root, the second one of this machine to share, the third
# where it is seen inside.
BOOT = f"""
set -e
new="$1/root"
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$1/upper" "$1/work" "$new"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$new"
mkdir "$1/units"
for unit in {UNITS}; do cp "/lib/systemd/system/$unit" "$1/units/"; done
mkdir "$1/user"
for unit in {USER_UNITS}; do cp "/usr/lib/systemd/user/$unit" "$1/user/"; done
for folder in lib/systemd/system lib/systemd/system-generators etc/systemd/system \\
	usr/lib/systemd/user usr/lib/systemd/user-generators etc/systemd/user tmp run dev; do
	mkdir -p "$new/$folder"
	mount -t tmpfs -o mode=755 tmpfs "$new/$folder"
done
cp "$1/units/"* "$new/lib/systemd/system/"
cp "$1/user/"* "$new/usr/lib/systemd/user/"
mkdir "$new/etc/systemd/system/sysinit.target.wants"
ln -s /lib/systemd/system/systemd-journald.service "$new/etc/systemd/system/sysinit.target.wants/"
chmod 1777 "$new/tmp"
for node in null:3 zero:5 full:7 random:8 urandom:9; do
	mknod -m 666 "$new/dev/${{node%:*}}" c 1 "${{node#*:}}"
done
mkdir "$new/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$new/dev/shm"
mount -t proc proc "$new/proc"
mount -o bind,ro "$new/proc/sys" "$new/proc/sys"
mount -t sysfs -o ro sysfs "$new/sys"
mount -t tmpfs tmpfs "$new/sys/fs/cgroup"
mount -t cgroup2 cgroup2 "$new/sys/fs/cgroup"
mkdir -p "$new$3"
mount --bind "$2" "$new$3"
cd "$new"
mkdir -p "$new/mnt"
pivot_root . mnt
umount -l /mnt
export container=earshot-test
exec {SYSTEMD} --system --unit=multi-user.target --log-target=journal --show-status=0
"""


class NoMachine(Exception):  # noqa: N818 - a reason to skip, not a failure
    """None can be booted here; the message says why."""


class Machine:
    """A booted one, by the number of its first process."""

    def __init__(self, first: int) -> None:
        self._first = first

    def run(self, *command: str, check: bool = True) -> str:
        """Run a command in it: its standard output; both outputs where it fails."""
        enter = ["nsenter", "--target", str(self._first), "--mount", "--pid", "--net", "--uts"]
        enter += ["--ipc", "--cgroup"]
        done = subprocess.run(
            [*enter, *command], capture_output=True, text=True, check=False, timeout=4 * PATIENCE
        )
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def shown(self, unit: str, *properties: str) -> dict[str, str]:
        """Properties of a unit."""
        told = self.run("systemctl", "show", unit, *(f"--property={name}" for name in properties))
        return dict(line.split("=", 1) for line in told.splitlines())

    def until(self, unit: str, **wanted: str) -> None:
        """Wait until the properties of a unit begin as they should."""
        end = time.monotonic() + 2 * PATIENCE
        while True:
            found = self.shown(unit, *wanted)
            if all(found[name].startswith(value) for name, value in wanted.items()):
                return
            assert time.monotonic() < end, f"{found}, not {wanted}: {self.journal(unit)}"
            time.sleep(0.1)

    def journal(self, unit: str, *options: str) -> str:
        """What a unit said."""
        self.run("journalctl", "--sync", check=False)
        return self.run("journalctl", "--no-pager", "--unit", unit, *options)

    def write(self, path: str, text: str) -> None:
        """Write a file in it."""
        self.run("sh", "-c", 'mkdir -p "${1%/*}" && printf %s "$2" >"$1"', "sh", path, text)


@contextmanager
def machine(shared: Path, seen_as: str) -> Iterator[Machine]:
    """Boot one that sees a folder of this machine at `seen_as`. Raises NoMachine."""
    if os.geteuid() != 0:
        message = "only root may boot a machine"
        raise NoMachine(message)
    if not SYSTEMD.exists() or not all(map(shutil.which, ("unshare", "nsenter", "systemctl"))):
        message = "systemd is not installed"
        raise NoMachine(message)
    with tempfile.TemporaryDirectory(prefix="e") as root, _group() as group:
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--net", "--uts"]
        command += ["--ipc", "--cgroup", "sh", "-c", BOOT, "sh", root, str(shared), seen_as]
        process = subprocess.Popen(
            ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', str(group), *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            yield _booted(process)
        finally:
            for first in _children(process.pid):
                os.kill(first, signal.SIGKILL)
            process.kill()
            process.wait()
            if process.stderr:
                process.stderr.close()


def _booted(process: "subprocess.Popen[bytes]") -> Machine:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        for first in _children(process.pid):
            found = Machine(first)
            state = found.run("systemctl", "is-active", "multi-user.target", check=False)
            if state.strip() == "active":
                return found
        time.sleep(0.1)
    if process.poll() is None:
        message = "systemd does not come up in namespaces here"
        raise NoMachine(message)
    assert process.stderr is not None
    raise NoMachine("no machine can be booted here: " + process.stderr.read().decode().strip())


def _children(process: int) -> list[int]:
    with suppress(FileNotFoundError):
        told = Path(f"/proc/{process}/task/{process}/children").read_text()
        return [int(number) for number in told.split()]
    return []


@contextmanager
def _group() -> Iterator[Path]:
    """A control group of its own, of the second kind. Raises NoMachine."""
    mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    found = next((Path(fields[1]) for fields in mounts if fields[2] == "cgroup2"), None)
    if found is None:
        message = "no control groups of the second kind are mounted"
        raise NoMachine(message)
    group = found / f"earshot-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        message = f"no control group can be made: {error.strerror}"
        raise NoMachine(message) from error
    try:
        yield group
    finally:
        _remove(group)


def _remove(group: Path) -> None:
    """Take away a control group, once nothing runs in it any more."""
    end = time.monotonic() + PATIENCE
    while group.exists() and time.monotonic() < end:
        for folder in sorted((p for p in group.rglob("*") if p.is_dir()), reverse=True):
            with suppress(OSError):
                folder.rmdir()
        with suppress(OSError):
            group.rmdir()
        time.sleep(0.05)
