"""Lattices of the dev recordings, kept once heard; and the paths that re-ranking chooses among.

Whatever weights a path is scored with, only few paths of a lattice can win. Those that do with some
of SCALES are its candidates, each with the parts of its score, so that weights can be tried on all
recordings in no time.
"""

import pickle
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
from earshot.bundle import find
from earshot.engine import Engine
from earshot.entries import Entry
from earshot.events import Arc, Lattice
from earshot.generated.v1.rescoring_pb2 import RescoreRequest
from earshot.neural import NeuralModel
from earshot.parcel import Opened, ParcelSettings, pack, unpack
from earshot.rescoring import NO_ARC, NO_ROW, Plan, RescoringSettings, ordered, planned
from earshot.sources import AudioFile
from earshot.transcriber import transcribe
from earshot.word_list import WordList

from models.bias import TOGETHER, Clip, grouped, named, strangers
from models.evaluate import engine_of, spaced, tasks
from models.lattices import oracle
from models.score import edits

Floats = npt.NDArray[np.float32]
SCALES = (0.1, 0.2, 0.35, 0.5, 0.8)
EACH = 64  # candidates in the device's own order, which come first
FEW = 16  # by each scale and kind of text
NAMED = "named"
CATALOG = 100  # names
PARTS = ("device", "bias", "words", "names", "common")  # and the model's


@dataclass(frozen=True, slots=True)
class Recording:
    """What was said, and the lattices of what was heard, an utterance each."""

    path: str
    text: str
    lattices: tuple[Lattice, ...]
    best: str
    """words of the device"""
    seconds: float


def hear(clip: Clip, engine: Engine) -> Recording:
    """Hear a recording as the daemon does."""
    found = transcribe(AudioFile(clip.path), engine.recogniser())
    spoken = [result for result in found.results if result.words]
    lattices, length = tuple(r.lattice for r in spoken), found.samples / 16_000
    return Recording(clip.path.name, clip.text, lattices, found.text, length)


def _hear(clip: Clip, bundle: Path, names: Sequence[Entry]) -> Recording:
    global _named  # noqa: PLW0603 - one engine a process
    if _named is None or _named[0] != names:
        engine = engine_of(bundle)
        _named = names, engine.naming(names)[0] if names else engine
    return hear(clip, _named[1])


_named: tuple[Sequence[Entry], Engine] | None = None


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where recordings come from, and where what was heard is kept."""

    kit: Path
    named: Path | None
    """folder of models.named"""
    bundle: str
    kept: Path
    count: int
    """recordings a set; 0 for all"""
    jobs: int


def recordings(shelf: Shelf, corpus: str) -> list[Recording]:
    """The dev recordings of a corpus, or the commands with names; heard once for each bundle."""
    folder = find(shelf.bundle)
    label = engine_of(folder).bundle.label.replace(" ", "-")
    path = shelf.kept / f"{corpus}-{label}-{shelf.count}.pickle"
    if not path.exists():
        found = list[Recording]()
        for clips, names in _groups(shelf, corpus):
            work = partial(_hear, bundle=folder, names=names)
            with ProcessPoolExecutor(shelf.jobs) as pool:
                found += pool.map(work, clips, chunksize=4)
        path.write_bytes(pickle.dumps(found))
    loaded: list[Recording] = pickle.loads(path.read_bytes())  # noqa: S301 - our own
    return loaded


def _groups(shelf: Shelf, corpus: str) -> Iterator[tuple[list[Clip], list[Entry]]]:
    """Recordings, and the catalog they are heard with."""
    if corpus != NAMED:
        found = tasks(shelf.kit, corpus, shelf.count)
        yield [Clip(task.path, task.text) for task in found], []
    elif shelf.named:
        clips = spaced(named(shelf.named), shelf.count)
        others = strangers(shelf.kit, clips, CATALOG)
        yield from grouped(clips, CATALOG, TOGETHER["gain", CATALOG], others)


@dataclass(frozen=True, slots=True)
class Candidates:
    """The paths of an utterance that may win, with the parts of their scores."""

    words: tuple[tuple[str, ...], ...]
    parts: Floats  # [paths, PARTS]
    likeliest: Floats  # [paths] the model's, of the kind that has most
    listed: int
    """how many of them are the device's own list, which comes first"""


@dataclass(frozen=True, slots=True)
class Ready:
    """An utterance, ready to be ranked by any weights."""

    plan: Plan
    asked: Floats
    candidates: Candidates
    bytes: int
    """of the request"""
    arcs: int


def ready(lattice: Lattice, model: NeuralModel, words: WordList, sent: ParcelSettings) -> Ready:
    """Send a lattice there, and ask the model."""
    parcel = pack(lattice, words, sent).parcel
    opened = unpack(parcel, model.words)
    plan = planned(opened, model, RescoringSettings())
    asked = model.score(*plan.asked())
    request = RescoreRequest(parcel=parcel, n_best=1)
    found = _candidates(plan, asked)
    return Ready(plan, asked, found, request.ByteSize(), len(opened.arcs))


def _candidates(plan: Plan, asked: Floats) -> Candidates:
    found: dict[tuple[str, ...], tuple[list[float], Floats]] = {}
    listed = 0
    for scale, kind in ((0.0, 0), *product(SCALES, range(len(asked)))):
        settings = RescoringSettings(neural=scale, name=scale)
        for path in ordered(plan, asked[kind : kind + 1], settings, FEW if listed else EACH):
            words = tuple(plan.opened.arcs[i].word for i in path.arcs)
            if words not in found:
                found[words] = _parts(plan, asked, path.arcs)
        listed = listed or len(found)
    parts, neural = (np.array(some, np.float32) for some in zip(*found.values(), strict=True))
    return Candidates(tuple(found), parts, neural.max(1), listed)


def _parts(plan: Plan, asked: Floats, way: Sequence[int]) -> tuple[list[float], Floats]:
    """Parts of the score of a path, and the model's [kinds]: by its steps from state to state."""
    opened, steps = plan.opened, _steps(plan)
    names = common = 0.0
    state, places = 0, list[int]()
    for arc in (*way, NO_ARC):
        target, place, usual = steps[state, arc]
        common += usual
        if place == NO_ROW:
            names += opened.arcs[arc].language or 0.0
        else:
            places.append(place)
        state = target
    device = sum(opened.arcs[i].score for i in way)
    bias = sum(opened.arcs[i].bias for i in way)
    return [device, bias, len(way), names, common], asked[:, places].sum(1)


def _steps(plan: Plan) -> dict[tuple[int, int], tuple[int, int, float]]:
    """State and arc -> the next state, the place of what was asked or NO_ROW, how common it is."""
    found, place = {}, 0
    for edge in plan.edges:
        asked = place if edge.row != NO_ROW else NO_ROW
        found[edge.source, edge.arc] = edge.target, asked, edge.common
        place += edge.row != NO_ROW
    return found


@dataclass(frozen=True, slots=True)
class Sample:
    """A recording whose utterances are ready."""

    recording: Recording
    utterances: tuple[Ready, ...]
    counted: dict[tuple[int, ...], int] = field(default_factory=dict)
    """errors of candidates that were asked for before"""

    @property
    def wanted(self) -> list[str]:
        """Words that were said."""
        return self.recording.text.split()

    def errors(self, texts: Sequence[Sequence[str]]) -> int:
        """Errors of words of all utterances."""
        return edits(self.wanted, [word for text in texts for word in text])

    def errors_of(self, picks: tuple[int, ...]) -> int:
        """Errors of a candidate of each utterance."""
        if picks not in self.counted:
            pairs = zip(self.utterances, picks, strict=True)
            self.counted[picks] = self.errors([one.candidates.words[i] for one, i in pairs])
        return self.counted[picks]

    def nearest(self) -> tuple[int, int]:
        """Errors of the nearest path of the device's lattices, and of what was sent of them."""
        whole = joined(self.recording.lattices)
        sent = joined([_as_lattice(one.plan.opened) for one in self.utterances])
        return oracle(whole, self.wanted), oracle(sent, self.wanted)


def _as_lattice(opened: Opened) -> Lattice:
    """For counting errors: no times, no scores."""
    return Lattice(tuple([0] * opened.nodes), opened.arcs)  # type: ignore[arg-type]


def joined(lattices: Sequence[Lattice]) -> Lattice | None:
    """Lattices one after the other as one."""
    arcs, nodes = list[Arc](), 1
    for lattice in lattices:
        first = nodes - 1
        arcs += (
            Arc(a.source + first, a.target + first, a.word, 0, 0, 0.0, 0.0, 0.0, 0.0)
            for a in lattice.arcs
        )
        nodes += len(lattice.nodes) - 1
    return Lattice(tuple([0] * nodes), tuple(arcs)) if arcs else None
