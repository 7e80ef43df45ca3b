"""The player: what it is told to play, by what output, and how it stands."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from earshot.errors import AudioError
from earshot.playback.audio import BLOCK_SECONDS
from earshot.playback.feeder import Feeder
from earshot.playback.mixer import Mixer
from earshot.playback.output import NullOutput, Output
from earshot.playback.settings import PlaybackSettings
from earshot.playback.sound import Speakers
from earshot.playback.stream import Programme, playable
from earshot.playback.tally import Counts
from earshot.playback.tap import Tap

logger = logging.getLogger(__name__)

LATEST = 10  # problems that are kept
LET_GO_SECONDS = 2.0  # for a device; a frozen sound server may never let go


class State(StrEnum):
    """What playback does."""

    IDLE = "idle"
    PLAYING = "playing"
    PAUSED = "paused"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Standing:
    """How playback stands."""

    state: State
    output: str
    playing: tuple[str, ...]
    ducked: bool
    problems: tuple[str, ...]
    starved: int
    counts: Counts


class Player:
    """Plays one programme at a time."""

    def __init__(
        self, settings: PlaybackSettings, tap: Tap, failed: Callable[[], None], *, silent: bool
    ) -> None:
        """`silent`: all goes to the pretended output; `failed` is called when it cannot go on."""
        self._settings, self._always_silent, self._silent = settings, silent, silent
        self.mixer = Mixer(settings)
        self._feeder = Feeder(self.mixer, self._opened, tap, settings, failed)
        self._problems: deque[str] = deque(maxlen=LATEST)
        self._speakers: Speakers | None = None
        self._playing = asyncio.Lock()
        self._feeder.start()

    async def play(self, programme: Programme) -> tuple[int, list[str]]:
        """Play what can be played: how many files, and what is wrong with the others.

        Raises AudioError if there is none.
        """
        files, problems = await asyncio.to_thread(playable, programme.files)
        for problem in problems:
            self._tell(problem)
        if not files:
            raise AudioError("; ".join(problems[:LATEST]))
        async with self._playing:
            if (silent := programme.silent or self._always_silent) != self._silent:
                await self._faded()
                self._silent = silent
                self._feeder.wake(reopen=True)
            self.mixer.play(replace(programme, files=files), self._tell)
        self._feeder.wake()
        return len(files), problems

    def stop(self) -> None:
        """Fade out, and forget the files."""
        self.mixer.stop(unheard=self._feeder.waiting)

    def pause(self) -> None:
        """Fade out, and stay."""
        self.mixer.pause()

    def resume(self) -> None:
        """Fade in."""
        self.mixer.resume()
        self._feeder.wake()

    def speech(self, on: bool) -> None:  # noqa: FBT001 - there is nothing else to say
        """Make room for somebody who speaks."""
        self.mixer.speech(on=on)
        self._feeder.wake()

    @property
    def standing(self) -> Standing:
        """How it stands."""
        return Standing(
            self._state(),
            self._feeder.output,
            tuple(self.mixer.playing),
            self.mixer.ducked,
            tuple(self._problems),
            self.mixer.starved,
            self._feeder.tally.counts,
        )

    async def close(self) -> None:
        """Fade out, and end."""
        await self._faded()
        await asyncio.to_thread(self._feeder.close, LET_GO_SECONDS)
        await asyncio.to_thread(self.mixer.close)
        counts = self._feeder.tally.counts
        facts = f"{counts.blocks} blocks, {counts.xruns} late, {counts.underruns} underruns"
        logger.info("playback ends: %s, %.3f s missed", facts, counts.missed)

    async def _faded(self) -> None:
        """Fade out, and wait until that was heard; not for ever, for a device may be away."""
        if self.mixer.idle:
            return
        self.mixer.stop()
        fade, buffer = self._settings.fade_ms / 1_000, self._settings.buffer_ms / 1_000
        for _ in range(round((fade + buffer) / BLOCK_SECONDS) + 5):
            if self.mixer.idle or self._feeder.waiting:
                break
            await asyncio.sleep(BLOCK_SECONDS)
        await asyncio.sleep(0.0 if self._feeder.waiting else buffer)

    def _state(self) -> State:
        if self.mixer.idle:
            return State.IDLE
        if self.mixer.paused:
            return State.PAUSED
        return State.WAITING if self._feeder.waiting else State.PLAYING

    def _tell(self, problem: str) -> None:
        """Say what is wrong with a file."""
        logger.warning("%s", problem)
        self._problems.append(problem)

    def _opened(self) -> Output:
        """Open the output of now. Raises DeviceError."""
        if self._silent:
            return NullOutput(self._settings.buffer_ms)
        self._speakers = self._speakers or Speakers()
        return self._speakers.open_output(self._settings)
