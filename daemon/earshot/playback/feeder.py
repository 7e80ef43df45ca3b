"""The feeding thread: takes what is mixed to the output, block by block, each in time."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Protocol

from earshot.errors import DeviceError
from earshot.playback.audio import BLOCK_SECONDS, Frames
from earshot.playback.mixer import Mixer
from earshot.playback.output import Output
from earshot.playback.settings import PlaybackSettings
from earshot.playback.tally import Tally

logger = logging.getLogger(__name__)

LONGEST_SLEEP = 0.1  # seconds that closing may have to wait


class Listens(Protocol):
    """Whoever is given what is played."""

    def give(self, block: Frames, when: float) -> None:
        """A block that leaves the output at `when`, in seconds of CLOCK_MONOTONIC. Never waits."""


class Feeder:
    """Opens an output when there is something to play, and closes it when there no longer is."""

    def __init__(
        self,
        mixer: Mixer,
        opened: Callable[[], Output],
        tap: Listens,
        settings: PlaybackSettings,
        failed: Callable[[], None],
    ) -> None:
        """`opened` opens the output of now, `failed` is called if the thread ends of an error."""
        self._mixer, self._opened, self._tap = mixer, opened, tap
        self._settings, self._failed = settings, failed
        self._closing, self._reopen, self._work = False, False, threading.Event()
        self.tally = Tally()
        self.output = "nothing yet"
        self.waiting = False  # for a device that is away
        self._thread = threading.Thread(target=self._run, name="feeder", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self, *, reopen: bool = False) -> None:
        """Look whether there is something to play; with `reopen`, by another output."""
        self._reopen = self._reopen or reopen
        self._work.set()

    def close(self, seconds: float) -> None:
        """End now; a device that never lets go is left behind after so many seconds."""
        self._closing = True
        self._work.set()
        self._thread.join(seconds)
        if self._thread.is_alive():
            logger.warning("%s does not let go and is left behind", self.output)

    def _run(self) -> None:
        """Feed until closed, in the thread."""
        try:
            while self._wait_for_work():
                try:
                    with closing(self._opened()) as output:
                        self._come(output)
                        self._feed(output)
                except DeviceError as error:
                    self._go(error)
        except Exception:  # whoever owns the thread must know
            logger.exception("playback ends")
            self._failed()

    def _wait_for_work(self) -> bool:
        """Wait until there is something to play; False once closed."""
        while not self._closing and not self._mixer.active:
            self._work.wait()
            self._work.clear()
        return not self._closing

    def _come(self, output: Output) -> None:
        if self.waiting:
            logger.info("%s is back", output.description)
        self.output, self.waiting, self._reopen = output.description, False, False

    def _go(self, error: DeviceError) -> None:
        """Say, once, that the device is away, and let some time pass."""
        if not self.waiting:
            logger.warning("%s; waiting for it", error)
        self.output, self.waiting = str(error), True
        self._work.clear()
        self._work.wait(self._settings.retry_ms / 1_000)

    def _feed(self, output: Output) -> None:
        """Feed one output until it is no longer needed. DeviceError when it is gone."""
        slack, full, silent = output.buffer - BLOCK_SECONDS, False, 0.0
        patience = self._settings.idle_ms / 1_000
        while not self._closing and not self._reopen and silent < patience:
            if (due := output.due()) > 0:
                full = True
                time.sleep(min(due, LONGEST_SLEEP))
                continue
            silent = 0.0 if self._mixer.active else silent + BLOCK_SECONDS
            block = self._mixer.mix()
            late = -output.due()
            when, missed = output.write(block)
            self.tally.count(late if full else None, slack, missed)
            full = full and late <= slack  # else it is filled again, as fast as it goes
            self._tap.give(block, when)
