"""What a lattice holds beside an n-best list of the same beam, and how honest its confidence is.

    python -m models.lattices --kit KIT --bundle models/bundles/en [--count 40] [--jobs 2]

The control is a search without recombination: every history of words is a hypothesis of its own,
and what is left at the end is an n-best list (a tree). Oracle errors are those of the path nearest
to what was said. Evaluations are the rows of the joiner that the search asks for: one for each
hypothesis in a tree, one for each different last token where hypotheses share it. Confidence: the
expected calibration error in ten bins, and normalised cross-entropy (Siu and Gish, 1999), where 0
is as good as always saying the mean and 1 is to know.
"""

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from earshot.bundle import find
from earshot.convert import ALL, to_message
from earshot.engine import Engine
from earshot.events import Decision, EndPoint, EndPointKind, Lattice, Result
from earshot.grammar import LexiconGrammar
from earshot.lattice import build, result
from earshot.loop import written
from earshot.search import Search
from earshot.transducer import Scorer
from earshot.units import ENCODER_FRAME, ENCODER_FRAME_MS

from models.corpus import read
from models.evaluate import SETS, Task, encoded_of, engine_of, tasks
from models.score import aligned, edits, rate

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
BINS = 10
OPUS = 2_000  # bytes a second of speech, as an assistant sends it: 16 kbit/s
LEAST = 1e-6  # probability
SCORE = 9  # bytes of a text's score and end


class Histories:
    """A grammar whose states are histories of words, so that no two of them are one."""

    def __init__(self, grammar: LexiconGrammar) -> None:
        self._grammar = grammar
        self._state, self._number = [grammar.start_state], dict[tuple[int, int], int]()
        self.start_state = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the grammar answers
        return getattr(self._grammar, name)

    def _known(self, state: Ints) -> Ints:
        return np.array(self._state, np.int64)[state]

    def language(self, state: Ints, word: Ints) -> tuple[Floats, Ints]:
        """As the grammar's; what follows is a history of its own."""
        score, following = self._grammar.language(self._known(state), word)
        keys = zip(state.tolist(), word.tolist(), strict=True)
        found = []
        for key, behind in zip(keys, following.tolist(), strict=True):
            number = self._number.setdefault(key, len(self._state))
            if number == len(self._state):
                self._state.append(behind)
            found.append(number)
        return score, np.array(found, np.int64)

    def favour(self, state: Ints, word: Ints) -> Floats:
        """As the grammar's."""
        return self._grammar.favour(self._known(state), word)

    def final(self, node: Ints, state: Ints) -> tuple[npt.NDArray[np.bool_], Ints, Floats]:
        """As the grammar's."""
        return self._grammar.final(node, self._known(state))


class Counting:
    """A scorer that counts what it is asked for."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer, self.asked, self.frames = scorer, 0, 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the scorer answers
        return getattr(self._scorer, name)

    def logp(self, t: int, contexts: Ints) -> Floats:
        """As the scorer's."""
        self.asked += len(contexts)
        self.frames += 1
        return self._scorer.logp(t, contexts)


@dataclass(frozen=True, slots=True)
class Held:
    """Of one recording: errors of the best and of the nearest path, and what that takes."""

    words: int
    best: int
    lattice: int
    tree: int
    arcs: int
    bytes: int
    tree_bytes: int
    asked: int
    tree_asked: int
    seconds: float
    confidence: tuple[tuple[float, bool], ...]


def oracle(lattice: Lattice | None, wanted: Sequence[str]) -> int:
    """Fewest errors of any path."""
    if lattice is None:
        return len(wanted)
    rows: dict[int, Ints] = {0: np.arange(len(wanted) + 1)}
    for arc in sorted(lattice.arcs, key=lambda one: one.source):
        before = rows[arc.source]
        right = np.array([want != arc.word for want in wanted], np.int64)
        row = np.minimum(before + 1, np.append(before[:1] + 1, before[:-1] + right))
        for i in range(1, len(row)):  # words that the path lacks
            row[i] = min(row[i], row[i - 1] + 1)
        rows[arc.target] = np.minimum(rows.get(arc.target, row), row)
    return int(rows[len(lattice.nodes) - 1][-1])


class Tree(Search):
    """The search without recombination."""

    def __init__(self, engine: Engine) -> None:
        settings = engine.tuning.search
        grammar: Any = Histories(cast("LexiconGrammar", engine.parts.new_grammar(settings)()))
        super().__init__(engine.parts.new_scorer(), grammar, engine.parts.catalog, settings)
        self.asked = 0

    def _step(self, t: int) -> None:
        self.asked += len(self._live.score)
        super()._step(t)

    def texts(self) -> list[list[str]]:
        """What all hypotheses say that may end."""
        ways = (self._memory.words_to(int(back)) for back in self.raw().last.back)
        return [[written(self._grammar.spelling(word)).text for word, _, _ in way] for way in ways]


def held(task: Task, bundle: Path, changed: dict[str, float]) -> Held:
    """Hear one recording both ways."""
    engine = engine_of(bundle)
    lattice_settings = replace(engine.tuning.lattice, **changed)  # type: ignore[arg-type]
    wanted, encoded = task.text.split(), encoded_of(engine, read(task.path))
    scorer, grammar = Counting(engine.parts.new_scorer()), engine.parts.new_grammar
    settings = engine.tuning.search
    spelt = grammar(settings)()
    search = Search(scorer, spelt, engine.parts.catalog, settings)
    search.accept(encoded)
    lattice = build(search.raw(), spelt.spelling, _samples, lattice_settings)
    best, tree = result(lattice, 1), Tree(engine)
    tree.accept(encoded)
    texts = tree.texts() or [[]]
    words = [word.text for word in best.words]
    pairs = [(want, got) for want, got in aligned(wanted, words)[::-1] if got]
    known = zip(best.words, pairs, strict=True)
    return Held(
        len(wanted), edits(wanted, words), oracle(lattice, wanted),
        min(edits(wanted, text) for text in texts), len(lattice.arcs) if lattice else 0,
        _bytes(best), sum(len(" ".join(text)) + SCORE for text in texts),
        scorer.asked, tree.asked, len(encoded) * ENCODER_FRAME_MS / 1000,
        tuple((word.confidence, want == got) for word, (want, got) in known),
    )  # fmt: skip


def _samples(frame: int) -> int:
    return frame * ENCODER_FRAME


def _bytes(best: Result) -> int:
    """Of the lattice as a message."""
    ended = EndPoint(0, 1, 1, EndPointKind.FINAL, Decision("", ()), 0, best)
    return to_message(ended, ALL).end_point.result.lattice.ByteSize()


def calibration(known: Sequence[tuple[float, bool]]) -> tuple[float, float]:
    """Expected calibration error and normalised cross-entropy of confidences."""
    p = np.clip([confidence for confidence, _ in known], LEAST, 1 - LEAST)
    right = np.array([good for _, good in known], np.float64)
    place = np.minimum((p * BINS).astype(int), BINS - 1)
    apart = [abs((p - right)[place == i].sum()) for i in range(BINS)]
    mean = np.clip(right.mean(), LEAST, 1 - LEAST)
    least, said = (-(right * np.log(q) + (1 - right) * np.log(1 - q)).mean() for q in (mean, p))
    return float(sum(apart) / len(p)), float(1 - said / least)


def summary(every: Sequence[Held]) -> dict[str, Any]:
    """Of a set, as figures."""
    words, audio = [one.words for one in every], sum(one.seconds for one in every)
    kinds = {"best": "best", "lattice": "lattice", "tree": "tree"}
    found: dict[str, Any] = {
        f"{name}_wer": [round(x, 2) for x in rate([getattr(one, key) for one in every], words)]
        for name, key in kinds.items()
    }
    best, lattice, tree = (sum(getattr(one, key) for one in every) for key in kinds)
    found |= {
        "lattice_to_tree": round(lattice / max(1, tree) - 1, 3),
        "lattice_to_best": round(lattice / max(1, best) - 1, 3),
        "arcs_a_word": round(sum(one.arcs for one in every) / sum(words), 1),
        "bytes_a_second": round(sum(one.bytes for one in every) / audio),
        "tree_bytes_a_second": round(sum(one.tree_bytes for one in every) / audio),
        "of_opus": round(sum(one.bytes for one in every) / audio / OPUS, 3),
        "evaluations_to_tree": round(
            sum(one.asked for one in every) / sum(one.tree_asked for one in every), 3
        ),
    }
    error, entropy = calibration([pair for one in every for pair in one.confidence])
    return found | {"ece": round(error, 4), "nce": round(entropy, 3)}


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--bundle", default="en")
    parser.add_argument("--count", type=int, default=40, help="recordings a set; 0 for all")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--least", type=float, help="instead of the bundle's")
    parser.add_argument("--sharpness", type=float, help="instead of the bundle's")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    changed = {"least": options.least, "sharpness": options.sharpness}
    given = {name: value for name, value in changed.items() if value is not None}
    hear = partial(held, bundle=find(options.bundle), changed=given)
    with ProcessPoolExecutor(options.jobs) as pool:
        for corpus in options.sets:
            every = list(pool.map(hear, tasks(options.kit, corpus, options.count), chunksize=4))
            print(f"{corpus}: {json.dumps(summary(every))}", flush=True)


if __name__ == "__main__":
    main()
