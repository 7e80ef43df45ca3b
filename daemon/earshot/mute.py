"""Mute: the owner closes the microphone, and it stays so over restarts until it is opened again.

    recogniser forgets, feed throws away ▶ device closed ▶ sign set ▶ clients told ▶ kept

It is kept as a file that is there or not, which cannot be half written. The sign, which other
programs may watch, is one as well: it stands only while the device is closed.
"""

import asyncio
import logging
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from earshot.clients import STOPPING
from earshot.errors import DeviceError
from earshot.guarded import FILE, make_folder
from earshot.sessions import Sessions

logger = logging.getLogger(__name__)

KEPT_MODE, SIGN_MODE = FILE, 0o644
HELD = "the microphone does not let go; nothing of it is heard, but its light may stay on"


class Hushes(Protocol):
    """What can be kept from giving audio."""

    async def mute(self) -> bool:
        """Throw away what waits and what comes, and close the device; False if it is held."""

    def unmute(self) -> None:
        """Give audio again."""


class Answer(NamedTuple):
    """How it is after a change; the notes say what is not as it should be."""

    muted: bool
    lasting: bool
    notes: tuple[str, ...] = ()


class Flag:
    """An empty file that is there or not."""

    def __init__(self, path: Path, mode: int) -> None:
        self.path, self._mode = path, mode

    @property
    def up(self) -> bool:
        """Whether it is there; also where that cannot be known, for to be heard is the worse."""
        try:
            self.path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            logger.warning("%s: cannot be looked at (%s)", self.path, error.strerror)
        return True

    def set(self, *, up: bool) -> None:
        """Have it there, or not, for good. Raises DeviceError."""
        try:
            if up:
                make_folder(self.path.absolute().parent)
                with suppress(FileExistsError):
                    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
                    os.close(os.open(self.path, flags, self._mode))
            elif self.up:
                self._remove()
            if self.path.parent.is_dir():
                self._sync()
        except OSError as error:
            message = f"{self.path}: {(error.strerror or str(error)).lower()}"
            raise DeviceError(message) from error

    def _remove(self) -> None:
        facts = self.path.lstat()
        if not stat.S_ISREG(facts.st_mode) or facts.st_size:
            message = f"{self.path}: there is something else in its place; move that away"
            raise DeviceError(message)
        self.path.unlink()

    def _sync(self) -> None:
        """Have it outlive a power cut."""
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class MuteSwitch:
    """Mutes and unmutes, one after the other. Belongs to one event loop."""

    def __init__(self, sessions: Sessions, feed: Hushes, kept: Path, sign: Path) -> None:
        """`kept` outlives the daemon, `sign` is for other programs."""
        self._sessions, self._feed = sessions, feed
        self._kept, self._sign = Flag(kept, KEPT_MODE), Flag(sign, SIGN_MODE)
        self._lock, self._stopped = asyncio.Lock(), False
        self._works: set[asyncio.Task[Answer]] = set()

    async def start(self) -> None:
        """Be as before the restart. To be called before the feed is followed."""
        async with self._lock:
            if self._kept.up:
                await self._mute()
            else:
                await self._shown(up=False)

    async def stop(self) -> None:
        """Take the sign away, for good: nothing is muted where nothing runs."""
        async with self._lock:
            self._stopped = True
            await self._shown(up=False)

    async def set(self, *, muted: bool) -> Answer:
        """Mute or unmute, to the end also if nobody waits for it any more.

        Raises DeviceError when the daemon is stopping.
        """
        work = asyncio.create_task(self._set(muted=muted))
        self._works.add(work)
        work.add_done_callback(self._works.discard)
        return await asyncio.shield(work)

    async def _set(self, *, muted: bool) -> Answer:
        async with self._lock:
            if self._stopped:
                raise DeviceError(STOPPING)
            notes = await self._mute() if muted else await self._unmute()
            failed = await tried(self._kept, up=muted)
            if failed:
                notes += (f"this will not survive a restart ({failed})",)
            return Answer(muted, lasting=not failed, notes=notes)

    async def _mute(self) -> tuple[str, ...]:
        self._sessions.forget()
        closed = await self._feed.mute()
        failed = await self._shown(up=closed)
        self._sessions.mute(closed=closed)
        return failed if closed else (*failed, HELD)

    async def _unmute(self) -> tuple[str, ...]:
        failed = await self._shown(up=False)
        if self._sessions.source.muted:
            self._sessions.unmute()
            self._feed.unmute()
        return failed

    async def _shown(self, *, up: bool) -> tuple[str, ...]:
        failed = await tried(self._sign, up=up)
        return (f"other programs cannot see it ({failed})",) if failed else ()


async def tried(flag: Flag, *, up: bool) -> str:
    """Set a flag, and say what failed."""
    try:
        await asyncio.to_thread(flag.set, up=up)
    except DeviceError as error:
        logger.warning("%s", error)
        return str(error)
    return ""
