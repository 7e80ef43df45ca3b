"""The objective of tuning: settings in, mean WER over the dev sets and cost of the search out.

Gate and encoder hear each recording once, and what the encoder gives is kept, so a setting of the
search costs only the search.
"""

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from earshot.attention import Encodes
from earshot.encoder import Frames, State
from earshot.engine import Engine
from earshot.events import Result
from earshot.lattice import build, result
from earshot.search import Search, SearchSettings
from earshot.sources import AudioFile
from earshot.transcriber import transcribe
from earshot.units import seconds
from earshot.vad import VadSettings

from models.evaluate import SETS, Task, engine_of, spaced, tasks
from models.score import edits
from models.texts import words_of

WORDS = 700  # of a corpus; long sentences tell as much in fewer recordings
SHOWN = ("lm_scale", "ilm_scale", "word_bonus", "nothing", "beam", "width", "extend_width")
Figures = tuple[float, float]  # objective in percent, CPU seconds of the search a second of audio


class Kept:
    """An encoder that keeps what it gives: a list of chunks for each utterance."""

    def __init__(self, encoder: Encodes) -> None:
        self._encoder = encoder
        self.window, self.shift = encoder.window, encoder.shift
        self.utterances: list[list[Frames]] = []

    def start(self) -> State:
        """The state before any audio; another utterance begins."""
        self.utterances.append([])
        return self._encoder.start()

    def step(self, window: Frames, state: State) -> tuple[Frames, State]:
        """As the encoder's."""
        encoded, state = self._encoder.step(window, state)
        self.utterances[-1].append(encoded)
        return encoded, state


@dataclass(frozen=True, slots=True)
class Encoded:
    """One recording behind gate and encoder: its words and the chunks of each utterance."""

    corpus: str
    words: list[str]
    utterances: list[list[Frames]]
    seconds: float


def encode(task: tuple[str, Task], bundle: Path, vad: VadSettings) -> Encoded:
    """Hear one recording of a corpus as the recogniser cuts it into utterances."""
    engine = engine_of(bundle)
    kept = Kept(engine.parts.encoder)
    parts = replace(engine.parts, encoder=kept)
    changed = replace(engine, parts=parts, tuning=replace(engine.tuning, vad=vad))
    heard = transcribe(AudioFile(task[1].path), changed.recogniser())
    return Encoded(task[0], task[1].text.split(), kept.utterances, seconds(heard.samples))


def searched(engine: Engine, chunks: Sequence[Frames], settings: SearchSettings) -> Result:
    """What the search understands of the chunks of an utterance."""
    grammar, scorer = engine.parts.new_grammar(settings)(), engine.parts.new_scorer()
    live = Search(scorer, grammar, engine.parts.catalog, settings)
    for chunk in chunks:
        live.accept(chunk)
    lattice = build(live.raw(), grammar.spelling, lambda frame: frame, engine.tuning.lattice)
    return result(lattice, 1)


def search(one: Encoded, bundle: Path, settings: SearchSettings) -> tuple[int, float]:
    """Word errors of a recording, and CPU seconds of the search and what follows it."""
    engine, found, began = engine_of(bundle), list[str](), time.process_time()
    for chunks in one.utterances:
        found += words_of(searched(engine, chunks, settings).text)
    return edits(one.words, found), time.process_time() - began


def shown(settings: SearchSettings) -> str:
    """The settings that are tuned, in a line."""
    return " ".join(f"{name} {getattr(settings, name):g}" for name in SHOWN)


class Trial:
    """The objective of settings of the search, remembered."""

    def __init__(self, bundle: Path, pool: Executor, encoded: list[Encoded], until: float) -> None:
        self._bundle, self._pool, self._encoded, self._until = bundle, pool, encoded, until
        self._known: dict[SearchSettings, Figures] = {}

    @property
    def over(self) -> bool:
        """Whether the time is spent."""
        return time.monotonic() > self._until

    def __call__(self, settings: SearchSettings) -> Figures:
        """Objective and cost of settings."""
        if settings not in self._known:
            self._known[settings] = self._measure(settings)
            wer, cost = self._known[settings]
            print(f"{wer:.2f} % at {cost:.4f} CPU s a second: {shown(settings)}", flush=True)
        return self._known[settings]

    def _measure(self, settings: SearchSettings) -> Figures:
        hear = partial(search, bundle=self._bundle, settings=settings)
        found = list(self._pool.map(hear, self._encoded, chunksize=8))
        wrong: Counter[str] = Counter()
        words: Counter[str] = Counter()
        for one, (errors, _) in zip(self._encoded, found, strict=True):
            wrong[one.corpus] += errors
            words[one.corpus] += len(one.words)
        cost = sum(cpu for _, cpu in found) / sum(one.seconds for one in self._encoded)
        return float(np.mean([100 * wrong[corpus] / words[corpus] for corpus in words])), cost


@dataclass(frozen=True, slots=True)
class Study:
    """What is tuned, on what, by whom, and until when (monotonic seconds)."""

    bundle: Path
    tasks: list[tuple[str, Task]]
    pool: Executor
    until: float

    def trial(self, vad: VadSettings, until: float) -> Trial:
        """Hear everything through a gate."""
        hear = partial(encode, bundle=self.bundle, vad=vad)
        encoded = list(self.pool.map(hear, self.tasks, chunksize=4))
        return Trial(self.bundle, self.pool, encoded, until)


def chosen(kit: Path, count: int) -> list[tuple[str, Task]]:
    """At most `count` recordings and about WORDS words a corpus, evenly spaced."""
    found = []
    for corpus in SETS:
        every = tasks(kit, corpus, 0)
        words = sum(len(task.text.split()) for task in every)
        most = min(count, len(every) * WORDS // max(1, words))
        found += [(corpus, task) for task in spaced(every, max(1, most))]
    return found
