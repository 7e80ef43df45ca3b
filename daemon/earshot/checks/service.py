"""The daemon and its units: whether they run, and whether this user reaches them."""

import errno
import grp
import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

from earshot.checks.finding import Finding, Patient
from earshot.client import connected, status
from earshot.errors import DeviceError
from earshot.generated.v1.status_pb2 import MODE_ASSISTED, GetStatusResponse
from earshot.place import answers, uplink_of

UNIT = "earshot.service"
SHOWN = ("LoadState", "ActiveState", "Result", "NRestarts", "StatusText")
MANAGER_SECONDS = 10.0
OFTEN = 3  # restarts that are no accident


def ask(place: Path) -> tuple[GetStatusResponse | None, str]:
    """Ask the daemon how it stands; or give why it does not answer."""
    try:
        with connected(place) as channel:
            return status(channel), ""
    except DeviceError as error:
        return None, str(error)


def daemon(patient: Patient) -> Finding:
    """Look at the daemon: does it answer, and does it hear."""
    answer = patient.answer
    if answer is None:
        mend = "start it with `earshot run`, or with systemd"
        return Finding("daemon", patient.silence, mend, needed=False)
    ready = "ready" if answer.ready else "not ready"
    if answer.muted:
        return Finding("daemon", f"{ready}, muted")
    if not answer.ready:
        mend = "look at the microphone, below; the daemon goes on as soon as it can hear"
        return Finding("daemon", f"{ready}: {answer.source}", mend, needed=False)
    return Finding("daemon", f"{ready}, follows {answer.source}")


def place(patient: Patient) -> Finding | None:
    """Look at the socket: in use, left behind, or closed to this user."""
    path = patient.place
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        return Finding("socket", f"{path}: {error.strerror}", _join(path.parent))
    if not stat.S_ISSOCK(mode):
        mend = f"move {path} away, or give --socket another path"
        return Finding("socket", f"{path}: something else is in its place", mend)
    return _connected(path, mode)


def _connected(path: Path, mode: int) -> Finding:
    """Look at a socket of this mode by connecting to it."""
    refused = _refused(path)
    if refused == errno.ECONNREFUSED:
        left = f"{path} was left behind by a daemon that died"
        return Finding("socket", left, "nothing: the next daemon takes it away", needed=False)
    if refused:
        return Finding("socket", f"{path}: {os.strerror(refused)}", _join(path))
    if mode & stat.S_IRWXO:
        mend = f"`chmod o= {path}`"
        return Finding("socket", f"{path}: everybody here may listen", mend, needed=False)
    return Finding("socket", f"{path}, for the group {_group(path)}")


def _refused(path: Path) -> int:
    """The error by which the kernel refuses a connection, or 0."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(str(path))


def _join(path: Path) -> str:
    """How this user may come to use a socket or its folder."""
    user = os.environ.get("USER", "USER")
    return f"`usermod -aG {_group(path)} {user}` as root, and log in again"


def _group(path: Path) -> str:
    try:
        return grp.getgrgid(path.stat().st_gid).gr_name
    except (OSError, KeyError):
        return "earshot-clients"


def units(_: Patient) -> Finding | None:
    """Look at the units of systemd: do they run, did they fail, do two want one microphone."""
    there = [(name, found) for name, found in _units() if found.get("LoadState") == "loaded"]
    if not there:
        return None
    for name, found in there:
        journal = f"journalctl {'--user ' if name == 'user' else ''}-u earshot -n 20"
        if found["ActiveState"] == "failed":
            mend = f"`{journal}` tells why"
            return Finding("units", f"the {name} unit failed ({found['Result']})", mend)
        if int(found["NRestarts"] or 0) >= OFTEN:
            text = f"the {name} unit was restarted {found['NRestarts']} times"
            return Finding("units", text, f"`{journal}` tells why", needed=False)
    if sum(found["ActiveState"] != "inactive" for _, found in there) > 1:
        mend = "keep the user unit on a desktop: `systemctl disable --now earshot` ends the other"
        return Finding("units", "both run, and want one microphone", mend, needed=False)
    told = (f"{name} {found['ActiveState']} {found['StatusText']}".strip() for name, found in there)
    return Finding("units", "; ".join(told))


def _units() -> Iterator[tuple[str, dict[str, str]]]:
    """What the service managers, the system's and this user's, know of the unit."""
    if shutil.which("systemctl") is None:
        return
    for name in ("system", "user"):
        command = ["systemctl", f"--{name}", "show", UNIT, f"--property={','.join(SHOWN)}"]
        try:
            told = subprocess.run(  # noqa: S603 - nothing of it comes from outside
                command, capture_output=True, text=True, check=True, timeout=MANAGER_SECONDS
            )
        except (OSError, subprocess.SubprocessError):  # none runs, or none for this user
            continue
        lines = (line.split("=", 1) for line in told.stdout.splitlines() if "=" in line)
        yield name, dict.fromkeys(SHOWN, "") | dict(lines)


def uplink(patient: Patient) -> Finding | None:
    """Look whether there is an uplink, where the owner wants lattices re-ranked elsewhere."""
    if patient.answer is None or patient.answer.mode != MODE_ASSISTED:
        return None
    path = patient.settings.assist.socket or uplink_of(patient.place)
    if answers(path):
        return Finding("uplink", str(path))
    mend = "start it (`systemctl enable --now earshot-uplink`), or `earshot privacy local-only`"
    return Finding("uplink", f"none answers at {path}; words stay as they are", mend, needed=False)
