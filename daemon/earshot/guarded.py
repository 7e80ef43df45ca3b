"""Files that are their owner's alone: how they are made, and what is said of those that are not.

Names of people are private, so the catalog and what outlives the daemon are 0600 in folders of
0700, whatever the umask. Of a file that is there already, what others may do with it is told, with
the command that mends it; it is used all the same, as its owner may mean it so. Secrets have files
of their own, which are refused where others may read them (credentials.py).
"""

import grp
import logging
import os
import pwd
import stat
from pathlib import Path

logger = logging.getLogger(__name__)

FOLDER, FILE = 0o700, 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WRITE = stat.S_IWGRP | stat.S_IWOTH


def make_folder(path: Path) -> None:
    """Make a folder, and all that are missing on the way, for their owner alone. OSError."""
    for folder in (*reversed(path.parents), path):
        if not folder.is_dir():
            folder.mkdir(mode=FOLDER, exist_ok=True)


def warn_if_private_is_open(path: Path) -> None:
    """Say so where others may read or change a private file, or put another in its place."""
    mode = _mode(path)
    if mode & _OTHERS:
        does = "change" if mode & _WRITE else "read"
        logger.warning("%s: others may %s it; `chmod go= %s` stops that", path, does, path)
    _warn_of_folder(path)


def warn_if_others_write(path: Path) -> None:
    """Say so where others may change a file that anybody may read, or put another in its place."""
    if _mode(path) & _WRITE:
        logger.warning("%s: others may change it; `chmod go-w %s` stops that", path, path)
    _warn_of_folder(path)


def _warn_of_folder(path: Path) -> None:
    folder = path.absolute().parent
    mode = _mode(folder)
    if mode & _WRITE and not mode & stat.S_ISVTX:  # in /tmp, others cannot take it away
        text = "%s: others may put another file in its place; `chmod go-w %s` stops that"
        logger.warning(text, path, folder)


def _mode(path: Path) -> int:
    """Find the mode, without what it gives to the group where that is the owner alone."""
    try:
        facts = path.stat()
    except OSError:  # whoever reads the file says what is wrong with it
        return 0
    return facts.st_mode & ~stat.S_IRWXG if _alone(facts) else facts.st_mode


def _alone(facts: os.stat_result) -> bool:
    """Whether the group is the owner's own one, as many systems give each user one."""
    try:
        owner, group = pwd.getpwuid(facts.st_uid), grp.getgrgid(facts.st_gid)
    except KeyError:
        return False
    return owner.pw_name == group.gr_name and set(group.gr_mem) <= {owner.pw_name}
