"""Interpretations as messages of the API and back."""

from collections.abc import Iterable

from earshot import events as ev
from earshot.generated.v1 import events_pb2 as pb


def named(one: ev.Named) -> pb.Named:
    """An entry of the catalog as a message."""
    return pb.Named(kind=one.kind, name=one.name)


def names_back(names: Iterable[pb.Named]) -> tuple[ev.Named, ...]:
    """Entries of the catalog from messages."""
    return tuple(ev.Named(one.kind, one.name) for one in names)


def interpretation_message(found: ev.Interpretation | None) -> pb.Interpretation | None:
    """An interpretation as a message."""
    if found is None:
        return None
    return pb.Interpretation(
        intent=found.intent,
        confidence=found.confidence,
        slots=map(_slot, found.slots),
        words=found.words,
        template=found.template,
    )


def interpretation_back(message: pb.Interpretation) -> ev.Interpretation:
    """An interpretation from a message."""
    slots = tuple(
        ev.Slot(one.name, one.value, one.normal, one.first, one.end, names_back(one.names))
        for one in message.slots
    )
    return ev.Interpretation(
        message.intent, message.confidence, slots, tuple(message.words), message.template
    )


def _slot(one: ev.Slot) -> pb.FilledSlot:
    return pb.FilledSlot(
        name=one.name,
        value=one.value,
        normal=one.normal,
        first=one.first,
        end=one.end,
        names=map(named, one.names),
    )
