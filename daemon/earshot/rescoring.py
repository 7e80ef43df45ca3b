"""The paths of a lattice in the order that a larger language model finds. Pure.

Score of a path = what the device found [- bias] + neural * log P(word | words before)
                  - common * log P(word) + bonus, added up over its words.

How common a word is has been counted by the device, and is by the model: so some of it is taken
away, as an internal language model is (McDermott et al., 2019). Books speak otherwise than requests
do, so the model knows kinds of text, and a lattice is of the kind of its likeliest path. The model
looks at the last few words, so the lattice is opened up until every state is a node and the words
before it: what has these in common is one, and the order is exact. What is asked of the model is
known before it says anything, so it is asked once, for many lattices together.

Names that the model does not know, or that the owner's catalog favoured, keep the score that the
device's own language model gave them: it knows who is in the catalog and where names belong. What
follows hears of a name, not which.
"""

import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from earshot.parcel import Opened, ParcelArc
from earshot.thinning import log_sum

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
History = tuple[int, ...]
NO_WORD, NO_ARC, NO_ROW = -1, -1, -1
MOST_PATHS, MOST_TRIED = 64, 512


class LanguageModel(Protocol):
    """What is asked how likely words are."""

    context: int
    """words that it looks at"""
    start: int
    end: int
    name: int
    """the numbers of the start and the end of a sentence, and of any name"""

    def number(self, word: str) -> int | None:
        """The number of a word, None for one that it does not know."""

    def common(self, word: int) -> float:
        """Natural log P(word), whatever is before it."""

    def score(self, contexts: Ints, row: Ints, word: Ints) -> Floats:
        """Natural log P(word | context) [K, M]: kinds, words [M] after contexts [N, C][row]."""


@dataclass(frozen=True, slots=True)
class RescoringSettings:
    """How much the model counts, and how far a lattice is opened up."""

    neural: float = 0.3
    """scale of the model's natural log"""
    common: float = 0.0
    """how much of it is taken away that a word is common"""
    bonus: float = 0.0
    """natural log, a word"""
    name: float = 0.0
    """how many times more the device's language score of a name counts"""
    states: int = 6
    """states of a node, the likeliest"""


class Edge(NamedTuple):
    """A step from a state to a later one."""

    source: int
    target: int
    arc: int
    """of the parcel; NO_ARC at the end of the sentence"""
    row: int
    """the context, NO_ROW where the model is not asked"""
    word: int
    common: float
    """natural log of how common the word is; 0 where the model is not asked, and at the end"""


class Way(NamedTuple):
    """A way through the lattice."""

    arcs: tuple[int, ...]
    score: float
    posterior: float


@dataclass(slots=True)
class Plan:
    """A lattice opened up, and what is to be asked of the model."""

    opened: Opened
    edges: list[Edge] = field(default_factory=list)
    """those into a state before those out of it, and these together"""
    states: int = 1
    contexts: dict[History, int] = field(default_factory=dict)

    def asked(self) -> tuple[Ints, Ints, Ints]:
        """Contexts [N, C], and rows and words [M] of the edges that ask."""
        asking = [(edge.row, edge.word) for edge in self.edges if edge.row != NO_ROW]
        pairs = np.array(asking, np.int64).reshape(-1, 2)
        return np.array(list(self.contexts), np.int64), pairs[:, 0], pairs[:, 1]


def planned(opened: Opened, model: LanguageModel, settings: RescoringSettings) -> Plan:
    """Open a lattice up."""
    plan, leaving = Plan(opened), _leaving(opened)
    start = (model.start,) * model.context
    # Of each node: its states by their history, with the device's best score of getting there.
    reached: list[dict[History, tuple[float, int]]] = [{} for _ in range(opened.nodes)]
    reached[0][start] = 0.0, 0
    for node in range(opened.nodes - 1):
        states = sorted(reached[node].items(), key=lambda one: (-one[1][0], one[1][1]))
        for history, (score, state) in sorted(states[: settings.states], key=lambda one: one[1][1]):
            for i in leaving[node]:
                arc = opened.arcs[i]
                there, word = _after(history, arc, model)
                known, number = reached[arc.target].get(there, (-math.inf, plan.states))
                plan.states = max(plan.states, number + 1)
                reached[arc.target][there] = max(known, score + arc.score), number
                asks = word != NO_WORD
                row, common = (_row(plan, history), model.common(word)) if asks else (NO_ROW, 0.0)
                plan.edges.append(Edge(state, number, i, row, word, common))
    for history, (_, state) in reached[-1].items():
        plan.edges.append(Edge(state, plan.states, NO_ARC, _row(plan, history), model.end, 0.0))
    plan.states += 1
    return plan


def _leaving(opened: Opened) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in range(opened.nodes)]
    for i, arc in enumerate(opened.arcs):
        found[arc.source].append(i)
    return found


def _row(plan: Plan, history: History) -> int:
    return plan.contexts.setdefault(history, len(plan.contexts))


def _after(history: History, arc: ParcelArc, model: LanguageModel) -> tuple[History, int]:
    """The history behind an arc, and the word to ask for or NO_WORD."""
    word = model.number(arc.word)
    if word is None or arc.bias:
        if history[-1] == model.name:  # the words of a name are one
            return history, NO_WORD
        return (*history[1:], model.name), NO_WORD
    return (*history[1:], word), word


def ordered(
    plan: Plan, asked: Floats, settings: RescoringSettings, count: int, *, debias: bool = False
) -> list[Way]:
    """The likeliest paths [count] of different words; `asked` is what the model says [K, M]."""
    kinds = (_weights(plan, one, settings, debias=debias) for one in asked)
    ahead = [(_ahead(plan, weights, max), weights) for weights in kinds]
    best, weights = max(ahead, key=lambda one: one[0][0])
    whole = _ahead(plan, weights, log_sum)[0]
    found: dict[tuple[str, ...], Way] = {}
    for total, arcs in _paths(plan, weights, best):
        words = tuple(plan.opened.arcs[i].word for i in arcs)
        found.setdefault(words, Way(arcs, total, math.exp(total - whole)))
        if len(found) >= count:
            break
    return list(found.values())


def _ahead(
    plan: Plan, weights: Sequence[float], both: Callable[[float, float], float]
) -> list[float]:
    """What the ways from each state to the end come to; `both` puts two of them together."""
    found = [-math.inf] * plan.states
    found[-1] = 0.0
    for edge, weight in zip(reversed(plan.edges), reversed(weights), strict=True):
        found[edge.source] = both(found[edge.source], weight + found[edge.target])
    return found


def _weights(
    plan: Plan, asked: Floats, settings: RescoringSettings, *, debias: bool
) -> list[float]:
    """Natural log of each edge."""
    found, said = [], iter(asked.tolist())
    for edge in plan.edges:
        weight = -settings.common * edge.common
        if edge.row != NO_ROW:
            weight += settings.neural * next(said)
        if edge.arc != NO_ARC:
            arc = plan.opened.arcs[edge.arc]
            weight += arc.score + settings.bonus - (arc.bias if debias else 0.0)
            if edge.row == NO_ROW:
                weight += settings.name * (arc.language or 0.0)
        found.append(weight)
    return found


def _paths(
    plan: Plan, weights: Sequence[float], best: Sequence[float]
) -> Iterator[tuple[float, tuple[int, ...]]]:
    """Paths, likeliest first (best-first with exact look-ahead), MOST_TRIED at most."""
    last, tried = plan.states - 1, 0
    leaving: list[list[int]] = [[] for _ in range(plan.states)]
    for i, edge in enumerate(plan.edges):
        leaving[edge.source].append(i)
    heap: list[tuple[float, int, float, int, tuple[int, ...]]] = [(-best[0], 0, 0.0, 0, ())]
    pushed = 0  # breaks ties
    while heap and tried < MOST_TRIED:
        _, _, total, state, arcs = heapq.heappop(heap)
        if state == last:
            tried += 1
            yield total, arcs
        for i in leaving[state]:
            edge, onward = plan.edges[i], total + weights[i]
            if best[edge.target] > -math.inf:
                pushed += 1
                way = arcs if edge.arc == NO_ARC else (*arcs, edge.arc)
                rank = -(onward + best[edge.target])
                heapq.heappush(heap, (rank, pushed, onward, edge.target, way))
