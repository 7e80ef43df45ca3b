"""Two end-pointers, one voice: what is announced, taken back and committed of an utterance.

    EndPoint(speculative, v1) → Committed(v1)
       └→ Retracted(v1) → …          the speaker went on
       └→ Revised(v2) → Committed(v2)   done, but it was other words

The contract of earshot.events, as a table. Pure: signs and results in, events out.
"""

from enum import Enum

from earshot.events import (
    Cancelled,
    Committed,
    Decision,
    EndPoint,
    EndPointKind,
    Event,
    Result,
    Retracted,
    Revised,
)


class Stand(Enum):
    """States of an utterance."""

    LISTENING = "listening"
    ANNOUNCED = "announced"


class Sign(Enum):
    """What is seen of the speaker in a frame."""

    NOTHING = "nothing"
    WENT_ON = "went on"
    SEEMS_DONE = "seems done"
    DONE = "done"


class Act(Enum):
    """What is to be done about it."""

    WAIT = "wait"
    ANNOUNCE = "announce"
    RETRACT = "retract"
    END = "end"


TABLE = {
    (Stand.LISTENING, Sign.NOTHING): Act.WAIT,
    (Stand.LISTENING, Sign.WENT_ON): Act.WAIT,
    (Stand.LISTENING, Sign.SEEMS_DONE): Act.ANNOUNCE,
    (Stand.LISTENING, Sign.DONE): Act.END,
    (Stand.ANNOUNCED, Sign.NOTHING): Act.WAIT,
    (Stand.ANNOUNCED, Sign.WENT_ON): Act.RETRACT,
    (Stand.ANNOUNCED, Sign.SEEMS_DONE): Act.WAIT,
    (Stand.ANNOUNCED, Sign.DONE): Act.END,
}


class Arbiter:
    """Keeps the contract of one utterance."""

    def __init__(self, utterance: int, speculations: int) -> None:
        """`speculations`: how often an end may be announced."""
        self._utterance, self._left = utterance, speculations
        self._version = 0  # the last that was announced
        self._standing: Result | None = None  # what was announced and not taken back

    @property
    def stand(self) -> Stand:
        """Whether an announced version stands."""
        return Stand.LISTENING if self._standing is None else Stand.ANNOUNCED

    def act(self, sign: Sign) -> Act:
        """What to do; an end that may not be announced any more is waited for."""
        act = TABLE[self.stand, sign]
        return Act.WAIT if act is Act.ANNOUNCE and not self._left else act

    def announce(self, at: int, decision: Decision, end: int, found: Result) -> list[Event]:
        """Announce what would be committed now; nothing where nothing was understood."""
        if not heard(found):
            return []
        self._left -= 1
        return [self._ended(at, EndPointKind.SPECULATIVE, decision, end, found)]

    def retract(self, at: int) -> list[Event]:
        """Take the announced version back."""
        self._standing = None
        return [Retracted(at, self._utterance, self._version)]

    def end(self, at: int, decision: Decision, end: int, found: Result) -> list[Event]:
        """Commit what was understood; say first if it is not what was announced."""
        announced = self._standing
        if not heard(found):
            taken_back = [] if announced is None else self.retract(at)
            return [*taken_back, Cancelled(at, self._utterance, decision.rule)]
        events: list[Event] = []
        if announced is None:
            events = [self._ended(at, EndPointKind.FINAL, decision, end, found)]
        elif meaning(announced) != meaning(found):
            self._version += 1
            events = [Revised(at, self._utterance, self._version, reset=True, result=found)]
        return [*events, Committed(at, self._utterance, self._version, decision)]

    def _ended(
        self, at: int, kind: EndPointKind, decision: Decision, end: int, found: Result
    ) -> EndPoint:
        self._version, self._standing = self._version + 1, found
        return EndPoint(at, self._utterance, self._version, kind, decision, end, found)


def heard(found: Result) -> bool:
    """Whether anything was understood."""
    return bool(found.words) or found.command is not None


def meaning(found: Result) -> object:
    """What must not change between an announced version and the committed one."""
    command = found.command
    meant = (command.intent, command.slots) if command else None
    return [word.text for word in found.words], meant
