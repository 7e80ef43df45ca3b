"""What became of a stream whose end of speech is known: ended when, cut off, or never.

Latency counts from the true end of speech to the event. Times are milliseconds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from earshot.events import (
    Cancelled,
    Committed,
    EndPoint,
    EndPointKind,
    Event,
    Result,
    Retracted,
    Revised,
    SpeechStarted,
)
from earshot.units import SAMPLES_PER_MS, samples

from models.replay import Segment
from models.score import aligned
from models.streams import Stream
from models.texts import words_of

LIMIT_MS = 4_000  # what has not ended so long after the speech never ends
OVER = "end of audio"  # the rule that is no end-pointer's
Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of a stream and an end-pointer."""

    latency: float | None
    """until the utterance with the end of speech was committed; None where that was not"""
    cut: bool
    """something was committed while the speaker was not done"""
    never: bool


def outcome(stream: Stream, segments: Sequence[Segment]) -> Outcome:
    """What end-pointing made of a stream."""
    inside = [one for one in segments if one.begin < stream.end]
    cut = any(one.heard and stream.start < (one.end or stream.end) < stream.end for one in inside)
    over = [one for one in inside if one.end is None or one.end >= stream.end]
    if not over:
        return Outcome(None, cut, never=False)
    last, limit = over[0], stream.end + samples(LIMIT_MS)
    if last.end is None or last.end > limit:
        return Outcome(None, cut, never=len(stream.samples) >= limit)
    return Outcome(_ms(last.end - stream.end) if last.heard else None, cut, never=False)


@dataclass(slots=True)
class Version:
    """What was announced of an utterance, and when that was undone."""

    at: int
    kind: EndPointKind
    words: Words
    undone: int | None = None


@dataclass(slots=True)
class Course:
    """An utterance, as its events tell it."""

    begin: int
    versions: list[Version] = field(default_factory=list)
    end: int | None = None
    heard: bool = False
    over: bool = False
    """the end of the audio ended it"""
    retracted: int = 0
    revised: int = 0

    @property
    def segment(self) -> Segment:
        """From where to where it went."""
        return Segment(self.begin, None if self.over else self.end, self.heard)

    @property
    def words(self) -> Words:
        """That were committed."""
        return self.versions[-1].words if self.heard else ()

    @property
    def speculations(self) -> list[Version]:
        """What was announced before it was sure."""
        return [one for one in self.versions if one.kind is EndPointKind.SPECULATIVE]


def courses(events: Iterable[Event]) -> list[Course]:
    """The utterances of a stream."""
    found = list[Course]()
    for event in events:
        if isinstance(event, SpeechStarted):
            found.append(Course(event.start))
        elif isinstance(event, EndPoint):
            found[-1].versions.append(Version(event.at, event.kind, _words(event.result)))
            found[-1].over |= event.kind is EndPointKind.FINAL and event.decision.rule == OVER
        elif isinstance(event, Retracted):
            found[-1].versions[-1].undone = event.at
            found[-1].retracted += 1
        elif isinstance(event, Revised):
            found[-1].versions[-1].undone = event.at
            found[-1].versions.append(Version(event.at, EndPointKind.FINAL, _words(event.result)))
            found[-1].revised += 1
        elif isinstance(event, Committed | Cancelled):
            found[-1].end, found[-1].heard = event.at, isinstance(event, Committed)
            found[-1].over |= _rule(event) == OVER
    return found


def _rule(event: Committed | Cancelled) -> str:
    if isinstance(event, Cancelled):
        return event.reason
    return event.decision.rule if event.decision else ""


def _words(found: Result) -> Words:
    return tuple(words_of(found.text))


@dataclass(frozen=True, slots=True)
class Speculated:
    """What a speculative end-pointer did to a stream."""

    latency: float | None
    """of the version that was committed, when it was announced"""
    cut: bool
    """something was announced, or sure, while the speaker was not done"""
    utterances: int
    first_right: int
    """utterances whose first speculation had the words that were committed"""
    ahead: int
    """utterances that were announced before they were sure"""
    announced: int
    stood: int
    """announced versions that were neither taken back nor revised"""
    retracted: int
    revised: int


def speculated(stream: Stream, every: Sequence[Course]) -> Speculated:
    """Count what was announced while the stream's speaker was heard."""
    ours = [one for one in every if stream.start < (one.end or 0) and one.begin < stream.end]
    first = [one.speculations[0].words == one.words for one in ours if one.speculations]
    announced = [version for one in ours for version in one.speculations]
    last = committed(stream, ours)
    return Speculated(
        _ms(last.versions[-1].at - stream.end) if last else None,
        any(stream.start < v.at < stream.end for one in ours for v in one.versions),
        len(ours), sum(first), len(first), len(announced),
        sum(one.undone is None for one in announced),
        sum(one.retracted for one in ours), sum(one.revised for one in ours),
    )  # fmt: skip


def committed(stream: Stream, every: Sequence[Course]) -> Course | None:
    """The utterance with the end of speech, if an end-pointer ended it in time."""
    for one in every:
        if one.begin < stream.end <= (one.end or 0):
            known = outcome(stream, [one.segment]).latency is not None
            return one if known and one.versions else None
    return None


def delays(stream: Stream, every: Sequence[Course], work: float) -> tuple[float, float] | None:
    """From the end of speech to the result of so much work that begins at each announcement.

    Without speculation, and with it.
    """
    last = committed(stream, every)
    if last is None or last.end is None:
        return None
    final, began = _ms(last.end - stream.end), _ms(last.versions[-1].at - stream.end)
    return final + work, max(final, began + work)


def wasted(every: Sequence[Course], work: float) -> float:
    """Milliseconds of such work that were begun and undone."""
    versions = (version for one in every for version in one.versions)
    spans = (_ms(one.undone - one.at) for one in versions if one.undone is not None)
    return sum(min(span, work) for span in spans)


def lost(said: Sequence[str], whole: Sequence[str], given: Sequence[str]) -> set[int]:
    """Numbers of the words said that are understood as a whole, but not with end-points."""
    return right(said, whole) - right(said, given)


def right(said: Sequence[str], given: Sequence[str]) -> set[int]:
    """Numbers of the words said that were understood."""
    pairs = [(want, got) for want, got in aligned(said, given)[::-1] if want]
    return {number for number, (want, got) in enumerate(pairs) if want == got}


def _ms(count: int) -> float:
    return count / SAMPLES_PER_MS
