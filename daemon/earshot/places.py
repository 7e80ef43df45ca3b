"""Sentence templates as a graph of text, and the words that lead through it.

Arcs carry a piece of text, a space or nothing, and *marks*: which sentence begins, which slot gets
which value, and where that value ends. There are no circles, for no template contains itself. A
*place* is a node where a word may begin: the start, what follows a space, and the ends.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from earshot.errors import LimitError, RequestError
from earshot.intents import Intents, Sentence
from earshot.templates import Choice, Expression, Listed, Range, Rule, Sequence, Text

MOST_ARCS = 100_000  # of the graph
MOST_STEPS = 500_000  # while words are read off it: some seconds
MOST_LETTERS = 50  # of a word
DEEPEST = 8  # rules and lists within each other
SPACE = " "
_PAUSES = str.maketrans(dict.fromkeys(",.!?:-–—", SPACE) | {"’": "'"})
_PIECES = re.compile(r"\s+|\S+")
Slot = tuple[str, str]  # name and value
Way = tuple[Sentence | Slot, ...]  # marks in their order
CLOSE: Slot = ("", "")  # the value of the slot that was begun last ends


Marks = tuple[tuple[Sentence | Slot, int], ...]  # and with which word each came


class Arc(NamedTuple):
    """An arc of the graph; several marks may come with nothing said."""

    text: str
    target: int
    mark: Way = ()


class Filled(NamedTuple):
    """A slot of a sentence that was said."""

    name: str
    means: str
    first: int = 0  # place of the first word that says it
    end: int = 0  # after the last; equal to first where no words do


class Accepted(NamedTuple):
    """The sentence that words are, and its slots."""

    sentence: Sentence
    slots: tuple[Filled, ...]


class Leaving(NamedTuple):
    """What may follow a place."""

    words: dict[str, list[tuple[int, Way]]]
    """places behind each word, in the order of the file"""
    end: Way | None
    """marks on the way to an end, where the sentence may end here"""
    weight: float
    """natural log, of that end; -inf where there is none"""


class Places:
    """The graph of a closed set. Raises RequestError for what is wrong, LimitError for too much."""

    def __init__(self, intents: Intents, source: str) -> None:
        """`source` names the whole in errors."""
        self._intents, self._source = intents, source
        self._count = self._steps = 0
        self._arcs: list[list[Arc]] = []
        self._named: dict[tuple[Rule | Listed | Range, int], int] = {}
        self._known: dict[int, Leaving] = {}
        weights = dict.fromkeys(sentence.weight for sentence in intents.sentences)
        self._ends = {self._node([]): weight for weight in weights}
        end = {weight: node for node, weight in self._ends.items()}
        self.start = self._node([
            Arc("", self._before(one.expression, end[one.weight], one.where, ()), (one,))
            for one in intents.sentences
        ])  # fmt: skip

    def _node(self, arcs: list[Arc]) -> int:
        self._arcs.append(arcs)
        self._count += len(arcs)
        return len(self._arcs) - 1

    def _before(self, part: Expression, after: int, where: str, within: tuple[str, ...]) -> int:
        """The node from which a part leads to the node `after`: the graph grows from its ends."""
        self._count += 1  # parts without text as well, or rules of nothing would cost nothing
        if self._count > MOST_ARCS:
            raise LimitError(self._source, self._count, MOST_ARCS, "arcs")
        match part:
            case Text():
                for piece in reversed(_PIECES.findall(part.text.translate(_PAUSES).casefold())):
                    after = self._node([Arc(piece.strip() or SPACE, after)])
                return after
            case Sequence():
                for one in reversed(part.parts):
                    after = self._before(one, after, where, within)
                return after
            case Choice():
                befores = [self._before(one, after, where, within) for one in part.parts]
                return self._node([Arc("", before) for before in befores])
            case Rule() | Listed() | Range():
                if (part, after) not in self._named:
                    self._named[part, after] = self._meant(part, after, where, within)
                return self._named[part, after]

    def _meant(
        self, part: Rule | Listed | Range, after: int, where: str, within: tuple[str, ...]
    ) -> int:
        """Before what a name stands for; once for all that leads to the same node."""
        within = _deeper(part, where, within)
        if isinstance(part, Rule):
            return self._before(self._intents.rule(part.name, where), after, where, within)
        end = self._node([Arc("", after, (CLOSE,))])
        return self._node([
            Arc("", self._before(value.said, end, where, within), ((part.slot, value.means),))
            for value in self._intents.values(part, where)
        ])  # fmt: skip

    def leaving(self, place: int) -> Leaving:
        """What may follow a place; worked out once."""
        if place not in self._known:
            self._known[place] = self._followed(place)
        return self._known[place]

    def _followed(self, place: int) -> Leaving:
        """Go on from a place until a word is whole; of two ways to the same, the first counts."""
        words: dict[str, list[tuple[int, Way]]] = {}
        end, weight = None, float("-inf")
        todo: list[tuple[int, str, Way]] = [(place, "", ())]
        seen = set()
        while todo:
            node, text, way = todo.pop()
            if (node, text) in seen:
                continue
            seen.add((node, text))
            self.work(1)
            if len(text) > MOST_LETTERS:
                what = f"{self._source}: {text[:12]}…"
                raise LimitError(what, len(text), MOST_LETTERS, "letters")
            if node in self._ends:
                if text:
                    words.setdefault(text, []).append((node, way))
                elif end is None:
                    end, weight = way, self._ends[node]
            for more, target, mark in reversed(self._arcs[node]):
                if more == SPACE and text:
                    words.setdefault(text, []).append((target, way + mark))
                else:
                    todo.append((target, text + more.strip(), way + mark))
        return Leaving(words, end, weight)

    def work(self, steps: int) -> None:
        """Count steps of work, since few signs may ask for much. Raises LimitError."""
        self._steps += steps
        if self._steps > MOST_STEPS:
            raise LimitError(self._source, self._steps, MOST_STEPS, "steps to work it out")

    def meaning(self, words: Iterable[str]) -> tuple[Sentence, dict[str, str]] | None:
        """The likeliest sentence that accepts the words, of equal ones the first; and its slots."""
        found = self.accepted(words)
        return found and (found.sentence, {one.name: one.means for one in found.slots})

    def accepted(self, words: Iterable[str]) -> Accepted | None:
        """The same, with the words that say each slot."""
        ways: dict[int, Marks] = {self.start: ()}
        for at, word in enumerate(words):
            following: dict[int, Marks] = {}
            for place, way in ways.items():
                for target, more in self.leaving(place).words.get(word, ()):
                    following.setdefault(target, (*way, *((mark, at) for mark in more)))
            ways = following
            if not ways:
                return None
        ended = [(self.leaving(place), way) for place, way in ways.items()]
        found = [
            (one.weight, (*way, *((mark, -1) for mark in one.end)))
            for one, way in ended if one.end is not None
        ]  # fmt: skip
        return _filled(max(found, key=lambda one: one[0])[1]) if found else None


def _filled(marks: Marks) -> Accepted:
    """The sentence of marks with the words that they came with, and its slots."""
    sentence = next(mark for mark, _ in marks if isinstance(mark, Sentence))
    slots = {name: Filled(name, value) for name, value in sentence.slots}
    begun: list[Filled] = []
    for mark, at in marks:
        if isinstance(mark, Sentence):
            continue
        if mark != CLOSE:
            begun.append(Filled(*mark, max(at, 0)))
        elif begun:
            one = begun.pop()
            slots[one.name] = one._replace(end=at + 1 if at >= 0 else one.first)
    return Accepted(sentence, tuple(slots.values()))


def _deeper(part: Rule | Listed | Range, where: str, within: tuple[str, ...]) -> tuple[str, ...]:
    """Names within each other. Raises RequestError for one that stands within itself."""
    if isinstance(part, Range):
        return within
    name = f"<{part.name}>" if isinstance(part, Rule) else f"{{{part.name}}}"
    if name in within:
        chain = " in ".join((name, *reversed(within[within.index(name) :])))
        message = f"{where}: {name} stands within itself ({chain}), so no sentence would end"
        raise RequestError(message)
    if len(within) >= DEEPEST:
        what = f"{where}: {name}"
        raise LimitError(what, len(within) + 1, DEEPEST, "names within each other")
    return (*within, name)
