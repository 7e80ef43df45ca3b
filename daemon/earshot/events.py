"""The words of the domain: frozen values that cross borders. Imports nothing of ours.

Positions are absolute counts of samples at 16 kHz since the start of the audio. `at` is how much
audio had been heard when the event was sent. The contract of an utterance:

    SpeechStarted → Partial* → EndPoint(speculative, v1) → Committed(v1)
                                  ├→ Retracted(v1) → Partial* → EndPoint(…, v2) → Committed(v2)
                                  └→ Revised(v2, reset) → Committed(v2)

Every utterance that started ends in exactly one Committed or Cancelled, and the words of the
last end-pointed or revised version are the committed words.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Arc:
    """One word of a lattice. Scores are natural log-probabilities as the search added them up."""

    source: int  # node
    target: int  # node
    word: str
    start: int  # samples
    end: int  # samples
    acoustic: float
    language: float
    bias: float
    posterior: float  # 0..1, by forward-backward
    phones: tuple[str, ...] = ()  # as heard, of a word outside the lexicon; its spelling is a guess


@dataclass(frozen=True, slots=True)
class Lattice:
    """An acyclic graph: node 0 is the one start, the last the one end; arcs sorted by source."""

    nodes: tuple[int, ...]  # the position of each node, samples, never falling along an arc
    arcs: tuple[Arc, ...]


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the best path."""

    text: str
    start: int  # samples
    end: int  # samples
    confidence: float  # 0..1
    phones: tuple[str, ...] = ()  # as heard, of a word outside the lexicon; its spelling is a guess


@dataclass(frozen=True, slots=True)
class Alternative:
    """One path of the n-best list."""

    text: str
    score: float  # natural log-probability of the path


@dataclass(frozen=True, slots=True)
class Command:
    """What an utterance means in a closed set of commands."""

    intent: str  # empty: what was said is none of them
    slots: tuple[tuple[str, str], ...]  # name and value
    misfit: float  # natural log a token; how much likelier other sounds are. 0 fits best


@dataclass(frozen=True, slots=True)
class Named:
    """An entry of the catalog."""

    kind: str
    name: str  # as its owner wrote it


@dataclass(frozen=True, slots=True)
class Rival:
    """A favoured word that was considered and lost."""

    text: str
    bias: float  # natural log
    posterior: float  # 0..1
    names: tuple[Named, ...]  # that it may be of


@dataclass(frozen=True, slots=True)
class Explanation:
    """The part that names of the catalog had in one word."""

    word: int  # its place among the words of the result
    bias: float  # natural log; what names added. 0 where they added nothing
    names: tuple[Named, ...]  # that the word may be of
    lost: tuple[Rival, ...]  # at the same time, likeliest first


@dataclass(frozen=True, slots=True)
class Slot:
    """A part of an interpretation that varies."""

    name: str
    value: str  # as it was said; of a template, what the template makes of it
    normal: str  # the value as it is written, where that tells more: "7:30 AM"; or empty
    first: int  # place of its first word among those of the interpretation
    end: int  # after its last word; equal to first where no words say it
    names: tuple[Named, ...] = ()  # entries of the catalog that are called so


@dataclass(frozen=True, slots=True)
class Interpretation:
    """What an utterance means."""

    intent: str  # "none" where it means nothing to a device
    confidence: float  # 0..1
    slots: tuple[Slot, ...]
    words: tuple[str, ...]  # that it is of: those of the result, or of another path of the lattice
    template: bool = False  # by a sentence template of the owner, not by the model


@dataclass(frozen=True, slots=True)
class Result:
    """What was understood of an utterance: the lattice and the views of it."""

    words: tuple[Word, ...]
    confidence: float  # 0..1
    alternatives: tuple[Alternative, ...]  # best first
    lattice: Lattice
    command: Command | None = None  # where commands are listened for
    explanations: tuple[Explanation, ...] = ()  # of the words in which names had a part
    interpretation: Interpretation | None = None  # where the bundle or templates can tell
    directed: float | None = None  # 0..1, how likely it is meant for the device, where that is told

    @property
    def text(self) -> str:
        """The words of the best path."""
        return " ".join(word.text for word in self.words)


class EndPointKind(StrEnum):
    """How sure an end-pointer is."""

    SPECULATIVE = "speculative"
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class Decision:
    """Which rule ended the utterance, with the numbers it looked at."""

    rule: str
    numbers: tuple[tuple[str, float], ...]  # name and value; times in milliseconds


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech began at `start`."""

    at: int
    utterance: int
    start: int


@dataclass(frozen=True, slots=True)
class Partial:
    """The words so far; they may still change."""

    at: int
    utterance: int
    words: tuple[Word, ...]
    heard: int  # the partial holds the audio up to here


@dataclass(frozen=True, slots=True)
class EndPoint:
    """The speaker seems to be done (speculative) or is done (final)."""

    at: int
    utterance: int
    version: int
    kind: EndPointKind
    decision: Decision
    end: int  # where speech ended
    result: Result


@dataclass(frozen=True, slots=True)
class Retracted:
    """The speaker went on: undo what was begun on `version`."""

    at: int
    utterance: int
    version: int


@dataclass(frozen=True, slots=True)
class Revised:
    """Another result replaces the version before; with `reset`, begin anew from this one."""

    at: int
    utterance: int
    version: int
    reset: bool
    result: Result


@dataclass(frozen=True, slots=True)
class Committed:
    """`version` stands."""

    at: int
    utterance: int
    version: int
    decision: Decision | None = None  # of the final end-pointer


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Nothing came of the utterance."""

    at: int
    utterance: int
    reason: str


@dataclass(frozen=True, slots=True)
class AudioDropped:
    """Audio was lost between the source and the recogniser."""

    at: int
    samples: int  # this time
    total: int  # since the source was opened


@dataclass(frozen=True, slots=True)
class SourceChanged:
    """The source went away or came back."""

    at: int
    ready: bool
    description: str


@dataclass(frozen=True, slots=True)
class Muted:
    """The owner closed the microphone, or opened it again."""

    at: int
    muted: bool


class Mode(StrEnum):
    """What may leave the device."""

    LOCAL_ONLY = "local-only"  # nothing
    ASSISTED = "assisted"  # lattices, to a re-ranker


@dataclass(frozen=True, slots=True)
class ModeChanged:
    """The owner decided anew what may leave the device."""

    at: int
    mode: Mode


@dataclass(frozen=True, slots=True)
class LoadChanged:
    """From here on the recogniser spends less effort, for it fell behind, or more again."""

    at: int
    level: int  # 0: all effort
    name: str  # of the level
    queue_ms: int  # for how long the oldest audio had been waiting to be recognised


Event = (
    SpeechStarted
    | Partial
    | EndPoint
    | Retracted
    | Revised
    | Committed
    | Cancelled
    | AudioDropped
    | SourceChanged
    | Muted
    | LoadChanged
    | ModeChanged
)
