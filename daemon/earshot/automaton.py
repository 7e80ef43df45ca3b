"""The smallest automaton over words that accepts the sentences of a closed set, and no others.

The subset construction makes the places of the graph deterministic: equal beginnings are one. Then
states with the same future become one, from the ends to the start: equal endings are one as well.
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from earshot.errors import LimitError, RequestError
from earshot.intents import Sentence
from earshot.places import MOST_ARCS, Places

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


class State(NamedTuple):
    """A state under construction."""

    accept: float
    arcs: dict[str, int]


@dataclass(frozen=True, slots=True)
class Automaton:
    """Deterministic and smallest. State 0 is the start; states without arcs come last."""

    words: tuple[str, ...]  # sorted
    source: Ints  # [A] rising
    word: Ints  # [A] place in words
    target: Ints  # [A]
    accept: Floats  # [S] natural log weight of ending here; -inf where no sentence ends

    @classmethod
    def build(cls, places: Places, source: str) -> Self:
        """Of all sentences. Raises RequestError for an empty one, LimitError for too many arcs."""
        if empty := places.leaving(places.start).end:
            where = next(mark.where for mark in empty if isinstance(mark, Sentence))
            message = f"{where}: a sentence may be empty, as all its parts may be left out"
            raise RequestError(message)
        states = _smallest(_deterministic(places, source))
        words = sorted({word for state in states for word in state.arcs})
        number = {word: i for i, word in enumerate(words)}
        arcs = [
            (i, number[word], target)
            for i, state in enumerate(states)
            for word, target in state.arcs.items()
        ]
        begin, word, end = np.array(arcs, np.int64).T
        accept = np.array([state.accept for state in states], np.float32)
        return cls(tuple(words), begin, word, end, accept)


def _deterministic(places: Places, source: str) -> list[State]:
    """Sets of places by the words that lead to them; state 0 is the start."""
    start = frozenset({places.start})
    number, todo, count = {start: 0}, [start], 0
    states: list[State] = []
    while len(states) < len(todo):
        leaving = [places.leaving(place) for place in todo[len(states)]]
        behind: dict[str, set[int]] = {}
        for one in leaving:
            for word, ways in one.words.items():
                places.work(len(ways))
                behind.setdefault(word, set()).update(target for target, _ in ways)
        arcs = {}
        for word, targets in behind.items():
            subset = frozenset(targets)
            if subset not in number:
                number[subset] = len(todo)
                todo.append(subset)
            arcs[word] = number[subset]
        count += len(arcs)
        if count > MOST_ARCS:
            raise LimitError(source, count, MOST_ARCS, "arcs")
        states.append(State(max(one.weight for one in leaving), arcs))
    return states


def _smallest(states: list[State]) -> list[State]:
    """States with the same future as one, the start first, those without arcs last."""
    found: list[State] = []
    same: dict[tuple[float, frozenset[tuple[str, int]]], int] = {}
    now: dict[int, int] = {}
    for old in _from_the_ends(states):
        arcs = {word: now[target] for word, target in states[old].arcs.items()}
        key = (states[old].accept, frozenset(arcs.items()))
        if key not in same:
            same[key] = len(found)
            found.append(State(states[old].accept, arcs))
        now[old] = same[key]
    order = sorted(range(len(found)), key=lambda i: (not found[i].arcs, -i))  # the start came last
    place = {old: new for new, old in enumerate(order)}
    return [
        State(found[i].accept, {word: place[target] for word, target in found[i].arcs.items()})
        for i in order
    ]


def _from_the_ends(states: list[State]) -> list[int]:
    """States in an order in which all that follows one comes before it."""
    order: list[int] = []
    done: set[int] = set()
    todo = [(0, False)]
    while todo:
        state, ready = todo.pop()
        if ready:
            order.append(state)
        elif state not in done:
            done.add(state)
            todo.append((state, True))
            todo += [(target, False) for target in states[state].arcs.values()]
    return order
