"""A lattice without its least likely arcs, and how likely what is left is, arc by arc.

The best path stays, and of the rest what has the greatest posterior and still lies on a path.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from earshot.errors import LimitError, RequestError
from earshot.events import Arc, Lattice
from earshot.paths import score
from earshot.units import seconds

_BEST = "the best path of a lattice"


@dataclass(frozen=True, slots=True)
class ThinSettings:
    """How much is left."""

    least: float
    """posterior; arcs below go"""
    arcs_a_second: float
    """of audio; no more than these, the likeliest"""
    most_arcs: int
    """in all"""


@dataclass(frozen=True, slots=True)
class Thin:
    """What is left [N], by source and target, of nodes that are numbered without gaps."""

    nodes: int
    arcs: tuple[int, ...]
    """the place of each among the lattice's arcs"""
    source: tuple[int, ...]
    target: tuple[int, ...]
    share: tuple[float, ...]
    """natural log; of what leaves the source, by all paths on from there"""

    def leaving(self) -> Iterator[range]:
        """Of each node but the last, the arcs that leave it."""
        first = 0
        for i in range(1, len(self.arcs) + 1):
            if i == len(self.arcs) or self.source[i] != self.source[first]:
                yield range(first, i)
                first = i


def thinned(lattice: Lattice, settings: ThinSettings) -> Thin:
    """Thin a lattice. Raises RequestError where it holds no word, LimitError for a long one."""
    if not lattice.arcs:
        message = "the lattice holds no word, so there is nothing to send"
        raise RequestError(message)
    best = _best(lattice)
    if len(best) > settings.most_arcs:
        raise LimitError(_BEST, len(best), settings.most_arcs, "arcs")
    kept = _on_paths(lattice, _likely(lattice, best, settings))
    arcs = [lattice.arcs[i] for i in kept]
    nodes = sorted({arc.source for arc in arcs} | {arc.target for arc in arcs})
    number = {node: i for i, node in enumerate(nodes)}
    source = tuple(number[arc.source] for arc in arcs)
    target = tuple(number[arc.target] for arc in arcs)
    return Thin(len(nodes), tuple(kept), source, target, tuple(_pushed(arcs)))


def _best(lattice: Lattice) -> list[int]:
    """The arcs of the likeliest path (Viterbi; every arc leads to a higher node)."""
    back = {len(lattice.nodes) - 1: (0.0, -1)}  # score to the end, and the arc to take
    for i in range(len(lattice.arcs) - 1, -1, -1):
        arc = lattice.arcs[i]
        if arc.target in back:
            total = score(arc) + back[arc.target][0]
            if arc.source not in back or total > back[arc.source][0]:
                back[arc.source] = total, i
    if 0 not in back:
        message = "no path leads through the lattice, so there is nothing to send"
        raise RequestError(message)
    path, node = [], 0
    while back[node][1] >= 0:
        path.append(back[node][1])
        node = lattice.arcs[path[-1]].target
    return path


def _likely(lattice: Lattice, best: Iterable[int], settings: ThinSettings) -> set[int]:
    """The arcs that are likely enough, of which there are not too many, and the best path."""
    kept, arcs = set(best), lattice.arcs
    length = seconds(lattice.nodes[-1] - lattice.nodes[0])
    most = min(settings.most_arcs, math.ceil(settings.arcs_a_second * length))
    rest = [i for i, arc in enumerate(arcs) if arc.posterior >= settings.least and i not in kept]
    rest.sort(key=lambda i: -arcs[i].posterior)
    return kept | set(rest[: max(0, most - len(kept))])


def _on_paths(lattice: Lattice, some: set[int]) -> list[int]:
    """Those of some arcs that lie on a path from start to end, by source and target."""
    arcs, last = lattice.arcs, len(lattice.nodes) - 1
    order = sorted(some, key=lambda i: (arcs[i].source, arcs[i].target, i))
    reached, ending = {0}, {last}
    for i in order:
        if arcs[i].source in reached:
            reached.add(arcs[i].target)
    for i in reversed(order):
        if arcs[i].target in ending:
            ending.add(arcs[i].source)
    return [i for i in order if arcs[i].source in reached and arcs[i].target in ending]


def _pushed(arcs: list[Arc]) -> list[float]:
    """Weights pushed to the start (Mohri, 2009): the part of each arc in what leaves its source."""
    ahead = {arcs[-1].target: 0.0}  # sorted by source, so the last leads to the end
    for arc in reversed(arcs):
        total = score(arc) + ahead[arc.target]
        ahead[arc.source] = log_sum(ahead[arc.source], total) if arc.source in ahead else total
    return [score(arc) + ahead[arc.target] - ahead[arc.source] for arc in arcs]


def log_sum(a: float, b: float) -> float:
    """Natural log of the sum of what two natural logs stand for."""
    high, low = max(a, b), min(a, b)
    return high + math.log1p(math.exp(low - high)) if low > -math.inf else high
