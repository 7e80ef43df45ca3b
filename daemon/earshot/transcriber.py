"""Whole recordings through the recogniser: for `earshot transcribe`, evaluation and benchmarks."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import accumulate

from earshot.events import EndPoint, Event, Result, Revised, Word
from earshot.formatting import Formatted, formatted, joined
from earshot.lines import (
    alternative_object,
    brief_object,
    command_object,
    explanation_object,
    word_object,
)
from earshot.paths import joined_alternatives
from earshot.recogniser import Recogniser
from earshot.sources import Chunk
from earshot.units import seconds


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
    def words(self) -> list[Word]:
        """The words of all utterances."""
        return [word for result in self.results for word in result.words]

    @property
    def formatted(self) -> Formatted:
        """The words as people write them, each utterance by itself."""
        return joined(formatted([word.text for word in result.words]) for result in self.results)

    @property
    def commands(self) -> list[Result]:
        """Utterances that were heard as commands, or as none."""
        return [result for result in self.results if result.command]

    @property
    def confidence(self) -> float:
        """Mean over the words, 0 where there are none."""
        words = [word.confidence for word in self.words]
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


def _command(result: Result) -> dict[str, object]:
    command = command_object(result.command) if result.command else {}
    return {**command, "text": result.text}


def explained_objects(transcript: Transcript) -> list[dict[str, object]]:
    """Say what part names had in the words of all utterances, which are counted on."""
    firsts = accumulate((len(result.words) for result in transcript.results), initial=0)
    return [
        explanation_object(replace(one, word=first + one.word))
        for first, result in zip(firsts, transcript.results, strict=False)
        for one in result.explanations
    ]


def as_object(path: str, transcript: Transcript, bundle: str, *, events: bool) -> dict[str, object]:
    """Say what was heard in a recording as a JSON object; seconds from its start."""
    spoken = [result for result in transcript.results if result.words]
    best = joined_alternatives([result.alternatives for result in spoken])
    found: dict[str, object] = {
        "path": path,
        "text": transcript.text,
        "confidence": round(transcript.confidence, 4),
        "words": [word_object(word) for word in transcript.words],
        "nbest": [alternative_object(alternative) for alternative in best],
        "audio_seconds": round(seconds(transcript.samples), 3),
        "cpu_seconds": round(transcript.cpu_seconds, 4),
        "bundle": bundle,
    }
    if transcript.commands:
        found["commands"] = [_command(result) for result in transcript.commands]
    if events:
        found["events"] = [brief_object(event) for event in transcript.events]
    return found
