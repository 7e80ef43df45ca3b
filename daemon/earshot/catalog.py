"""The catalog in the search: phrases over the bundle's tokens, as an automaton with a bonus.

Every token along a phrase earns a bonus; leaving the phrase before its end takes back what was
earned since the last whole phrase. This is the automaton of Aho and Corasick (1975), as icefall
and sherpa-onnx have it for hot words, but for whole words only: a phrase begins where a word does,
and where a token marks the end of a word (phones), it ends there as well.

Every hypothesis holds a state of it. An empty catalog has no arcs and gives nothing, so the search
needs no second way for it. Arcs are sorted keys, since a table of all states and tokens would take
a hundred megabytes for ten thousand names.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Marks = npt.NDArray[np.bool_]
BETWEEN, INSIDE = 0, 1  # states that are on the way of no phrase: between words, inside of one
_FIRST = 2  # state after the first token of some phrase


@dataclass(frozen=True, slots=True)
class Catalog:
    """Phrases as arcs between states."""

    key: Ints  # [arcs] rising: state times tokens, plus token
    target: Ints  # [arcs]
    back: Ints  # [states] where the longest other beginning of a phrase stands that was also said
    worth: Floats  # [states] natural log; earned on the way there since the last whole phrase
    held: Floats  # [states] what leaving takes back: nothing at the end of a phrase
    ends: Marks  # [states] where a whole phrase was said
    marks: Marks  # [tokens] that end a word if `closing`, else those that begin one
    closing: bool

    @classmethod
    def empty(cls, tokens: int) -> Self:
        """The catalog that favours nothing."""
        none, states = np.zeros(0, np.int64), np.zeros(_FIRST, np.float32)
        marks = np.zeros(tokens, np.bool_)
        return cls(none, none, states.astype(np.int64), states, states, states > 0, marks, True)  # noqa: FBT003

    @classmethod
    def build(
        cls,
        phrases: Sequence[Sequence[int]],
        bonus: Sequence[float],
        marks: Marks,
        *,
        closing: bool,
    ) -> Self:
        """Of phrases and the natural log that each of their tokens earns.

        `marks` [tokens] are the tokens that end a word if `closing`, else those that begin one.
        """
        trie = _Trie(phrases, bonus)
        size, states = len(marks), len(trie.parent)
        order = np.argsort(trie.parent * size + trie.token, kind="stable")[_FIRST:]
        key = (trie.parent * size + trie.token)[order]
        made = cls(
            key, order, np.zeros(states, np.int64), np.zeros(states, np.float32),
            np.zeros(states, np.float32), trie.ends, marks, closing,
        )  # fmt: skip
        for states_there in trie.levels:
            made._settle(states_there, trie)
        return made

    def _settle(self, states: Ints, trie: "_Trie") -> None:
        """Fill the columns of states of one depth, knowing those of all before."""
        parent, token = trie.parent[states], trie.token[states]
        first = parent == BETWEEN
        self.back[states] = np.where(
            first, self._outside(token), self._step(self.back[parent], token)
        )
        self.worth[states] = self.held[parent] + trie.bonus[states]
        # Of a phrase that was also said on the way (its end is one of the states behind), the
        # bonus is not taken back.
        kept = np.where(self.ends[self.back[states]], self.worth[self.back[states]], 0)
        self.held[states] = np.maximum(self.worth[states] - kept, 0)
        if self.closing:
            self.held[states] = np.where(self.ends[states], 0, self.held[states])

    def _outside(self, token: Ints) -> Ints:
        """The state on the way of no phrase after tokens [N]."""
        if not self.closing:
            return np.full(len(token), BETWEEN)
        return np.where(self.marks[token], BETWEEN, INSIDE)

    def _step(self, state: Ints, token: Ints) -> Ints:
        """States [N] after tokens [N]."""
        found, now = self._outside(token), state.copy()
        waiting = np.arange(len(state))
        while len(waiting):
            wanted = now[waiting] * len(self.marks) + token[waiting]
            at = np.minimum(np.searchsorted(self.key, wanted), len(self.key) - 1)
            hit = self.key[at] == wanted
            found[waiting[hit]] = self.target[at[hit]]
            waiting = waiting[~hit]
            waiting = waiting[now[waiting] >= _FIRST]
            now[waiting] = self.back[now[waiting]]
        return found

    def step(self, state: Ints, token: Ints) -> tuple[Ints, Floats]:
        """States [N] after tokens [N], and what these earned."""
        if not len(self.key):
            return state, np.zeros(len(state), np.float32)
        following = self._step(state, token)
        return following, self.worth[following] - self._lost(state, self.marks[token])

    def _lost(self, state: Ints, marked: Marks) -> Floats:
        """What states [N] hold and lose, by whether what follows is marked."""
        if self.closing:
            return self.held[state]
        # A phrase of pieces is whole where the next piece begins a word.
        return np.where(self.ends[state] & marked, np.float32(0), self.held[state])

    def final(self, state: Ints) -> Floats:
        """What ending in states [N] takes back."""
        return self._lost(state, np.ones(len(state), np.bool_))


class _Trie:
    """The phrases' beginnings, state by state; parents before children."""

    def __init__(self, phrases: Sequence[Sequence[int]], bonus: Sequence[float]) -> None:
        states: dict[tuple[int, int], int] = {}
        parent, token, gain, depth = [0, 0], [0, 0], [0.0, 0.0], [0, 0]
        ends: set[int] = set()
        for phrase, each in zip(phrases, bonus, strict=True):
            state = BETWEEN
            for place, one in enumerate(phrase, 1):
                following = states.setdefault((state, one), len(parent))
                if following == len(parent):
                    parent.append(state)
                    token.append(one)
                    gain.append(each)
                    depth.append(place)
                gain[following] = max(gain[following], each)
                state = following
            if state != BETWEEN:
                ends.add(state)
        self.parent, self.token = np.array(parent), np.array(token)
        self.bonus = np.array(gain, np.float32)
        self.ends = np.zeros(len(parent), np.bool_)
        self.ends[list(ends)] = True
        by_depth = np.argsort(depth, kind="stable")
        border = np.searchsorted(np.array(depth)[by_depth], np.arange(1, max(depth) + 2))
        self.levels = [by_depth[a:b] for a, b in pairwise(border)]
