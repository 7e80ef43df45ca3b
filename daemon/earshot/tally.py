"""What happened since the daemon started, counted: in all streams of audio together.

No word and no name is counted, so none can get into a metric.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from earshot.events import (
    AudioDropped,
    Cancelled,
    Committed,
    EndPoint,
    EndPointKind,
    Event,
    SpeechStarted,
)
from earshot.units import seconds

# From a tenth of what is worth a number to more than anybody waits; seconds.
ENDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0)
DELAYS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)


@dataclass(slots=True)
class Histogram:
    """How often a number fell between which bounds: the last place counts what is above all."""

    bounds: Sequence[float]
    counts: list[int] = field(init=False)
    total: float = 0.0
    """sum of all numbers"""

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def add(self, number: float) -> None:
        """Count a number; one on a bound counts as below it."""
        self.counts[bisect_left(self.bounds, number)] += 1
        self.total += number


@dataclass(slots=True)
class Tally:
    """The counts."""

    utterances: int = 0
    committed: int = 0
    cancelled: int = 0
    dropped: int = 0  # samples
    announced: Histogram = field(default_factory=lambda: Histogram(ENDS))
    """from the end of speech to a speculative end-point; seconds"""
    ended: Histogram = field(default_factory=lambda: Histogram(ENDS))
    """from the end of speech to the commit; seconds"""
    delayed: Histogram = field(default_factory=lambda: Histogram(DELAYS))
    """from the arrival of audio of the source until it was recognised; seconds"""

    def stream(self) -> Callable[[Event], None]:
        """Begin to count the events of one stream of audio."""
        speech_end = 0  # of the version that stands

        def note(event: Event) -> None:
            nonlocal speech_end
            if isinstance(event, EndPoint):
                speech_end = event.end
            self._note(event, seconds(event.at - speech_end))

        return note

    def _note(self, event: Event, waited: float) -> None:
        match event:
            case SpeechStarted():
                self.utterances += 1
            case EndPoint(kind=EndPointKind.SPECULATIVE):
                self.announced.add(waited)
            case Committed():
                self.committed += 1
                self.ended.add(waited)
            case Cancelled():
                self.cancelled += 1
            case AudioDropped():
                self.dropped += event.samples
