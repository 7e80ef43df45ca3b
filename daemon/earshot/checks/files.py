"""The files: settings, catalog, state, the place of the socket, and room for them on the disk."""

import os
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

from earshot import config
from earshot.checks.finding import Finding, Patient
from earshot.errors import EarshotError
from earshot.place import closed, default_catalog, default_state

SYSTEM_SETTINGS = Path("/etc/earshot/earshot.toml")
LITTLE = 64 << 20  # bytes that are free: what catalog and audit may take
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def settings(_: Patient) -> Finding | None:
    """Look at the settings of the units, whether or not they are those asked for here."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    own = Path(base) / "earshot" / "earshot.toml"
    there = [path for path in (SYSTEM_SETTINGS, own) if os.access(path, os.F_OK)]
    for path in there:
        try:
            config.load(path)
        except EarshotError as error:
            mend = f"mend that line; all settings stand in {path} as they came, or in the README"
            return Finding("settings", str(error), mend)
    return Finding("settings", ", ".join(map(str, there))) if there else None


def catalog(patient: Patient) -> Finding | None:
    """Look at the catalog: this user's alone, readable, whole."""
    path = patient.settings.catalog or default_catalog()
    try:
        facts = path.stat()
    except FileNotFoundError:
        return None  # nobody needs one
    except OSError as error:
        mend = f"look at the owner of {path.parent}; that of the service is the service's alone"
        return Finding("catalog", f"{path}: {error.strerror}", mend, needed=False)
    if not os.access(path, os.R_OK | os.W_OK):
        mend = f"`chown {os.geteuid()} {path}` as root, and `chmod 600 {path}`"
        return Finding("catalog", f"{path}: this user may not read and write it", mend)
    if broken := _broken(path):
        mend = "move it away, and `earshot catalog import` the names again from where they came"
        return Finding("catalog", f"{path}: {broken}", mend)
    if facts.st_mode & OTHERS:
        mend = f"`chmod go= {path}`"
        return Finding("catalog", f"{path}: others may read your names", mend, needed=False)
    return Finding("catalog", str(path))


def _broken(path: Path) -> str:
    """What SQLite has against a file; nothing is written."""
    try:
        with closing(sqlite3.connect(f"file:{path.absolute()}?mode=ro", uri=True)) as database:
            told = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        return str(error)
    return "" if told == "ok" else told


def state(_: Patient) -> Finding:
    """Look at the folder of what outlives the daemon: it can be written, and there is room."""
    folder = default_state()
    there = nearest(folder)
    if not os.access(there, os.W_OK | os.X_OK) or _read_only(there):
        mend = "let this user write there, or set XDG_STATE_HOME; it keeps that you muted earshot"
        return Finding("state", f"{there} cannot be written", mend)
    free = shutil.disk_usage(there).free
    if free < LITTLE:
        found = f"{free >> 20} MiB are free at {there}"
        return Finding("state", found, "make room: what is muted or added now may be lost")
    return Finding("state", f"{folder}, {free >> 20} MiB free")


def _read_only(folder: Path) -> bool:
    """Whether it is on a file system that cannot be written: root may, and cannot all the same."""
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def socket_folder(patient: Patient) -> Finding | None:
    """Look at where the socket stands, or will stand."""
    place = patient.place
    if closed(place):
        return None  # and what is wrong with that, another check says
    there = nearest(place.absolute().parent)
    if patient.answer or (os.access(there, os.W_OK | os.X_OK) and not _read_only(there)):
        return Finding("socket folder", f"{place.parent} can be written")
    mend = f"give --socket a path that {os.environ.get('USER', 'this user')} can write"
    return Finding("socket folder", f"{there} cannot be written", mend)


def nearest(folder: Path) -> Path:
    """The folder, or the first above it that there is, as far as this user may know."""
    return next(one for one in (folder, *folder.parents) if os.access(one, os.F_OK))
