"""When the speaker is done: rules as a table (after Kaldi's online-endpoint).

The table is a disjunction of conjunctions: an utterance ends when every condition of any one row
holds. Two clocks count, both in audio time: *silence*, since the voice-activity detector last heard
speech, and *pause*, since the recogniser's best hypothesis took its last token. Silence alone is
fooled by music and television, a pause alone by speech that the network does not understand, so
rows ask for both or for much of one. The first row that holds decides and is named in the event,
with the numbers it saw.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from earshot.events import Decision


@dataclass(frozen=True, slots=True)
class EndPointSettings:
    """Times of the rules, in milliseconds of audio. A bundle may bring its own, measured ones."""

    pause_ms: int = 560
    """silence and pause after words that end an utterance"""
    long_pause_ms: int = 1_400
    """pause after words that ends it even if the detector goes on hearing something"""
    breath_ms: int = 240
    """a pause this short ends it once `long_ms` are over, so that dictation is cut between words"""
    long_ms: int = 15_000
    """length from which a breath is enough"""
    longest_ms: int = 30_000
    """length at which it ends in any case"""
    nothing_ms: int = 1_500
    """silence after which speech without words is given up"""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an utterance stands. Times in milliseconds of audio."""

    words: int
    silence: float
    pause: float
    length: float


@dataclass(frozen=True, slots=True)
class Rule:
    """Ends an utterance when every condition holds; 0 asks for nothing. Times in milliseconds."""

    name: str
    after_words: bool = True
    silence: float = 0
    pause: float = 0
    length: float = 0

    def met_by(self, progress: Progress) -> bool:
        """Whether all conditions hold."""
        return (
            (progress.words > 0 or not self.after_words)
            and progress.silence >= self.silence
            and progress.pause >= self.pause
            and progress.length >= self.length
        )


def rules(settings: EndPointSettings) -> tuple[Rule, ...]:
    """The table, first to last."""
    s = settings
    return (
        Rule("pause", silence=s.pause_ms, pause=s.pause_ms),
        Rule("long pause", pause=s.long_pause_ms),
        Rule("breath", silence=s.breath_ms, pause=s.breath_ms, length=s.long_ms),
        Rule("nothing was said", after_words=False, silence=s.nothing_ms),
        Rule("too long", after_words=False, length=s.longest_ms),
    )


def decide(progress: Progress, table: Sequence[Rule]) -> Decision | None:
    """The first rule that is met, with the numbers it looked at."""
    for rule in table:
        if rule.met_by(progress):
            return explain(rule.name, progress)
    return None


def explain(rule: str, progress: Progress) -> Decision:
    """A decision by a named rule."""
    p = progress
    numbers = (
        ("words", float(p.words)),
        ("silence_ms", p.silence),
        ("pause_ms", p.pause),
        ("length_ms", p.length),
    )
    return Decision(rule, numbers)
