"""When the speaker is done: rules as a table (after Kaldi's online-endpoint), in two kinds.

The table is a disjunction of conjunctions: an utterance ends when every condition of any one row
holds. Rows of the *speculative* kind seem to see the end, early, and may be taken back; rows of the
*final* kind are sure. Clocks count in audio time: *silence*, since the voice-activity detector last
heard speech, and *pause*, since the recogniser's best hypothesis took its last token. Silence alone
is fooled by music and television, a pause alone by speech that the network does not understand. A
bundle may bring networks that listen for the end (earshot.ending): then there is *still*, since
they last heard the speaker, and *over*, how probable it was in the last 1.5 s that he is done.
What they hear, the clocks and whether the words make a sentence are fused to one probability. The
first row that holds decides and is named in the event, with the numbers it saw.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

from earshot.events import Decision, EndPointKind


@dataclass(frozen=True, slots=True)
class EndPointSettings:
    """Limits of the rules, times in milliseconds of audio. A bundle brings its own, measured ones.

    The probabilities are above 1, so never reached, where a bundle has no end-pointing network.
    """

    done: float = 2.0
    """probability that the speaker is done, from which that is sure"""
    done_ms: int = 160
    """stillness that this takes at least"""
    likely: float = 2.0
    """probability from which it is announced, speculatively"""
    likely_ms: int = 100
    """stillness that this takes at least"""
    others: float = 2.0
    """how probable it has been for 1.5 s that it is over, though words come: of others, then"""
    short_pause_ms: int = 360
    """silence and pause after words from which the end is announced, speculatively"""
    pause_ms: int = 560
    """silence and pause after words that end an utterance"""
    long_pause_ms: int = 1_400
    """pause after words that ends it even if the detector goes on hearing something"""
    long_still_ms: int = 0
    """stillness that this takes at least: who draws out what he spells is not done"""
    breath_ms: int = 240
    """a pause this short ends it once `long_ms` are over, so that dictation is cut between words"""
    long_ms: int = 15_000
    """length from which a breath is enough"""
    longest_ms: int = 30_000
    """length at which it ends in any case"""
    nothing_ms: int = 1_500
    """silence, or stillness, after which speech without words is given up"""
    deaf_ms: int = 3_000
    """pause after which it is given up whatever goes on: nothing of that is understood"""
    speculations: int = 3
    """how often an end may be announced in one utterance; 0: never"""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What tells of the end beside the clocks. Natural logs."""

    final: float = 0.0
    """odds of silence after the last word against all else, as the network hears it"""
    speech: float = 0.0
    """odds of speech against silence, as the network hears it"""
    still_ms: float = 0.0
    """for how long it has heard no speech"""
    over: float = 0.0
    """how probable silence after the last word was to it in the last 1.5 s"""
    complete: float = 0.0
    """language score of the sentence's end after the best words; -inf inside a word"""
    cadence: float = 0.0
    """odds that the last words were said as those at an end are; 0 before that is known"""


@dataclass(frozen=True, slots=True)
class Fusion:
    """Weights of a logistic regression over evidence and pause (after Maas et al., 2018).

    In the order of `features`; times count in seconds.
    """

    bias: float = 0.0
    final: float = 0.0
    speech: float = 0.0
    complete: float = 0.0
    cadence: float = 0.0
    inside: float = 0.0
    """of being inside a word"""
    pause: float = 0.0
    still: float = 0.0
    over: float = 0.0
    fits: float = 0.0
    """of `still` times `complete`"""

    def probability(self, evidence: Evidence, pause_ms: float) -> float:
        """Whether the speaker is done, after such a pause."""
        if evidence.still_ms < STILL_MS:
            return 0.0
        weights = (getattr(self, one.name) for one in fields(self))
        odds = sum(w * x for w, x in zip(weights, features(evidence, pause_ms), strict=True))
        return 1 / (1 + math.exp(-max(-MOST, min(MOST, odds))))


def features(evidence: Evidence, pause_ms: float) -> tuple[float, ...]:
    """What is weighed."""
    e, inside = evidence, not math.isfinite(evidence.complete)
    complete = LEAST if inside else max(e.complete, LEAST)
    pause, still = (min(ms, LONGEST) / 1_000 for ms in (pause_ms, e.still_ms))
    heard = 1.0, e.final, e.speech, complete, e.cadence, float(inside)
    return *heard, pause, still, e.over, still * complete


STILL_MS = 60  # between sounds there is as much
LEAST = -12.0  # natural log; a sentence's end is not counted as less likely than this
LONGEST = 2_000.0  # ms; times count as no longer than this
MOST = 30.0  # natural log of odds


@dataclass(frozen=True, slots=True)
class Glance:
    """Where an utterance stands, every 20 ms. Times in milliseconds of audio."""

    at: int
    """samples heard"""
    words: int
    speech: bool
    """what the voice-activity detector says of the last frame"""
    silence_ms: float
    pause_ms: float
    length_ms: float
    probability: float = 0.0
    """that the speaker is done; 0 where nothing tells"""
    evidence: Evidence | None = None
    """what that is made of, beside the pause"""

    @property
    def still_ms(self) -> float:
        """For how long the networks have not heard the speaker; 0 without any."""
        return self.evidence.still_ms if self.evidence else 0.0

    @property
    def over(self) -> float:
        """How probable the end was to them in the last 1.5 s; 0 without any."""
        return self.evidence.over if self.evidence else 0.0


@dataclass(frozen=True, slots=True)
class Rule:
    """Ends an utterance when every condition holds; 0 asks for nothing. Times in milliseconds."""

    name: str
    kind: EndPointKind = EndPointKind.FINAL
    after_words: bool = True
    probability: float = 0
    still: float = 0
    over: float = 0
    silence: float = 0
    pause: float = 0
    length: float = 0

    def met_by(self, glance: Glance) -> bool:
        """Whether all conditions hold."""
        return (
            (glance.words > 0 or not self.after_words)
            and glance.probability >= self.probability
            and glance.still_ms >= self.still
            and glance.over >= self.over
            and glance.silence_ms >= self.silence
            and glance.pause_ms >= self.pause
            and glance.length_ms >= self.length
        )


def rules(settings: EndPointSettings) -> tuple[Rule, ...]:
    """The table, first to last; final rows before speculative ones."""
    s, early = settings, EndPointKind.SPECULATIVE
    return (
        Rule("done", probability=s.done, still=s.done_ms),
        Rule("pause", silence=s.pause_ms, pause=s.pause_ms),
        Rule("long pause", pause=s.long_pause_ms, still=s.long_still_ms),
        Rule("others speak", over=s.others),
        Rule("breath", silence=s.breath_ms, pause=s.breath_ms, length=s.long_ms),
        Rule("nothing was said", after_words=False, silence=s.nothing_ms),
        Rule("nobody speaks", after_words=False, still=s.nothing_ms),
        Rule("nothing is understood", after_words=False, pause=s.deaf_ms),
        Rule("too long", after_words=False, length=s.longest_ms),
        Rule("likely done", early, probability=s.likely, still=s.likely_ms),
        Rule("short pause", early, silence=s.short_pause_ms, pause=s.short_pause_ms),
    )


def decide(glance: Glance, table: Sequence[Rule]) -> tuple[EndPointKind, Decision] | None:
    """The kind of the first rule that is met, and the numbers it looked at."""
    for rule in table:
        if rule.met_by(glance):
            return rule.kind, explain(rule.name, glance)
    return None


def explain(rule: str, glance: Glance) -> Decision:
    """A decision by a named rule."""
    g = glance
    numbers = (
        ("words", float(g.words)),
        ("silence_ms", g.silence_ms),
        ("pause_ms", g.pause_ms),
        ("length_ms", g.length_ms),
        ("still_ms", g.still_ms),
        ("over", g.over),
        ("probability", g.probability),
    )
    return Decision(rule, numbers)
