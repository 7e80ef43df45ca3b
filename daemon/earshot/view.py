"""What there is to see of a daemon at a moment, folded from what comes of it.

Pure, but for the clock that it is given. Texts come from people and their catalogs, so they are
made harmless to a terminal before they are kept.
"""

import re
from collections import deque
from dataclasses import dataclass, field, replace

from earshot.events import (
    Cancelled,
    Committed,
    EndPoint,
    Event,
    Muted,
    Partial,
    Revised,
    SpeechStarted,
)
from earshot.following import Back, Gone, Item
from earshot.looks import Look
from earshot.marks import Mark, marks
from earshot.units import seconds
from earshot.vitals import Vitals

# Characters that move the cursor, colour the rest or turn it round, and those between lines.
_HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
READINGS, MARKS, HEARD = 600, 8, 8  # kept: a minute of readings, decisions, utterances


def harmless(text: str) -> str:
    """Text on one line that does nothing to a terminal but stand there."""
    return _HARMFUL.sub("\N{REPLACEMENT CHARACTER}", text)


@dataclass(frozen=True, slots=True)
class Heard:
    """An utterance that is over."""

    utterance: int
    text: str
    confidence: float  # 0..1; 0 where nothing came of it
    nodes: int  # of its lattice
    arcs: int
    waited: float
    """seconds from the end of speech until it was over"""


@dataclass(frozen=True, slots=True)
class Column:
    """100 ms of audio: what a meter shows of it."""

    peak_db: float
    rms_db: float
    speech: bool
    open: bool  # the gate
    done: float


class Marker:
    """Gives marks of events as they come."""

    def __init__(self) -> None:
        self._said: list[Event] = []  # what decided about the utterance under way

    def accept(self, event: Event) -> list[Mark]:
        """What an event decided."""
        if isinstance(event, SpeechStarted):
            self._said.clear()
        if isinstance(event, Partial) or not hasattr(event, "utterance"):
            return []
        known = len(list(marks(self._said)))
        self._said.append(event)
        return list(marks(self._said))[known:]


@dataclass(slots=True)
class View:
    """Where everything stands."""

    trouble: str = "looking for the daemon"
    """why there is nothing to see; empty: there is"""
    lives: int = 0
    """daemons that were seen, one after another"""
    vitals: Vitals = field(default_factory=Vitals)
    shares: dict[str, float] = field(default_factory=dict)
    """of a core, by the name of a process"""
    muted: bool = False
    partial: str = ""
    columns: deque[Column] = field(default_factory=lambda: deque(maxlen=READINGS))
    marks: deque[Mark] = field(default_factory=lambda: deque(maxlen=MARKS))
    heard: deque[Heard] = field(default_factory=lambda: deque(maxlen=HEARD))
    _marker: Marker = field(default_factory=Marker)
    _said: list[Event] = field(default_factory=list)  # of the utterance under way
    _spent: dict[str, tuple[int, float, float]] = field(default_factory=dict)

    def accept(self, item: Item, now: float) -> None:
        """Take note of something; `now` in seconds of a clock that never goes back."""
        match item:
            case Vitals():
                self._live(item, now)
            case Gone():
                self.trouble = harmless(item.why)
            case Back():
                self._begin()
            case tuple():
                self.columns.append(_column(item))
            case _:
                self._hear(item)

    def _begin(self) -> None:
        """Look at a new daemon: what was under way before is gone."""
        self.trouble, self.partial, self.muted = "", "", False
        self.lives += 1
        self._said.clear()

    def _live(self, found: Vitals, now: float) -> None:
        self.vitals = found
        before, self._spent = self._spent, {}
        for name, one in found.usages.items():
            self._spent[name] = (one.pid, one.cpu_seconds, now)
            pid, spent, then = before.get(name, (0, 0.0, now))
            if pid == one.pid and now > then:
                self.shares[name] = (one.cpu_seconds - spent) / (now - then)
            else:
                self.shares.pop(name, None)

    def _hear(self, event: Event) -> None:
        match event:
            case Muted():
                self.muted = event.muted
            case Partial():
                self.partial = harmless(" ".join(word.text for word in event.words))
            case EndPoint() | Revised():
                self.partial = harmless(event.result.text)
            case SpeechStarted():
                self._said.clear()
        if isinstance(event, Partial) or not hasattr(event, "utterance"):
            return
        self._said.append(event)
        self.marks += [replace(m, text=harmless(m.text)) for m in self._marker.accept(event)]
        if isinstance(event, Committed | Cancelled):
            self.heard.append(_over(self._said, event))
            self.partial = ""
            self._said.clear()


def _over(said: list[Event], last: Committed | Cancelled) -> Heard:
    ends = [event.end for event in said if isinstance(event, EndPoint)]
    waited = seconds(last.at - ends[-1]) if ends else 0.0
    results = [event.result for event in said if isinstance(event, EndPoint | Revised)]
    if isinstance(last, Cancelled) or not results:
        reason = harmless(last.reason) if isinstance(last, Cancelled) else ""
        return Heard(last.utterance, f"({reason})", 0.0, 0, 0, waited)
    found = results[-1]
    size = len(found.lattice.nodes), len(found.lattice.arcs)
    return Heard(last.utterance, harmless(found.text), found.confidence, *size, waited)


def _column(looks: tuple[Look, ...]) -> Column:
    peak, rms = max(one.peak_db for one in looks), max(one.rms_db for one in looks)
    speech, done = any(one.speech for one in looks), max(one.done for one in looks)
    return Column(peak, rms, speech, any(one.utterance for one in looks), done)
