"""Whole recordings through the recogniser: what `earshot transcribe`, evaluation and benchmarks share."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from earshot.events import (
    AudioDropped,
    Cancelled,
    Committed,
    EndPoint,
    Event,
    Partial,
    Result,
    Retracted,
    Revised,
    SourceChanged,
    SpeechStarted,
)
from earshot.lattice import joined_alternatives
from earshot.recogniser import Recogniser
from earshot.sources import Chunk
from earshot.units import SAMPLE_RATE, seconds


@dataclass(slots=True)
class Transcript:
    """What was heard in one recording."""

    results: list[Result] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    samples: int = 0
    cpu_seconds: float = 0.0

    @property
    def text(self) -> str:
        """The texts of all utterances."""
        return " ".join(result.text for result in self.results if result.words)

    @property
    def confidence(self) -> float:
        """Mean over the words, 0 where there are none."""
        words = [word.confidence for result in self.results for word in result.words]
        return sum(words) / len(words) if words else 0.0


def transcribe(source: Iterable[Chunk | Event], recogniser: Recogniser) -> Transcript:
    """Hear a source to its end. Raises what the source raises."""
    transcript, began = Transcript(), time.process_time()
    for item in source:
        if isinstance(item, Chunk):
            transcript.samples += len(item.samples)
            _note(transcript, recogniser.accept(item.samples))
        else:
            transcript.events.append(item)
    _note(transcript, recogniser.finish())
    transcript.cpu_seconds = time.process_time() - began
    return transcript


def _note(transcript: Transcript, events: list[Event]) -> None:
    """Keep events, and of each utterance the last result."""
    for event in events:
        transcript.events.append(event)
        if isinstance(event, EndPoint) and event.version == 1:
            transcript.results.append(event.result)
        elif isinstance(event, EndPoint | Revised):
            transcript.results[-1] = event.result


def as_object(path: str, transcript: Transcript, bundle: str, *, events: bool) -> dict[str, object]:
    """The JSON object of one recording; seconds from its start."""
    words = [
        {
            "word": word.text,
            "start": round(seconds(word.start), 3),
            "end": round(seconds(word.end), 3),
            "confidence": round(word.confidence, 4),
        }
        for result in transcript.results
        for word in result.words
    ]
    best = joined_alternatives([r.alternatives for r in transcript.results if r.words])
    found: dict[str, object] = {
        "path": path,
        "text": transcript.text,
        "confidence": round(transcript.confidence, 4),
        "words": words,
        "nbest": [{"text": a.text, "score": round(a.score, 4)} for a in best],
        "audio_seconds": round(transcript.samples / SAMPLE_RATE, 3),
        "cpu_seconds": round(transcript.cpu_seconds, 4),
        "bundle": bundle,
    }
    if events:
        found["events"] = [event_object(event) for event in transcript.events]
    return found


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
}

_FIELDS: dict[str, Callable[[Event], object]] = {
    "utterance": lambda e: getattr(e, "utterance", None),
    "version": lambda e: getattr(e, "version", None),
    "kind": lambda e: str(e.kind) if isinstance(e, EndPoint) else None,
    "rule": lambda e: e.decision.rule if isinstance(e, EndPoint) else None,
    "text": lambda e: text_of(e),
    "reason": lambda e: getattr(e, "reason", None),
    "samples": lambda e: getattr(e, "samples", None),
    "ready": lambda e: getattr(e, "ready", None),
    "description": lambda e: getattr(e, "description", None),
}


def text_of(event: Event) -> str | None:
    """The words an event carries."""
    if isinstance(event, Partial):
        return " ".join(word.text for word in event.words)
    return event.result.text if isinstance(event, EndPoint | Revised) else None


def event_object(event: Event) -> dict[str, object]:
    """An event as a JSON object: its name, when it was sent (seconds of audio), and what it has."""
    found = {"event": _NAMES[type(event)], "at": round(seconds(event.at), 3)}
    given = ((name, of(event)) for name, of in _FIELDS.items())
    return {**found, **{name: value for name, value in given if value is not None}}
