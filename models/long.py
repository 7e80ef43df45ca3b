"""Many recordings as one stream through one recogniser: what is lost of words, memory, events.

Recordings stand one after the other with pauses of low noise between, as in an evening with the
daemon. What comes out is given back to the recordings by the time of each word, and compared with
what the same samples give when each is heard alone. A word said is *unheard* where the middle of
its alignment lies in no utterance: the gate lost it, not the network or the search.
"""

import os
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from earshot.engine import Engine
from earshot.events import Cancelled, Committed, EndPoint, Event, SpeechStarted, Word
from earshot.session import Recognises
from earshot.sources import Chunk
from earshot.transcriber import transcribe
from earshot.units import FEATURE_HOP, SAMPLE_RATE, seconds

from models.corpus import Recording, Samples, read, recordings
from models.evaluate import Heard, Task, counted, kinds, tasks
from models.paired import difference
from models.texts import words_of

PAUSES = (0.4, 2.5)  # seconds between recordings, from a breath to another thought
NOISE = 10 ** (-62 / 20)  # of full scale, in the pauses
PIECE = SAMPLE_RATE // 10  # samples at a time, as a microphone gives them
SETTLED = 120 * SAMPLE_RATE  # from here on, memory must not grow
PAGE = os.sysconf("SC_PAGE_SIZE") / 2**20  # MiB
MARGIN = SAMPLE_RATE // 4  # a word may end a little behind its recording
Span = tuple[int, int]  # first sample and the one behind the last


@dataclass(slots=True)
class Course:
    """What a stream gave, without what would grow with it."""

    words: list[Word] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    """how often each rule ended an utterance"""
    breaches: list[str] = field(default_factory=list)
    """of the contract of an utterance, in words"""
    memory: list[tuple[int, float]] = field(default_factory=list)
    """position, MiB of the process"""


def memory() -> float:
    """MiB that the process has in memory now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE


def joined(parts: Sequence[Samples], dice: random.Random) -> tuple[Samples, list[Span]]:
    """All parts as one stream of samples [N], and where each lies in it."""
    noise = np.random.default_rng(dice.getrandbits(32))
    pieces, spans, at = list[Samples](), list[Span](), 0
    for part in parts:
        size = round(dice.uniform(*PAUSES) * SAMPLE_RATE)
        pieces += [noise.normal(0, NOISE, size).astype(np.float32), part]
        spans.append((at + size, at + size + len(part)))
        at = spans[-1][1]
    return np.concatenate(pieces), spans


def hear(recogniser: Recognises, stream: Samples) -> Course:
    """Hear a stream piece by piece."""
    course = Course()
    follow = _Contract(course)
    for at in range(0, len(stream), PIECE):
        follow.add(recogniser.accept(stream[at : at + PIECE]))
        if at % (60 * SAMPLE_RATE) == 0:
            course.memory.append((at, memory()))
    follow.add(recogniser.finish())
    course.memory.append((len(stream), memory()))
    follow.close()
    return course


class _Contract:
    """Follows utterances from their start to exactly one end."""

    def __init__(self, course: Course) -> None:
        self._course, self._at, self._number = course, 0, 0
        self._start: int | None = None
        self._result: tuple[Word, ...] = ()

    def add(self, events: Iterable[Event]) -> None:
        """Take what the recogniser said."""
        for event in events:
            self._expect(event.at >= self._at, event, "goes back in time")
            self._at = event.at
            if isinstance(event, SpeechStarted):
                self._expect(self._start is None, event, "while another is open")
                self._expect(event.utterance == self._number + 1, event, "is not the next one")
                self._number, self._start, self._result = event.utterance, event.start, ()
                continue
            self._expect(self._start is not None, event, "outside of an utterance")
            if isinstance(event, EndPoint):
                self._result = event.result.words
                self._course.ends[event.decision.rule] += 1
            elif isinstance(event, Committed | Cancelled):
                self._end(event)

    def _end(self, event: Committed | Cancelled) -> None:
        if isinstance(event, Cancelled):
            self._course.ends[event.reason] += 1
        else:
            self._course.words += self._result
        self._course.spans.append((self._start or 0, event.at))
        self._start = None

    def close(self) -> None:
        """The stream is over."""
        if self._start is not None:
            self._course.breaches.append(f"utterance {self._number} has no end")

    def _expect(self, holds: bool, event: Event, message: str) -> None:  # noqa: FBT001 - a condition
        if not holds:
            self._course.breaches.append(f"{type(event).__name__} at {event.at} {message}")


def attributed(words: Iterable[Word], spans: Sequence[Span]) -> list[list[str]]:
    """Words by the recording in whose time they lie, or the one before."""
    borders = np.array([start for start, _ in spans]) - MARGIN
    found: list[list[str]] = [[] for _ in spans]
    for word in words:
        place = int(np.searchsorted(borders, (word.start + word.end) // 2, "right")) - 1
        found[max(place, 0)] += words_of(word.text)
    return found


def unheard(one: Recording, begin: int, spans: Sequence[Span]) -> int:
    """How many words of a recording that begins at this sample lie in no utterance."""
    lost = 0
    for number in np.unique(one.word):
        of = np.flatnonzero(one.word == number)
        middle = begin + int(one.start[of[0]] + one.end[of[-1]]) * FEATURE_HOP // 2
        lost += not any(first <= middle < end for first, end in spans)
    return lost


def spans_of(events: Sequence[Event]) -> list[Span]:
    """From where to where utterances went."""
    start = {event.utterance: event.start for event in events if isinstance(event, SpeechStarted)}
    ends = (event for event in events if isinstance(event, Committed | Cancelled))
    return [(start[event.utterance], event.at) for event in ends]


def aligned(kit: Path, corpus: str) -> list[tuple[Task, Recording]]:
    """Dev recordings of a corpus whose alignment is known, with it."""
    known = {one.path: one for one in recordings(kit, [corpus], "dev")}
    every = tasks(kit, corpus, 0, phones=True)
    return [(task, known[task.path]) for task in every if task.path in known]


def chosen(kit: Path, corpus: str, minutes: float) -> Iterator[tuple[Task, Recording, Samples]]:
    """Aligned dev recordings of a corpus, shuffled, for so many minutes."""
    every = aligned(kit, corpus)
    random.Random(corpus).shuffle(every)
    left = minutes * 60 * SAMPLE_RATE
    for task, one in every:
        samples = read(task.path)
        left -= len(samples) + sum(PAUSES) / 2 * SAMPLE_RATE
        if left < 0:
            return
        yield task, one, samples


def measure(kit: Path, engine: Engine, minutes: float, corpus: str) -> dict[str, object]:
    """Hear recordings in one stream and each alone. Raises SystemExit where the kit has none."""
    every = list(chosen(kit, corpus, minutes))
    if not every:
        message = f"{kit}: no aligned dev recordings of {corpus} for {minutes} minutes"
        raise SystemExit(message)
    stream, spans = joined([samples for _, _, samples in every], random.Random(0))
    course = hear(engine.recogniser(), stream)
    alone = [
        counted(task, transcribe([Chunk(0, samples)], engine.recogniser()))
        for task, _, samples in every
    ]
    given = attributed(course.words, spans)
    lost = [
        unheard(one, span[0], course.spans) for (_, one, _), span in zip(every, spans, strict=True)
    ]
    return {"minutes": round(seconds(len(stream)) / 60, 2), **_figures(course, given, alone, lost)}


def _figures(
    course: Course, given: list[list[str]], alone: list[Heard], lost: list[int]
) -> dict[str, object]:
    every = [kinds(one.wanted.split(), words) for one, words in zip(alone, given, strict=True)]
    wrong, said = [sum(one) for one in every], [one.words for one in alone]
    total = sum(said)
    settled = [used for at, used in course.memory if at >= SETTLED] or [course.memory[-1][1]]
    return {
        "recordings": len(alone),
        "words": total,
        "wer": round(100 * sum(wrong) / total, 2),
        "wer_alone": round(100 * sum(one.errors for one in alone) / total, 2),
        "difference": difference(wrong, [one.errors for one in alone], said),
        "deleted": round(100 * sum(one[1] for one in every) / total, 2),
        "deleted_alone": round(100 * sum(one.deleted for one in alone) / total, 2),
        "unheard_words": sum(lost),
        "silent_recordings": sum(not words for words in given),
        "silent_alone": sum(not one.given for one in alone),
        "utterances": len(course.spans),
        "ends": dict(course.ends),
        "breaches": course.breaches,
        "memory_growth_mib": round(max(settled) - settled[0], 1),
    }
