"""What may follow: the lexicon's tree with the language model, or nothing but word pieces.

A grammar answers the search in whole arrays. Its nodes are places inside a word, its states what
the language model remembers of the words before.

    children  every token a node allows: the hypothesis it extends, the token, the child, the gain
    words     which of those complete a word, and the child from which the search goes on
    enter     the node behind a child, asked only for those that the search keeps
    final     hypotheses that may end here, with the word that ends them, if one is under way

A node is a place, and above it (<< SHIFT) the number of whatever else led there that no future
depends on: hypotheses at one place are one.
"""
# ruff: noqa: ARG002 - one protocol, two grammars: each leaves aside what only the other needs

from copy import copy
from typing import NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt

from earshot.bundle import WORD_START
from earshot.lexicon import Tree
from earshot.loop import Loop, Spelling, Trail
from earshot.ngram import Ngram
from earshot.own import Own

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
NONE = -1  # no word
SHIFT = 32  # bits of a place
PLACE = (1 << SHIFT) - 1
NOTHING = -6.0  # natural log before scaling: an utterance without words, of which texts tell none
OWN = -12.0  # natural log before scaling: a name is as likely as a word that is rather rare
UNKNOWN = 0.0  # natural log before scaling: a word outside the lexicon has all that is backed off


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

    def favour(self, state: Ints, word: Ints) -> Floats:
        """What words [W] after states [W] earn for being the owner's own."""

    def enter(self, child: Ints, token: Ints) -> Ints:
        """Nodes behind children [M] that were reached by tokens [M]."""

    def ends_word(self, node: Ints, token: Ints) -> npt.NDArray[np.bool_]:
        """Which extensions [M] may end a word and must not go on inside it."""

    def language(self, state: Ints, word: Ints) -> tuple[Floats, Ints]:
        """Scaled language score of words [W] after states [W], and the states after them."""

    def final(self, node: Ints, state: Ints) -> tuple[npt.NDArray[np.bool_], Ints, Floats]:
        """Whether hypotheses [N] may end, the word that then ends or NONE, and its score."""

    def spelling(self, word: int) -> Spelling:
        """A word as it is written, and what was heard where the lexicon lacks it."""


class Weights(NamedTuple):
    """How the language model counts."""

    scale: float = 1.0
    bonus: float = 0.0
    """natural log, a word"""
    nothing: float = NOTHING
    """natural log before scaling, of an utterance without words"""
    unknown: float = UNKNOWN
    """natural log before scaling, of a word outside the lexicon"""


class LexiconGrammar:
    """Prefix tree of pronunciations with unigram look-ahead, and a word language model.

    With a loop, words may also be any phones. They then count as the words of the lexicon do: the
    language model backs off to the probability `unknown`, which is their look-ahead; the trigrams
    of their phones count in full beside it, as evidence of sound.
    """

    start_node = 0
    marked = True

    def __init__(  # noqa: PLR0913, PLR0917 - all that a vocabulary is made of
        self,
        tree: Tree,
        ngram: Ngram,
        marks: npt.NDArray[np.bool_],
        weights: Weights,
        loop: Loop | None = None,
        own: Own | None = None,
    ) -> None:
        """`marks` [V]: tokens that end a word."""
        self._ngram, self._marks, self._weights, self._loop = ngram, marks, weights, loop
        self._own = own or Own.none()
        self._last = ngram.unknown + len(self._own.words)  # what follows are trails
        self._tree = tree = loop.tree if loop else tree
        self._trail = Trail()
        self.start_state = ngram.start
        look = tree.look.copy()
        gain = np.zeros(len(tree.child), np.float32)
        if loop:
            look[loop.first :] = weights.unknown
            gain = loop.score
        self._look = (weights.scale * look).astype(np.float32)
        # What is known better of the word to come.
        self._gain = self._look[tree.child] - np.repeat(self._look, tree.count) + gain

    def fresh(self) -> Self:
        """The same for another utterance."""
        other = copy(self)
        other._trail = Trail()  # noqa: SLF001 - its own kind
        return other

    def children(self, node: Ints) -> tuple[Ints, Ints, Ints, Floats]:
        """Children in tree and loop."""
        tree, place = self._tree, node & PLACE
        row, at = spread(tree.first[place], tree.count[place])
        return row, tree.token[at], tree.child[at] + (node - place)[row], self._gain[at]

    def ends_word(self, node: Ints, token: Ints) -> npt.NDArray[np.bool_]:
        """Tokens with a word-end mark."""
        return self._marks[token]

    def words(self, node: Ints, token: Ints, child: Ints) -> tuple[Ints, Ints, Ints, Floats]:
        """All words pronounced like the way to `child`; look-ahead is given back."""
        tree, place = self._tree, child & PLACE
        row, at = spread(tree.word_first[place], tree.word_count[place])
        word = tree.word[at]
        outside = np.flatnonzero(word == self._ngram.unknown)
        trail = self._trail.add(child[row[outside]] >> SHIFT, token[row[outside]])
        word[outside] = self._last + trail
        gain = self._weights.scale * tree.word_score[at] - self._look[place[row]]
        take, onward = self._onward(word)
        return row[take], word[take], onward, gain[take]

    def _onward(self, word: Ints) -> tuple[Ints, Ints]:
        """Where to go on after words [W]: rows, and nodes; in a name, at the words after it too."""
        every = np.arange(len(word))
        mine, own = self._mine(word)
        if not len(mine):
            return every, np.zeros(len(word), np.int64)
        over = np.ones(len(word), np.bool_)
        over[mine] = self._own.whole[own]
        root = self._own.root[own]
        rows = np.concatenate([every[over], mine[root > 0]])
        return rows, np.concatenate([np.zeros(int(over.sum()), np.int64), root[root > 0]])

    def _mine(self, word: Ints) -> tuple[Ints, Ints]:
        """Rows of the own ones among words [W], and their numbers among the own."""
        mine = np.flatnonzero((word > self._ngram.unknown) & (word <= self._last))
        return mine, word[mine] - self._ngram.unknown - 1

    def enter(self, child: Ints, token: Ints) -> Ints:
        """A child in the tree is a node; one in the loop is a place, reached by a trail."""
        if self._loop is None:
            return child
        place = child & PLACE
        outside = np.flatnonzero(place >= self._loop.first)
        trail = self._trail.add(child[outside] >> SHIFT, token[outside])
        place[outside] += trail << SHIFT
        return place

    def language(self, state: Ints, word: Ints) -> tuple[Floats, Ints]:
        """Of the n-gram; every unknown word is the same to it, and so is every name of a kind."""
        unknown, weights, own = self._ngram.unknown, self._weights, self._own
        like, extra = np.minimum(word, unknown), np.zeros(len(word), np.float32)
        mine, number = self._mine(word)
        like[mine], extra[mine] = own.like[number], own.extra[number]
        extra[word > self._last] = weights.unknown
        inside = like == NONE
        score, following = self._ngram.both(state, np.where(inside, 0, like))
        score = np.where(inside, 0, score) + extra
        return weights.scale * score + weights.bonus, np.where(inside, state, following)

    def favour(self, state: Ints, word: Ints) -> Floats:
        """What the own ones among them earn."""
        found = np.zeros(len(word), np.float32)
        mine, number = self._mine(word)
        if len(mine):
            found[mine] = self._own.earned(number, state[mine], self._ngram)
        return found

    def final(self, node: Ints, state: Ints) -> tuple[npt.NDArray[np.bool_], Ints, Floats]:
        """Only between words; with the score of the sentence's end, or of hearing nothing."""
        none = np.full(len(node), NONE, np.int64)
        nothing, scale = self._weights.nothing, self._weights.scale
        end = np.where(state == self.start_state, nothing, self._ngram.end_score(state))
        return node == self.start_node, none, (scale * end).astype(np.float32)

    def spelling(self, word: int) -> Spelling:
        """Of the language model's vocabulary, or of the phones that were heard."""
        if word < self._ngram.unknown:
            return self._ngram.words[word]
        if word <= self._last or self._loop is None:
            return self._own.words[word - self._ngram.unknown - 1]
        return self._loop.spell(self._trail.tokens(word - self._last))


class PieceGrammar:
    """Word pieces: every token may follow; a piece that begins a word ends the one before."""

    start_node = 0
    start_state = 0
    marked = False

    def __init__(self, pieces: list[str]) -> None:
        self._begins = np.array([piece.startswith(WORD_START) for piece in pieces])
        self._usable = np.flatnonzero([not _special(piece) for piece in pieces])
        self._pieces = [piece.removeprefix(WORD_START) for piece in pieces]
        self._node, self._text = {"": 0}, [""]  # grow with what is said

    def fresh(self) -> Self:
        """The same for another utterance."""
        other = copy(self)
        other._node, other._text = {"": 0}, [""]  # noqa: SLF001 - its own kind
        return other

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

    def favour(self, state: Ints, word: Ints) -> Floats:
        """None: words are told apart only as they are written."""
        return np.zeros(len(word), np.float32)

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
