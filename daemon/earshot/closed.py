"""The grammar of a closed set of commands: a prefix tree for each state of its automaton.

All trees lie in one: a state is the first step from the root, so that what follows it are the
pronunciations of the words it allows, and no others. A word of this grammar is an arc of the
automaton; a node also tells the state, and the root, cut off, is where nothing may follow.
"""

from typing import Self

import numpy as np
import numpy.typing as npt

from earshot.automaton import Automaton
from earshot.grammar import NONE, Floats, Ints, Weights, spread
from earshot.lexicon import Pronunciations, Tree


class ClosedTrees:
    """What does not depend on settings: made once for a closed set."""

    def __init__(self, automaton: Automaton, said: Pronunciations) -> None:
        """`said` are the automaton's words, sorted by word."""
        self.automaton = automaton
        count = np.bincount(said.word, minlength=len(automaton.words))
        first = np.cumsum(count) - count
        arc, at = spread(first[automaton.word], count[automaton.word])
        tokens = np.concatenate([automaton.source[arc, None] + 1, said.tokens[at]], 1)
        rows = Pronunciations(arc, tokens, said.share[at])
        self.tree = Tree.build(rows, np.zeros(len(automaton.source), np.float32))
        self.tree.count[0] = 0
        self.states = int(automaton.source[-1]) + 1  # those with arcs: nodes 1 to `states`
        behind = automaton.target
        self.onward = np.where(behind < self.states, behind + 1, 0)


class ClosedGrammar:
    """Sentences of the automaton and nothing else."""

    start_node = 1
    start_state = 0
    marked = True

    def __init__(self, trees: ClosedTrees, marks: npt.NDArray[np.bool_], weights: Weights) -> None:
        """`marks` [V]: tokens that end a word."""
        self._trees, self._tree, self._automaton = trees, trees.tree, trees.automaton
        self._marks, self._weights = marks, weights
        self._look = (weights.scale * self._tree.look).astype(np.float32)
        self._look[: trees.states + 1] = 0.0  # between words nothing is promised

    def fresh(self) -> Self:
        """The same: an utterance changes nothing."""
        return self

    def children(self, node: Ints) -> tuple[Ints, Ints, Ints, Floats]:
        """Children in the tree of the state; the gain is what is known better of the word."""
        tree = self._tree
        row, at = spread(tree.first[node], tree.count[node])
        child = tree.child[at]
        return row, tree.token[at], child, self._look[child] - self._look[node][row]

    def ends_word(self, node: Ints, token: Ints) -> npt.NDArray[np.bool_]:  # noqa: ARG002
        """Tokens with a word-end mark."""
        return self._marks[token]

    def words(self, node: Ints, token: Ints, child: Ints) -> tuple[Ints, Ints, Ints, Floats]:  # noqa: ARG002
        """Arcs whose words are pronounced like the way to `child`; look-ahead is given back."""
        tree = self._tree
        row, at = spread(tree.word_first[child], tree.word_count[child])
        arc = tree.word[at]
        gain = self._weights.scale * tree.word_score[at] - self._look[child[row]]
        return row, arc, self._trees.onward[arc], gain.astype(np.float32)

    def favour(self, state: Ints, word: Ints) -> Floats:  # noqa: ARG002 - one protocol
        """None: whatever is in the set is as good."""
        return np.zeros(len(word), np.float32)

    def enter(self, child: Ints, token: Ints) -> Ints:  # noqa: ARG002
        """A child in the tree is a node."""
        return child

    def language(self, state: Ints, word: Ints) -> tuple[Floats, Ints]:  # noqa: ARG002
        """A bonus for each word; the state is where the arc leads."""
        return np.full(len(word), self._weights.bonus, np.float32), self._automaton.target[word]

    def final(self, node: Ints, state: Ints) -> tuple[npt.NDArray[np.bool_], Ints, Floats]:
        """Between words where a sentence may end, with its weight; or before any was said."""
        none = np.full(len(node), NONE, np.int64)
        nothing = self._weights.scale * self._weights.nothing
        start = (node == self.start_node) & (state == self.start_state)
        score = np.where(start, nothing, self._automaton.accept[state]).astype(np.float32)
        return (node <= self._trees.states) & np.isfinite(score), none, score

    def spelling(self, word: int) -> str:
        """The word of an arc."""
        return self._automaton.words[int(self._automaton.word[word])]
