"""One stream through the end-pointers of a bundle and through all that they are compared with."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from earshot.asked import Ends, Preset
from earshot.endpointers import EndPointSettings, Glance
from earshot.engine import Engine
from earshot.sources import Chunk
from earshot.transcriber import transcribe
from earshot.units import seconds

from models.ended import (
    Outcome,
    Speculated,
    courses,
    delays,
    lost,
    outcome,
    speculated,
    wasted,
)
from models.evaluate import engine_of
from models.replay import ENDLESS, Clocks, replayed
from models.rivals import FINAL, rivals, sweeps
from models.streams import Kit, Stream, Take
from models.texts import words_of

PRESETS = [str(one) for one in Preset]
WORKS = (100, 400)  # ms, of work that begins at the end
POINT = "{} @ {:g}".format  # of a sweep


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a stream."""

    condition: str
    corpus: str
    longest_pause: float  # ms
    seconds: float
    cpu_seconds: float
    outcomes: dict[str, Outcome]
    speculated: Speculated
    delays: tuple[tuple[float, float] | None, ...]  # of each of WORKS
    wasted: tuple[float, ...]
    lost: frozenset[int]
    words: int


@dataclass(frozen=True, slots=True)
class Way:
    """What a process hears with."""

    kit: Path
    bundle: Path
    alignments: Path | None
    preset: str


@cache
def kit_of(kit: Path, split: str = "test", alignments: Path | None = None) -> Kit:
    """A split of a kit, read once a process."""
    return Kit(kit, split, alignments)


def settings_of(engine: Engine, preset: str) -> EndPointSettings:
    """The end-pointers of a preset."""
    return engine.ending(Ends(Preset(preset))).tuning.endpoint


def with_ends(engine: Engine, endpoint: EndPointSettings) -> Engine:
    """The engine with such end-pointers."""
    return engine.tuned(replace(engine.tuning, endpoint=endpoint))


def glances_of(stream: Stream, engine: Engine) -> tuple[list[Glance], list[str]]:
    """Hear a stream without end-pointers: every glance at it, and its words."""
    glances = list[Glance]()
    recogniser = with_ends(engine, ENDLESS).recogniser(watch=glances.append)
    found = transcribe([Chunk(0, stream.samples)], recogniser)
    return glances, words_of(found.text)


def hear(take: Take, way: Way) -> Trial:
    """Hear one stream in all ways."""
    stream, engine = kit_of(way.kit, alignments=way.alignments).make(take), engine_of(way.bundle)
    settings = settings_of(engine, way.preset)
    glances, whole = glances_of(stream, engine)
    clocks = Clocks.of(glances)
    recogniser = with_ends(engine, settings).recogniser()
    found = transcribe([Chunk(0, stream.samples)], recogniser)
    course = courses(found.events)
    tried = rivals(settings) | {
        POINT(name, threshold): sweep.at(threshold)
        for name, sweep in sweeps(settings).items()
        for threshold in sweep.thresholds
    }
    outcomes = {FINAL: outcome(stream, [one.segment for one in course])}
    for name, replay in tried.items():
        outcomes[name] = outcome(stream, replayed(clocks, replay))
    return Trial(
        stream.condition, stream.corpus, stream.longest_pause, seconds(len(stream.samples)),
        found.cpu_seconds, outcomes, speculated(stream, course),
        tuple(delays(stream, course, work) for work in WORKS),
        tuple(wasted(course, work) for work in WORKS),
        frozenset(lost(stream.words, whole, words_of(found.text))), len(stream.words),
    )  # fmt: skip
