"""What comes of a daemon as messages for a page: JSON objects, told apart by their "type".

Times are in seconds. Words stay what was said; the page shows them as text.
"""

from collections.abc import Mapping
from pathlib import Path

from earshot.events import EndPoint, Event, Partial, Result, Revised
from earshot.following import Back, Gone, Item
from earshot.generated.v1 import status_pb2
from earshot.lines import event_object, interpretation_lines, word_object
from earshot.looks import Look
from earshot.pictures import kind
from earshot.units import seconds
from earshot.vad import Gate
from earshot.view import Marker
from earshot.vitals import DAEMON, Vitals

Message = Mapping[str, object]
NOTHING = "none"  # the intent of what means nothing to a device
LIKELY = 0.5  # confidence of a meaning that is worth a line
_drawn = kind(Path("lattice.svg"))


class Teller:
    """Tells the items of one daemon after another, in their order."""

    def __init__(self) -> None:
        self._marker = Marker()
        self._spent: tuple[int, float] = (0, 0.0)

    def tell(self, item: Item) -> Message:
        """Say an item as a message."""
        match item:
            case Vitals():
                return _status(item)
            case Gone():
                return {"type": "gone", "why": item.why}
            case Back():
                self._marker = Marker()
                return {"type": "back"}
            case tuple():
                return {"type": "reading", "looks": [_look(one) for one in item]}
            case _:
                return self._event(item)

    def _event(self, event: Event) -> Message:
        found = {"type": "event", **event_object(event), "marks": self._marks(event)}
        if isinstance(event, Partial):
            found["words"] = [word_object(word) for word in event.words]
        if isinstance(event, EndPoint | Revised):
            found |= _result(event.result)
        return found

    def _marks(self, event: Event) -> list[Message]:
        new = self._marker.accept(event)
        return [{"at": seconds(one.at), "kind": one.kind, "text": one.text} for one in new]


def _result(result: Result) -> Message:
    size = f"{len(result.lattice.nodes)} nodes, {len(result.lattice.arcs)} arcs"
    found = result.interpretation
    likely = found and found.intent != NOTHING and found.confidence >= LIKELY
    sure = found if found and (found.template or likely) else None
    meant = " ".join(interpretation_lines(sure, result.directed)).strip()
    facts = f"{result.confidence:.0%} sure, lattice of {size}"
    return {"facts": facts, "meaning": meant, "svg": _drawn([result.lattice])}


def _look(one: Look) -> list[float | bool]:
    levels = round(one.peak_db, 1), round(one.rms_db, 1)
    gate = one.gate in {Gate.SPEAKING, Gate.STOPPING} or bool(one.utterance)
    return [seconds(one.at), *levels, one.speech, gate, round(one.done, 3)]


def _status(found: Vitals) -> Message:
    """How it stands: each fact with whether something is wrong."""
    status = found.status
    if status is None:
        return {"type": "status", "about": "", "facts": []}
    facts = [("muted", True)] if status.muted else []
    facts += [("ready", False) if status.ready else ("not ready", True)]
    local = status.mode == status_pb2.MODE_LOCAL_ONLY
    facts += [("local-only" if local else "assisted", False)]
    if status.sandbox != status_pb2.SANDBOX_ENFORCED:
        facts += [("no sandbox", True)]
    if status.load.level:
        facts += [(f"saves effort: {status.load.name}", True)]
    if lost := status.counters.dropped_samples:
        facts += [(f"{seconds(lost):.1f} s of audio lost", True)]
    if own := found.usages.get(DAEMON):
        facts += [(f"{own.resident_bytes / (1 << 20):.0f} MiB", False)]
    bundle = f"{status.bundle.name} {status.bundle.version}"
    return {"type": "status", "about": f"{bundle} · {status.source}", "facts": facts}
