"""How the source of the audio is."""

from dataclasses import dataclass
from enum import Enum


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


@dataclass(frozen=True, slots=True)
class SourceState:
    """What is listened to, and how that goes."""

    description: str
    condition: Condition = Condition.OPENING
    muted: bool = False

    @property
    def ready(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.muted or self.condition.ready

    @property
    def known(self) -> bool:
        """Whether there is anything to say of it."""
        return self.muted or self.condition is not Condition.OPENING
