"""What is asked of a re-ranker, how long it is waited for, and when it is left alone."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from earshot.errors import SettingsError
from earshot.events import Result
from earshot.parcel import ParcelSettings
from earshot.ranked import Ranked

USUAL = ParcelSettings()
LONGEST_MS = 10_000
ROW = 3  # failures after which nothing is asked for a while
REST_SECONDS, LONGEST_REST = 5.0, 300.0  # the first, and each twice the one before up to that


@dataclass(frozen=True, slots=True)
class AssistSettings:
    """How the re-ranker is asked; in mode assisted only."""

    socket: Path | None = None
    """the Unix socket of the uplink; without it, beside that of the daemon"""
    deadline_ms: int = 150
    """how long what was understood may wait for the re-ranker"""
    least: float = USUAL.least
    """posterior; arcs of a lattice below are not sent"""
    arcs_a_second: float = USUAL.arcs_a_second
    """of audio; no more arcs than these are sent, the likeliest"""
    language: bool = USUAL.language
    """send what the language model of the device says of every word"""
    hide_names: bool = True
    """send words outside the bundle's list, as most names are, as mere numbers"""
    debias: bool = False
    """have what the owner's names added to scores taken away first"""

    @property
    def parcel(self) -> ParcelSettings:
        """How much of a lattice is sent."""
        return ParcelSettings(self.least, self.arcs_a_second, self.language)

    def __post_init__(self) -> None:
        """Raise SettingsError for a deadline that is none."""
        if not 0 < self.deadline_ms <= LONGEST_MS:
            message = f"deadline_ms is {self.deadline_ms}, but must be 1 to {LONGEST_MS}"
            raise SettingsError(message)


@dataclass(frozen=True, slots=True)
class Question:
    """What the re-ranker is asked."""

    utterance: int
    version: int
    result: Result
    seconds: float  # after which nobody waits for the answer


class Asks(Protocol):
    """Who asks the re-ranker."""

    @property
    def open(self) -> bool:
        """Whether it can be asked now."""

    async def ask(self, question: Question) -> list[Ranked]:
        """The paths of the lattice in its order. Raises TimeoutError when late, EarshotError."""


class Nobody:
    """Nobody is there to be asked."""

    open = False

    async def ask(self, question: Question) -> list[Ranked]:
        """Ask in vain."""
        raise NotImplementedError(question)


@dataclass(slots=True)
class AssistTally:
    """What became of questions, since the daemon started."""

    asked: int = 0
    confirmed: int = 0  # the words stayed as they were
    revised: int = 0
    late: int = 0
    failed: int = 0


class Rest:
    """Leaves alone for a while who fails several times in a row."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._row, self._length, self._until = 0, REST_SECONDS, 0.0
        self.reason, self.since = "", 0.0  # of the last rest; seconds since 1970

    @property
    def left(self) -> float:
        """Seconds for which it is still to be left alone."""
        return max(0.0, self._until - self._clock())

    def failed(self, reason: str) -> bool:
        """Take note of a failure; whether a rest begins."""
        self._row += 1
        if self._row < ROW:
            return False
        self._row = ROW - 1  # after the rest, one more is enough
        self.since = time.time()
        self.reason = f"{reason}; it is left alone for {self._length:g} s"
        self._until = self._clock() + self._length
        self._length = min(2 * self._length, LONGEST_REST)
        return True

    def answered(self) -> None:
        """Take note of an answer."""
        self._row, self._length = 0, REST_SECONDS
