"""What all streams together know of the load: the governor, fed by the pace of each."""

import logging
import time
from collections.abc import Callable

from earshot.effort import EFFORTS, Effort
from earshot.governor import Load, LoadSettings, Seen, governed
from earshot.pace import Pace

logger = logging.getLogger(__name__)
USUAL = LoadSettings()
LIMIT_MS = 5_000  # of audio that is kept, where no feed says how much


class Governor:
    """Belongs to one event loop; all streams of it are recognised on one thread."""

    def __init__(
        self,
        settings: LoadSettings = USUAL,
        limit_ms: int = LIMIT_MS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`limit_ms` of audio is kept before some is lost; `clock` counts seconds."""
        self._settings, self._limit, self._clock = settings, limit_ms, clock
        self._load, self._at = Load(), clock()
        self.nice = settings.nice
        """niceness of the thread that recognises"""
        self._paces: set[Pace] = set()
        self.queue_ms = 0.0
        """for how long the oldest audio to be recognised had been waiting, at the last look"""
        self.changes = 0
        """of the level, since the start"""

    @property
    def level(self) -> int:
        """0: all effort is spent."""
        return self._load.level

    @property
    def effort(self) -> Effort:
        """How much is spent."""
        return EFFORTS[self.level]

    @property
    def share(self) -> float:
        """Of real time, that recognition took of late."""
        return self._load.share

    def pace(self, *, live: bool) -> Pace:
        """Follow one more stream."""
        pace = Pace(live=live, clock=self._clock)
        self._paces.add(pace)
        return pace

    def leave(self, pace: Pace) -> None:
        """Follow a stream no longer."""
        self._paces.discard(pace)

    def look(self) -> None:
        """See whether there is too much to do, or room for more."""
        now, paced = self._clock(), [pace for pace in self._paces if pace.paced and pace.busy]
        self.queue_ms = max((pace.queue_ms for pace in paced), default=0.0)
        share = max((pace.share for pace in paced), default=0.0)
        before, self._at = self._at, now
        seen = Seen(self.queue_ms, share, 1_000 * (now - before))
        was, self._load = self.level, governed(self._load, seen, self._limit, self._settings)
        if self.level == was:
            return
        self.changes += 1
        logger.info(
            "effort: %s (level %d; %.0f ms of audio wait, recognition takes %.2f of real time)",
            self.effort.name, self.level, self.queue_ms, share,
        )  # fmt: skip
