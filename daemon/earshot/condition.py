"""How the source of the audio is, and the way to the re-ranker."""

from dataclasses import dataclass
from enum import Enum, StrEnum


class Condition(Enum):
    """How the source is."""

    OPENING = "opening"
    HEARING = "hearing"
    AWAY = "away"
    ENDED = "ended"  # a recording that was heard to its end: nothing is wrong

    @property
    def ready(self) -> bool:
        """Whether there is nothing to wait for."""
        return self in {Condition.HEARING, Condition.ENDED}


class Echo(StrEnum):
    """What happens to the echo of what earshot's own player plays."""

    OFF = "off"
    WAITING = "waiting"  # for something to be played, and heard
    ACTIVE = "active"


class UplinkState(StrEnum):
    """Whether lattices can be ranked anew."""

    OFF = "off"  # the mode is local-only
    ABSENT = "absent"  # no uplink answers
    UNREACHABLE = "unreachable"  # it cannot reach the re-ranker
    RESTING = "resting"  # the re-ranker failed several times in a row
    READY = "ready"


@dataclass(frozen=True, slots=True)
class SourceState:
    """What is listened to, and how that goes."""

    description: str
    condition: Condition = Condition.OPENING
    muted: bool = False
    echoless: bool = False
    """whether an echo is taken out of it where there is one"""
    cleaned: bool = False
    """whether there was one in what was heard last"""

    @property
    def echo(self) -> Echo:
        """What happens to the echo of what is played."""
        if not self.echoless:
            return Echo.OFF
        return Echo.ACTIVE if self.cleaned else Echo.WAITING

    @property
    def ready(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.muted or self.condition.ready

    @property
    def known(self) -> bool:
        """Whether there is anything to say of it."""
        return self.muted or self.condition is not Condition.OPENING
