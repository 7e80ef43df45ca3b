"""What a re-ranker answered, checked, and the result that it makes of a lattice.

Nothing of an answer is taken on trust: it may only put paths of the lattice that was sent in
another order. Times, words and scores of the arcs stay the device's own.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from earshot.errors import RequestError
from earshot.events import Alternative, Arc, Lattice, Result, Word
from earshot.generated.v1.rescoring_pb2 import RescoredPath

MOST_PATHS = 64
SLACK = 1e-3  # by which posteriors of 32 bits may sum to more than one
LEAST = 1e-9  # posterior


@dataclass(frozen=True, slots=True)
class Ranked:
    """A way through a lattice."""

    arcs: tuple[Arc, ...]
    posterior: float  # 0..1, its share among all paths that were compared

    @property
    def words(self) -> tuple[str, ...]:
        """What it says."""
        return tuple(arc.word for arc in self.arcs)


def checked(lattice: Lattice, sent: Sequence[int], answer: Sequence[RescoredPath]) -> list[Ranked]:
    """The paths of an answer, likeliest first; `sent` are the places of the arcs that were sent.

    Raises RequestError for an answer that makes no sense.
    """
    if not 0 < len(answer) <= MOST_PATHS:
        message = f"the re-ranker answered {len(answer)} paths, but 1 to {MOST_PATHS} make sense"
        raise RequestError(message)
    found = [_path(lattice, sent, one) for one in answer]
    scores = [one.score for one in answer]
    if scores != sorted(scores, reverse=True):
        message = "the re-ranker's paths are not in the order of their scores"
        raise RequestError(message)
    if (total := sum(path.posterior for path in found)) > 1 + SLACK:
        message = f"the posteriors of the re-ranker's paths sum to {total:g}, but 1 is the most"
        raise RequestError(message)
    return found


def _path(lattice: Lattice, sent: Sequence[int], one: RescoredPath) -> Ranked:
    """A path from the start to the end."""
    if not (math.isfinite(one.score) and 0 <= one.posterior <= 1):
        message = f"a path scores {one.score:g} and is {one.posterior:g} likely: those are none"
        raise RequestError(message)
    if len(one.arcs) >= len(lattice.nodes) or any(place >= len(sent) for place in one.arcs):
        message = "a path of the re-ranker has arcs that were not sent"
        raise RequestError(message)
    arcs = tuple(lattice.arcs[sent[place]] for place in one.arcs)
    nodes = (0, *(arc.target for arc in arcs))
    if nodes[:-1] != tuple(arc.source for arc in arcs) or nodes[-1] != len(lattice.nodes) - 1:
        message = "a path of the re-ranker does not lead from the start of the lattice to its end"
        raise RequestError(message)
    return Ranked(arcs, one.posterior)


def reread(found: Result, paths: Sequence[Ranked]) -> Result:
    """A result by the order of these paths. What depends on its words is not there any more."""
    words = tuple(
        Word(arc.word, arc.start, arc.end, _confidence(arc, paths), arc.phones)
        for arc in paths[0].arcs
    )
    whole = math.exp(sum(math.log(word.confidence) for word in words) / len(words))
    scores = dict[str, float]()
    for path in paths:
        scores.setdefault(" ".join(path.words), math.log(max(path.posterior, LEAST)))
    alternatives = tuple(Alternative(text, score) for text, score in scores.items())
    return replace(
        found, words=words, confidence=whole, alternatives=alternatives,
        explanations=(), interpretation=None, directed=None,
    )  # fmt: skip


def _confidence(arc: Arc, paths: Sequence[Ranked]) -> float:
    """Share of the paths that say a word at about the same time."""

    def says(other: Arc) -> bool:
        return other.word == arc.word and other.start < arc.end and arc.start < other.end

    said = sum(path.posterior for path in paths if arc in path.arcs or any(map(says, path.arcs)))
    return min(1.0, max(said, LEAST))
