"""What may follow: the lexicon's tree with the language model, or nothing but word pieces.

A grammar answers the search in whole arrays. Its nodes are places inside a word, its states what
the language model remembers of the words before.

    children  every token a node allows: the hypothesis it extends, the token, the child, the gain
    words     which of those complete a word, and the child from which the search goes on
    enter     the node behind a child, asked only for those that the search keeps
    final     hypotheses that may end here, with the word that ends them, if one is under way
"""
# ruff: noqa: ARG002 - one protocol, two grammars: each leaves aside what only the other needs

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from earshot.bundle import WORD_START
from earshot.lexicon import Tree
from earshot.ngram import Ngram

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
NONE = -1  # no word
NOTHING = -6.0  # natural log before scaling: an utterance without words, of which texts tell none


def spread(first: Ints, count: Ints) -> tuple[Ints, Ints]:
    """Row numbers and positions of ranges: of [5, 9], [2, 1] they are [0, 0, 1], [5, 6, 9]."""
    row = np.repeat(np.arange(len(first)), count)
    before = np.cumsum(count) - count
    return row, np.arange(len(row)) + (first - before)[row]


class Grammar(Protocol):
    """What the search asks; [N] hypotheses, [M] extensions, [W] ended words."""

    start_node: int
    start_state: int
    marked: bool
    """the token that ends a word belongs to it (a phone with a mark), not to the next (a piece)"""

    def children(self, node: Ints) -> tuple[Ints, Ints, Ints, Floats]:
        """Extensions of nodes [N]: row, token, child, gain, each [M]."""

    def words(self, node: Ints, token: Ints, child: Ints) -> tuple[Ints, Ints, Ints, Floats]:
        """Extensions [M] that end a word: row, word, child to go on from, gain, each [W]."""

    def enter(self, child: Ints, token: Ints) -> Ints:
        """Nodes behind children [M] that were reached by tokens [M]."""

    def ends_word(self, node: Ints, token: Ints) -> npt.NDArray[np.bool_]:
        """Which extensions [M] may end a word and must not go on inside it."""

    def language(self, state: Ints, word: Ints) -> tuple[Floats, Ints]:
        """Scaled language score of words [W] after states [W], and the states after them."""

    def final(self, node: Ints, state: Ints) -> tuple[npt.NDArray[np.bool_], Ints, Floats]:
        """Whether hypotheses [N] may end, the word that then ends or NONE, and its score."""

    def spelling(self, word: int) -> str:
        """A word as it is written."""


class Weights(NamedTuple):
    """How the language model counts."""

    scale: float = 1.0
    bonus: float = 0.0
    """natural log, a word"""
    nothing: float = NOTHING
    """natural log before scaling, of an utterance without words"""


class LexiconGrammar:
    """Prefix tree of pronunciations with unigram look-ahead, and a word language model."""

    start_node = 0
    marked = True

    def __init__(
        self, tree: Tree, ngram: Ngram, marks: npt.NDArray[np.bool_], weights: Weights
    ) -> None:
        """`marks` [V]: tokens that end a word."""
        self._tree, self._ngram, self._marks = tree, ngram, marks
        self._scale, self._bonus, self._nothing = weights.scale, weights.bonus, weights.nothing
        self.start_state = ngram.start
        self._look = (weights.scale * tree.look).astype(np.float32)

    def children(self, node: Ints) -> tuple[Ints, Ints, Ints, Floats]:
        """Children in the tree; the gain is what is known better of the word to come."""
        tree = self._tree
        row, at = spread(tree.first[node], tree.count[node])
        child = tree.child[at]
        return row, tree.token[at], child, self._look[child] - self._look[node][row]

    def ends_word(self, node: Ints, token: Ints) -> npt.NDArray[np.bool_]:
        """Tokens with a word-end mark."""
        return self._marks[token]

    def words(self, node: Ints, token: Ints, child: Ints) -> tuple[Ints, Ints, Ints, Floats]:
        """All words pronounced like the way to `child`; look-ahead is given back."""
        tree = self._tree
        row, at = spread(tree.word_first[child], tree.word_count[child])
        gain = self._scale * tree.word_score[at] - self._look[child[row]]
        return row, tree.word[at], np.zeros(len(row), np.int64), gain

    def enter(self, child: Ints, token: Ints) -> Ints:
        """A child in the tree is a node."""
        return child

    def language(self, state: Ints, word: Ints) -> tuple[Floats, Ints]:
        """Of the n-gram."""
        score, following = self._ngram.both(state, word)
        return self._scale * score + self._bonus, following

    def final(self, node: Ints, state: Ints) -> tuple[npt.NDArray[np.bool_], Ints, Floats]:
        """Only between words; with the score of the sentence's end, or of hearing nothing."""
        none = np.full(len(node), NONE, np.int64)
        end = np.where(state == self.start_state, self._nothing, self._ngram.end_score(state))
        return node == self.start_node, none, (self._scale * end).astype(np.float32)

    def spelling(self, word: int) -> str:
        """Of the language model's vocabulary."""
        return self._ngram.words[word]


class PieceGrammar:
    """Word pieces: every token may follow; a piece that begins a word ends the one before."""

    start_node = 0
    start_state = 0
    marked = False

    def __init__(self, pieces: list[str]) -> None:
        self._begins = np.array([piece.startswith(WORD_START) for piece in pieces])
        self._usable = np.flatnonzero([not _special(piece) for piece in pieces])
        self._pieces = [piece.removeprefix(WORD_START) for piece in pieces]
        self._node: dict[str, int] = {"": 0}  # grows with what is said; one grammar an utterance
        self._text = [""]

    def children(self, node: Ints) -> tuple[Ints, Ints, Ints, Floats]:
        """Every piece after every hypothesis; the child is named only if the search keeps it."""
        row = np.repeat(np.arange(len(node)), len(self._usable))
        token = np.tile(self._usable, len(node))
        return row, token, node[row], np.zeros(len(row), np.float32)

    def ends_word(self, node: Ints, token: Ints) -> npt.NDArray[np.bool_]:
        """Pieces that begin a word, where one is under way."""
        return np.asarray(self._begins[token] & (node != self.start_node))

    def words(self, node: Ints, token: Ints, child: Ints) -> tuple[Ints, Ints, Ints, Floats]:
        """The word under way, as a node number; the search goes on in the new one."""
        rows = np.arange(len(node))
        return rows, node, np.full(len(node), self.start_node), np.zeros(len(node), np.float32)

    def enter(self, child: Ints, token: Ints) -> Ints:
        """Nodes after pieces were added to the words under way at nodes [M]."""
        pairs = zip(child.tolist(), token.tolist(), strict=True)
        return np.array([self._named(self._text[n] + self._pieces[t]) for n, t in pairs], np.int64)

    def _named(self, text: str) -> int:
        if text not in self._node:
            self._node[text] = len(self._text)
            self._text.append(text)
        return self._node[text]

    def language(self, state: Ints, word: Ints) -> tuple[Floats, Ints]:
        """None: the network has learnt the language with the sound."""
        return np.zeros(len(word), np.float32), state

    def final(self, node: Ints, state: Ints) -> tuple[npt.NDArray[np.bool_], Ints, Floats]:
        """Everywhere, with the word under way."""
        every = np.ones(len(node), np.bool_)
        return every, np.where(node == self.start_node, NONE, node), np.zeros(len(node), np.float32)

    def spelling(self, word: int) -> str:
        """The pieces joined."""
        return self._text[word]


def _special(piece: str) -> bool:
    return piece.startswith("<") and piece.endswith(">") and not piece.startswith("<0x")
