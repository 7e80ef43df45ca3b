"""Whether speech is meant for the device: how it was heard and what it says, as one probability.

Commands are short, clear and mean something; what people read or tell each other is long, harder to
hear, and means nothing to a device. A logistic regression weighs a few numbers of each kind
(`models.directed` trains it, and says what each kind is worth alone). A client that sees whether
somebody looks at the device may say so: its hint joins as one more log-odds.
"""

import math
from dataclasses import astuple, dataclass, field

import numpy as np

from earshot.cues import Paths, bag
from earshot.errors import SettingsError
from earshot.events import Interpretation, Result
from earshot.nlu import NONE, TALK, Nlu
from earshot.paths import score
from earshot.units import seconds

LEAST = 1e-5  # probability that goes into a logarithm
DOUBT = 0.02  # a hint is never surer than this
UNKNOWN = 0.5


@dataclass(frozen=True, slots=True)
class Traits:
    """What is looked at, or how much each counts. Logs are natural."""

    unsure: float = 0.0
    """entropy of the paths of the lattice, a word"""
    confidence: float = 0.0
    """log-odds of the words as a whole"""
    worst: float = 0.0
    """log of the least confidence of a word"""
    width: float = 0.0
    """log of the arcs of the lattice, a word"""
    language: float = 0.0
    """language score of the best path, a word"""
    words: float = 0.0
    """log of the count of words"""
    pace: float = 0.0
    """words a second"""
    meant: float = 0.0
    """log-odds that the words mean something to a device"""
    talk: float = 0.0
    """log-odds that they are read or told"""
    filled: float = 0.0
    """share of the words that fill slots"""


GROUPS = {
    "decoder": ("unsure", "confidence", "worst", "width", "language"),
    "length": ("words", "pace"),
    "text": ("meant", "talk", "filled"),
}


@dataclass(frozen=True, slots=True)
class DirectedSettings:
    """How traits are weighed; all adds up as log-odds."""

    bias: float | None = None
    """what is so without any trait; without it nothing is told"""
    weights: Traits = field(default_factory=Traits)
    """how much each trait counts"""
    hint: float = 1.0
    """weight of what a client sees"""
    attention: float = UNKNOWN
    """what it sees: 0 nobody looks at the device, 1 somebody does"""

    def __post_init__(self) -> None:
        """Raise SettingsError for a hint that is no probability."""
        if not 0 <= self.attention <= 1:
            message = f"attention is {self.attention:g}, but must be 0 to 1"
            raise SettingsError(message)


def odds(chance: float, least: float = LEAST) -> float:
    """Log-odds of a probability that is never quite sure."""
    kept = min(max(chance, least), 1 - least)
    return math.log(kept / (1 - kept))


def traits(found: Result, meaning: Interpretation | None, nlu: Nlu) -> Traits:
    """Look at a result that has words."""
    lattice, count = found.lattice, len(found.words)
    entropy = -sum(arc.posterior * score(arc) for arc in lattice.arcs)
    texts = {(word.text, word.start): word for word in found.words}
    best = [arc.language for arc in lattice.arcs if (arc.word, arc.start) in texts]
    chance = dict(
        zip(nlu.intents, np.exp(nlu.chances(bag(Paths.of_lattice(lattice)))), strict=True)
    )
    talk = float(chance.get(TALK, 0.0))
    slots = meaning.slots if meaning else ()
    spoken = seconds(found.words[-1].end - found.words[0].start)
    return Traits(
        unsure=entropy / count,
        confidence=odds(found.confidence),
        worst=math.log(max(LEAST, min(word.confidence for word in found.words))),
        width=math.log(max(1, len(lattice.arcs)) / count),
        language=sum(best) / max(1, len(best)),
        words=math.log(count),
        pace=count / max(spoken, 0.1),
        meant=-odds(float(chance[NONE]) + talk),
        talk=odds(talk),
        filled=sum(slot.end - slot.first for slot in slots) / count,
    )


def directed(
    found: Result, meaning: Interpretation | None, nlu: Nlu | None, settings: DirectedSettings
) -> float | None:
    """How likely an utterance is meant for the device; None where nothing can tell.

    What a sentence template of the owner accepts is at least as likely as it was heard so.
    """
    if settings.bias is None or nlu is None or not found.words:
        return None
    weights, seen = settings.weights, traits(found, meaning, nlu)
    total = settings.bias + settings.hint * odds(settings.attention, DOUBT)
    total += sum(w * value for w, value in zip(astuple(weights), astuple(seen), strict=True))
    likely = 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))
    return max(likely, meaning.confidence) if meaning and meaning.template else likely
