"""The mode: what may leave the device. The owner decides, and it stays so over restarts.

    assisted     uplink attended ▶ sign set ▶ kept ▶ clients told
    local-only   nothing asked any more ▶ sign away ▶ uplink stopped ▶ kept no more ▶ clients told

Assisted is kept as a file that is there: an empty one, of this user. Whatever else is in its place,
or cannot be looked at, means local-only. The sign, which a service manager watches to start the
uplink, stands beside the socket while the daemon runs in mode assisted.
"""

import asyncio
import logging
import os
import stat
from pathlib import Path
from typing import NamedTuple

from earshot.assist import Assist
from earshot.clients import STOPPING
from earshot.condition import UplinkState
from earshot.errors import DeviceError
from earshot.events import Mode
from earshot.link import Link, Standing
from earshot.mute import KEPT_MODE, SIGN_MODE, Flag, MuteSwitch, tried
from earshot.sessions import Sessions

logger = logging.getLogger(__name__)

WAIT_SECONDS = 2.0  # for the uplink to answer, before it is said that it does not


class ModeAnswer(NamedTuple):
    """How it is after a change; the notes say what is not as it should be."""

    mode: Mode
    lasting: bool
    notes: tuple[str, ...] = ()


class Switches(NamedTuple):
    """What the owner switches."""

    mute: MuteSwitch
    mode: "ModeSwitch"


def kept_mode(path: Path) -> Mode:
    """The mode that is kept: assisted only if nothing speaks against it."""
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return Mode.LOCAL_ONLY
    except OSError as error:
        logger.warning("%s: %s; the mode is local-only", path, (error.strerror or "").lower())
        return Mode.LOCAL_ONLY
    mine = facts.st_uid == os.geteuid() and not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if stat.S_ISREG(facts.st_mode) and not facts.st_size and mine:
        return Mode.ASSISTED
    logger.warning("%s: is not as earshot made it; the mode is local-only", path)
    return Mode.LOCAL_ONLY


class ModeSwitch:
    """Changes the mode, one change after the other. Belongs to one event loop."""

    def __init__(
        self, sessions: Sessions, assist: Assist, link: Link, kept: Path, sign: Path
    ) -> None:
        """`kept` outlives the daemon, `sign` is for other programs."""
        self._sessions, self._assist, self._link = sessions, assist, link
        self._kept, self._sign = Flag(kept, KEPT_MODE), Flag(sign, SIGN_MODE)
        self._lock, self._stopped = asyncio.Lock(), False
        self._works: set[asyncio.Task[ModeAnswer]] = set()
        self.mode, self.tally = Mode.LOCAL_ONLY, assist.tally

    @property
    def standing(self) -> Standing:
        """How it stands with the uplink."""
        now, rest = self._link.standing, self._assist.rest
        if now.state is UplinkState.READY and rest.left:
            return Standing(UplinkState.RESTING, rest.reason, rest.since)
        return now

    async def start(self) -> None:
        """Be as before the restart."""
        async with self._lock:
            if (mode := kept_mode(self._kept.path)) is Mode.ASSISTED:
                logger.info("the mode is assisted: lattices may leave the device")
                await self._link.start()
            self.mode = mode
            await tried(self._sign, up=mode is Mode.ASSISTED)

    async def stop(self) -> None:
        """Leave the uplink, and take the sign away."""
        async with self._lock:
            self._stopped = True
            await self._link.stop(uplink=False)
            await tried(self._sign, up=False)

    async def set(self, mode: Mode) -> ModeAnswer:
        """Change the mode, to the end also if nobody waits for it any more.

        Raises DeviceError when the daemon is stopping.
        """
        if mode is Mode.LOCAL_ONLY:
            self._cut()  # whatever else is under way
        work = asyncio.create_task(self._set(mode))
        self._works.add(work)
        work.add_done_callback(self._works.discard)
        return await asyncio.shield(work)

    def _cut(self) -> None:
        """Ask nothing any more, and wait for no answer."""
        self._link.close()
        self._assist.drop()

    async def _set(self, mode: Mode) -> ModeAnswer:
        async with self._lock:
            if self._stopped:
                raise DeviceError(STOPPING)
            before, assisted = self.mode, mode is Mode.ASSISTED
            if assisted:
                await self._link.start()
            else:
                self._cut()
            self.mode = mode
            signed = await tried(self._sign, up=assisted)  # else it would be started again
            if not assisted:
                await self._link.stop(uplink=True)
            kept = await tried(self._kept, up=assisted)
            if mode is not before:
                logger.info("the mode is %s", mode)
                self._sessions.tell_mode(mode)
            if assisted:
                await self._link.start(WAIT_SECONDS)
            notes = {
                f"this will not survive a restart ({kept})": kept,
                f"other programs cannot see it ({signed})": signed,
            }
            told = tuple(note for note, reason in notes.items() if reason)
            return ModeAnswer(mode, lasting=not kept, notes=told)
