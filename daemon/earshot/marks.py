"""What was decided about utterances, as marks on an axis of time. Positions are samples."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from earshot.events import (
    Cancelled,
    Committed,
    Decision,
    EndPoint,
    EndPointKind,
    Event,
    Retracted,
    Revised,
    SpeechStarted,
)

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that was decided."""

    at: int
    kind: str  # early, sure or undone
    text: str
    numbers: str = ""


def marks(events: Iterable[Event]) -> Iterator[Mark]:
    """What was decided, in its order."""
    rule: Decision | None = None
    for event in events:
        match event:
            case EndPoint(kind=EndPointKind.SPECULATIVE):
                told = f"announced v{event.version}: {event.decision.rule}"
                yield Mark(event.at, "early", told, _numbers(event.decision))
            case EndPoint():
                rule = event.decision
            case Retracted():
                yield Mark(event.at, "undone", f"took v{event.version} back")
            case Revised():
                yield Mark(event.at, "undone", f"v{event.version} instead: {event.result.text}")
            case Committed():
                decision = event.decision or rule
                told = f"committed v{event.version}" + (f": {decision.rule}" if decision else "")
                yield Mark(event.at, "sure", told, _numbers(decision) if decision else "")
            case Cancelled():
                yield Mark(event.at, "undone", f"cancelled: {event.reason}")


def _numbers(decision: Decision) -> str:
    return "\n".join(f"{name} {value:.4g}" for name, value in decision.numbers)


def utterances(events: Iterable[Event]) -> Iterator[Span]:
    """From where to where each went."""
    start = 0
    for event in events:
        if isinstance(event, SpeechStarted):
            start = event.start
        elif isinstance(event, Committed | Cancelled):
            yield start, event.at


def rows(spans: Iterable[tuple[float, float]]) -> list[int]:
    """The row of each label from x to x, so that none touches another; as few rows as can be."""
    ends, found = list[float](), list[int]()
    for start, end in spans:
        row = next((i for i, taken in enumerate(ends) if taken <= start), len(ends))
        ends[row : row + 1] = [end]
        found.append(row)
    return found
