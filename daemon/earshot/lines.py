"""Events for people, as one line each, and for programs, as one JSON object each."""

from collections.abc import Iterator

from earshot.events import (
    Alternative,
    AudioDropped,
    Cancelled,
    Command,
    Committed,
    EndPoint,
    Event,
    Explanation,
    Interpretation,
    Lattice,
    LoadChanged,
    ModeChanged,
    Muted,
    Named,
    Partial,
    Result,
    Retracted,
    Revised,
    Slot,
    SourceChanged,
    SpeechStarted,
    Word,
)
from earshot.formatting import Formatted
from earshot.pictures import lattice_object
from earshot.units import seconds


def line(event: Event) -> str:
    """Say what happened in one line: when (seconds of audio), and what."""
    return f"{seconds(event.at):9.2f} s  {_said(event)}"


def _said(event: Event) -> str:  # noqa: C901, PLR0911 - one answer for each kind of event
    match event:
        case SpeechStarted():
            return f"[{event.utterance}] speech started at {seconds(event.start):.2f} s"
        case Partial():
            return f"[{event.utterance}] … " + " ".join(word.text for word in event.words)
        case EndPoint():
            return f"[{event.utterance}.{event.version}] {_ended(event)}"
        case Revised():
            return f"[{event.utterance}.{event.version}] revised: {_understood(event.result)}"
        case Retracted():
            return f"[{event.utterance}.{event.version}] retracted: the speaker went on"
        case Committed():
            return f"[{event.utterance}.{event.version}] committed"
        case Cancelled():
            return f"[{event.utterance}] cancelled: {event.reason}"
        case AudioDropped():
            return f"{seconds(event.samples):.2f} s of audio were lost"
        case SourceChanged():
            return event.description
        case Muted():
            return "muted: the microphone is closed" if event.muted else "unmuted"
        case LoadChanged():
            return f"effort: {event.name} ({event.queue_ms} ms of audio wait)"
        case ModeChanged():
            return f"the mode is {event.mode}"


def _ended(event: EndPoint) -> str:
    numbers = ", ".join(f"{name} {value:g}" for name, value in event.decision.numbers)
    rule = f"{event.decision.rule}: {numbers}" if numbers else event.decision.rule
    return f"{event.kind} end-point ({rule}): {_understood(event.result)}"


def _understood(result: Result) -> str:
    if result.command:
        return command_line(result)
    return f"“{result.text}” ({result.confidence:.0%} sure)"


def command_line(result: Result) -> str:
    """Say which command was meant, and by which words; or that it was none."""
    if result.command is None or not result.command.intent:
        return "no command"
    slots = (f"{name}={value}" for name, value in result.command.slots)
    return " ".join((result.command.intent, *slots, f"“{result.text}”"))


def explanation_lines(result: Result) -> list[str]:
    """Say what part names had in a result, one line a word."""
    return [
        f"  {result.words[one.word].text}: {', '.join(_reasons(one))}"
        for one in result.explanations
    ]


def _reasons(one: Explanation) -> Iterator[str]:
    if one.names:
        yield f"favoured by {one.bias:+.1f} as {_names(one.names)}"
    for rival in one.lost:
        names = _names(rival.names)
        yield f"{rival.text} ({names}, {rival.bias:+.1f}) lost at {rival.posterior:.1%}"


def _names(names: tuple[Named, ...]) -> str:
    return " or ".join(f"{one.kind} “{one.name}”" for one in names)


def explanation_object(one: Explanation) -> dict[str, object]:
    """Say what part names had in a word as a JSON object."""
    lost = [
        {
            "word": rival.text,
            "bias": round(rival.bias, 4),
            "posterior": round(rival.posterior, 4),
            "names": _named_objects(rival.names),
        }
        for rival in one.lost
    ]
    names = _named_objects(one.names)
    return {"word": one.word, "bias": round(one.bias, 4), "names": names, "lost": lost}


def _named_objects(names: tuple[Named, ...]) -> list[dict[str, str]]:
    return [{"kind": one.kind, "name": one.name} for one in names]


def interpretation_lines(found: Interpretation | None, directed: float | None = None) -> list[str]:
    """Say what an utterance means and for whom, in one line, if anything can tell."""
    if found is None:
        return []
    sure = "as written" if found.template else f"{found.confidence:.0%} sure"
    said = ", ".join((f"  means {found.intent} ({sure})", *map(_slot_said, found.slots)))
    return [said + (f"; {directed:.0%} meant for the device" if directed is not None else "")]


def _slot_said(slot: Slot) -> str:
    more = [slot.normal] if slot.normal else []
    more += [_names(slot.names)] if slot.names else []
    return f"{slot.name} “{slot.value}”" + (f" ({', '.join(more)})" if more else "")


def interpretation_object(found: Interpretation) -> dict[str, object]:
    """Say what an utterance means as a JSON object."""
    return {
        "intent": found.intent,
        "confidence": round(found.confidence, 4),
        "slots": [_slot_object(slot) for slot in found.slots],
        "words": list(found.words),
        "template": found.template,
    }


def directed_object(result: Result) -> dict[str, float]:
    """Say how likely it was meant for the device, as part of a JSON object; nothing if untold."""
    return {} if result.directed is None else {"directed": round(result.directed, 4)}


def _slot_object(slot: Slot) -> dict[str, object]:
    normal = {"normal": slot.normal} if slot.normal else {}
    names = {"names": _named_objects(slot.names)} if slot.names else {}
    place = {"first": slot.first, "end": slot.end}
    return {"slot": slot.name, "value": slot.value, **normal, **place, **names}


def command_object(command: Command) -> dict[str, object]:
    """Say a command as a JSON object; the intent of none is null."""
    slots, misfit = dict(command.slots), round(command.misfit, 4)
    return {"intent": command.intent or None, "slots": slots, "misfit": misfit}


def formatted_object(found: Formatted) -> dict[str, object]:
    """Say how words are written as a JSON object: each piece with the words it stands for."""
    pieces = [{"text": one.text, "first": one.first, "end": one.end} for one in found.pieces]
    return {"text": found.text, "pieces": pieces}


def lattice_lines(lattice: Lattice) -> list[str]:
    """Show a lattice as one line an arc: nodes, times, word, posterior."""
    return [
        f"{arc.source:6} → {arc.target:<4} {seconds(arc.start):7.2f}–{seconds(arc.end):.2f} s"
        f"  {arc.posterior:6.1%}  {arc.word}"
        for arc in lattice.arcs
    ]


_NAMES: dict[type, str] = {
    SpeechStarted: "speech_started",
    Partial: "partial",
    EndPoint: "end_point",
    Retracted: "retracted",
    Revised: "revised",
    Committed: "committed",
    Cancelled: "cancelled",
    AudioDropped: "audio_dropped",
    SourceChanged: "source_changed",
    Muted: "muted",
    LoadChanged: "load_changed",
    ModeChanged: "mode_changed",
}
_POSITIONS = ("at", "start", "heard", "end")  # samples, told in seconds
_FACTS = (
    "utterance",
    "version",
    "reset",
    "reason",
    "samples",
    "total",
    "ready",
    "description",
    "muted",
    "level",
    "name",
    "queue_ms",
    "mode",
)


# What `earshot transcribe` tells of an event, beside its words and lattices.
_BRIEF = frozenset({"event", "at", "kind", "rule", "text", *_FACTS} - {"reset", "total"})


def event_object(event: Event, *, lattice: bool = False) -> dict[str, object]:
    """Say an event as a JSON object: its name, its fields, times in seconds of audio."""
    found: dict[str, object] = {"event": _NAMES[type(event)]}
    found |= {key: _time(getattr(event, key)) for key in _POSITIONS if hasattr(event, key)}
    found |= {key: getattr(event, key) for key in _FACTS if hasattr(event, key)}
    if isinstance(event, EndPoint):
        found |= {"kind": str(event.kind), "rule": event.decision.rule}
        found["numbers"] = dict(event.decision.numbers)
    if isinstance(event, Partial):
        found["text"] = " ".join(word.text for word in event.words)
    if isinstance(event, EndPoint | Revised):
        found |= _result_object(event.result)
        if lattice:
            found["lattice"] = lattice_object(event.result.lattice)
    return found


def brief_object(event: Event) -> dict[str, object]:
    """Say an event as a JSON object without its words, alternatives and numbers."""
    return {key: value for key, value in event_object(event).items() if key in _BRIEF}


def _result_object(result: Result) -> dict[str, object]:
    command = {"command": command_object(result.command)} if result.command else {}
    explanations = [explanation_object(one) for one in result.explanations]
    meant = result.interpretation
    return {
        "text": result.text,
        "confidence": round(result.confidence, 4),
        "words": [word_object(word) for word in result.words],
        "nbest": [alternative_object(alternative) for alternative in result.alternatives],
        **command,
        **({"explanations": explanations} if explanations else {}),
        **({"interpretation": interpretation_object(meant)} if meant else {}),
        **directed_object(result),
    }


def alternative_object(alternative: Alternative) -> dict[str, object]:
    """Say a path of an n-best list as a JSON object."""
    return {"text": alternative.text, "score": round(alternative.score, 4)}


def word_object(word: Word) -> dict[str, object]:
    """Say a word as a JSON object; with the phones that were heard, if the lexicon lacks it."""
    times = {"start": _time(word.start), "end": _time(word.end)}
    outside = {"phones": list(word.phones)} if word.phones else {}
    return {"word": word.text, **times, "confidence": round(word.confidence, 4), **outside}


def _time(position: int) -> float:
    return round(seconds(position), 3)
