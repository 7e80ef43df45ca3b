"""Raw lattice of a search -> word lattice with posteriors, and the views of it.

1. Words into the last boundaries go to the one end as well.
2. Forward-backward gives every arc its posterior; what is under `least` goes, which is nearly all.
3. Boundaries of one grammar state a few frames apart are one node: they differ in time only.
4. Scores are made to agree with the posteriors: along any path from start to end the sum of
   acoustic, language and bias is the natural log of the path's probability, and all paths sum to
   one. Language and bias are as the search weighted them, times the sharpness of all scores, so
   they can be taken away again.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from earshot.events import Arc, Lattice, Result, Word
from earshot.loop import Spelling, written
from earshot.memory import RawLattice, Scores
from earshot.paths import alternatives, paths
from earshot.posteriors import best_path, closed, posteriors


@dataclass(frozen=True, slots=True)
class LatticeSettings:
    """How much of the lattice is kept."""

    least: float = 1e-3
    """posterior; arcs below are dropped"""
    sharpness: float = 1.0
    """how much scores count in posteriors: networks are too sure of themselves, and with less than
    1 confidence is more honest and the lattice holds more (models.lattices measures both)"""
    together: int = 3
    """encoder frames; boundaries of one state this close are one node"""
    alternatives: int = 10
    """paths of the n-best list"""


EMPTY = Result((), 0.0, (), Lattice((0, 0), ()))


@dataclass(slots=True)
class _Edge:
    """An arc under construction, between boundaries or nodes."""

    source: int
    target: int
    word: int
    begin: int
    end: int
    acoustic: float
    language: float
    bias: float
    posterior: float


def _likely(raw: RawLattice, settings: LatticeSettings) -> list[_Edge]:
    """The arcs worth keeping, by source; the best path is, however many are nearly as good."""
    arcs = closed(raw)
    best = best_path(arcs, raw.total)
    scores = ("acoustic", "language", "bias")
    arcs = arcs._replace(**{name: getattr(arcs, name) * settings.sharpness for name in scores})
    posterior = posteriors(arcs, raw.frame)
    keep = posterior >= settings.least
    keep[best] = True
    rows = np.flatnonzero(keep)
    rows = rows[np.argsort(arcs.source[rows], kind="stable")]
    columns = [column[rows].tolist() for column in (*arcs, posterior)]
    return [_Edge(*row) for row in zip(*columns, strict=True)]


def _reached(edges: list[_Edge]) -> list[_Edge]:
    """Those that a path from the start still leads to (edges sorted by source)."""
    reached, kept = {0}, []
    for e in edges:
        if e.source in reached:
            reached.add(e.target)
            kept.append(e)
    return kept


def _merged(edges: list[_Edge], raw: RawLattice, together: int) -> dict[int, int]:
    """Boundary -> the first boundary of its node.

    A boundary joins a node only if all that leads to it comes from nodes before that one: so edges
    go from lower to higher nodes, and no way leads back.
    """
    end = len(raw.frame)
    node = {0: 0, end: end}
    latest: dict[int, int] = {}
    into: dict[int, list[int]] = defaultdict(list)
    for e in edges:
        into[e.target].append(e.source)
    for boundary in sorted(into.keys() - {end}):
        state, frame = int(raw.state[boundary]), int(raw.frame[boundary])
        first = latest.get(state, boundary)
        near = frame - int(raw.frame[first]) <= together
        if not near or any(node[source] >= first for source in into[boundary]):
            first = boundary
        latest[state] = node[boundary] = first
    return node


def _united(
    edges: list[_Edge], node: dict[int, int], spelling: Callable[[int], Spelling]
) -> list[_Edge]:
    """Edges between nodes, one a text: posteriors add up, the likeliest lends all else."""
    best: dict[tuple[int, int, str], _Edge] = {}
    total: dict[tuple[int, int, str], float] = defaultdict(float)
    for e in edges:
        key = (node[e.source], node[e.target], written(spelling(e.word)).text)
        total[key] += e.posterior
        if key not in best or best[key].posterior < e.posterior:
            best[key] = e
    return [
        replace(e, source=key[0], target=key[1], posterior=min(1.0, total[key]))
        for key, e in best.items()
    ]


def _numbered(edges: list[_Edge]) -> tuple[list[int], list[_Edge]]:
    """Nodes renumbered so that every edge leads to a higher one (depth first, from the end)."""
    into: dict[int, set[int]] = defaultdict(set)
    for e in edges:
        into[e.target].add(e.source)
    order: list[int] = []
    done: set[int] = set()
    todo = [(max(into), False)]
    while todo:
        node, ready = todo.pop()
        if ready:
            order.append(node)
        elif node not in done:
            done.add(node)
            todo += [(node, True), *((n, False) for n in sorted(into[node], reverse=True))]
    number = {node: i for i, node in enumerate(order)}
    kept = [
        replace(e, source=number[e.source], target=number[e.target])
        for e in edges
        if e.target in number and e.source in number
    ]
    return order, sorted(kept, key=lambda e: (e.source, e.target, e.word))


def build(
    raw: RawLattice,
    spelling: Callable[[int], Spelling],
    position: Callable[[int], int],
    settings: LatticeSettings,
) -> Lattice | None:
    """The word lattice, None where the best hypothesis holds no word.

    `spelling` writes a word; `position` turns an encoder frame into samples.
    """
    if not len(raw.last.back) or not raw.last.back[(raw.last.score + raw.closing).argmax()]:
        return None
    likely = _reached(_likely(raw, settings))
    node = _merged(likely, raw, settings.together)
    order, edges = _numbered(_united(likely, node, spelling))
    through: Scores = np.zeros(len(order))
    _rescale(edges, through)
    last = max(e.end for e in edges) + 1
    times = [position(int(raw.frame[n])) if n < len(raw.frame) else position(last) for n in order]
    times = np.maximum.accumulate(times).tolist()
    arcs = tuple(_arc(e, spelling, position) for e in edges)
    return Lattice(tuple(times), arcs)


def _arc(e: _Edge, spelling: Callable[[int], Spelling], position: Callable[[int], int]) -> Arc:
    begin, end = position(e.begin), position(e.end + 1)
    scores = (e.acoustic, e.language, e.bias, e.posterior)
    text, phones = written(spelling(e.word))
    return Arc(e.source, e.target, text, begin, end, *scores, phones)


def _rescale(edges: list[_Edge], through: Scores) -> None:
    """Make scores and posteriors agree: what leaves a node sums to one (edges sorted by source)."""
    leaving: dict[int, float] = defaultdict(float)
    for e in edges:
        leaving[e.source] += e.posterior
    through[0] = 1.0
    for e in edges:
        share = e.posterior / leaving[e.source]
        e.acoustic = float(np.log(share)) - e.language - e.bias
        e.posterior = min(1.0, through[e.source] * share)
        through[e.target] += e.posterior


def confidence(arc: Arc, lattice: Lattice) -> float:
    """Posterior of a word: of all arcs that say it at about the same time."""
    same = (
        a for a in lattice.arcs if a.word == arc.word and a.start < arc.end and arc.start < a.end
    )
    return min(1.0, sum(a.posterior for a in same))


def result(lattice: Lattice | None, count: int) -> Result:
    """The views of a lattice."""
    if lattice is None:
        return EMPTY
    _, best = next(paths(lattice))
    words = tuple(Word(a.word, a.start, a.end, confidence(a, lattice), a.phones) for a in best)
    whole = float(np.exp(np.mean([np.log(max(w.confidence, 1e-6)) for w in words])))
    return Result(words, whole, alternatives(lattice, count), lattice)
