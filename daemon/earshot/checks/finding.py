"""What one look found, and what a look may know."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from earshot.config import Settings
from earshot.errors import EarshotError
from earshot.generated.v1.status_pb2 import GetStatusResponse


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found; `mend` says what to do, and is empty where nothing is wrong."""

    what: str
    found: str
    mend: str = ""
    needed: bool = True

    @property
    def state(self) -> str:
        """How bad it is."""
        if not self.mend:
            return "ok"
        return "TROUBLE" if self.needed else "note"


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at: an earshot with these settings, which may be running."""

    place: Path  # of the socket
    settings: Settings = field(default_factory=Settings)
    answer: GetStatusResponse | None = None  # of the daemon there, if one runs
    silence: str = ""  # why it does not answer

    @property
    def hears(self) -> bool:
        """Whether the daemon holds a microphone, which nobody may take from it."""
        answer = self.answer
        return bool(answer and answer.ready and answer.source.startswith("microphone"))


Check = Callable[[Patient], Finding | None]
"""Gives None where there is nothing to say, or where another check says it."""


def tried(what: str, look: Callable[[], str], mend: str, *, needed: bool = True) -> Finding:
    """Give what a look found, or its error and the mend."""
    try:
        return Finding(what, look())
    except EarshotError as error:
        return Finding(what, str(error), mend, needed)
