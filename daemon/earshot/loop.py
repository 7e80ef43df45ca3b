"""Words outside the lexicon: any phones, as likely as the lexicon's own words make them.

Behind the nodes of the lexicon's tree lies a *loop*: a node for each pair of phones, an arc from
each to every phone that may follow the two, and an end. From the root arcs lead into the loop, so
a word may leave the tree's paths at its first phone only. What an arc costs is the natural log of a
trigram of phones: an unknown word obeys the sounds of the language (a phone-loop filler with a
phone language model, Bazzi and Glass, 2000). Hypotheses that meet at a node of the loop are one,
whatever phones led there; a *trail* remembers the phones of the best.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from earshot.column import Column
from earshot.lexicon import Pronunciations, Tree

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
LEAST = 2e-3  # probability of a phone after two others, from which the loop has an arc for it


class Unknown(NamedTuple):
    """A word outside the lexicon: how it may be spelt, and the phones that were heard."""

    text: str
    phones: tuple[str, ...]


Spelling = str | Unknown
Spell = Callable[[Sequence[int]], Spelling]


def written(spelling: Spelling) -> Unknown:
    """A spelling with its phones, none for a word of the lexicon."""
    return spelling if isinstance(spelling, Unknown) else Unknown(spelling, ())


@dataclass(frozen=True, slots=True)
class Loop:
    """The tree with the loop behind it."""

    tree: Tree
    score: Floats  # [arcs] natural log, of the arcs of the loop; 0 in the lexicon's tree
    first: int  # node; those below are the lexicon's
    spell: Spell
    """writes the word of some tokens"""

    @classmethod
    def build(
        cls, tree: Tree, rows: Pronunciations, marks: npt.NDArray[np.bool_], word: int, spell: Spell
    ) -> Self:
        """From the lexicon's tree and its rows; `marks` [V] end a word, which is number `word`."""
        first, size = len(tree.first), len(marks)
        pair, token, logp = _trigrams(rows, size)
        end = first + size**2  # behind the nodes of all pairs, of which many are never reached
        nodes = end + 1
        parent = np.where(pair > 0, first + pair, 0)
        child = np.where(marks[token], end, first + pair % size * size + token)
        parents = np.concatenate([np.repeat(np.arange(first), tree.count), parent])
        order = np.argsort(parents, kind="stable")  # the root's arcs become one range
        count = np.bincount(parents, minlength=nodes)
        ended = np.append(tree.word_count, np.eye(1, nodes - first, end - first, dtype=np.int64))
        joined = Tree(
            np.cumsum(count) - count,
            count,
            np.concatenate([tree.token, token])[order],
            np.concatenate([tree.child, child])[order],
            np.cumsum(ended) - ended,
            ended,
            np.append(tree.word, word),
            np.append(tree.word_score, np.float32(0.0)),
            np.append(tree.look, np.zeros(nodes - first, np.float32)),
        )
        score = np.concatenate([np.zeros(len(tree.token), np.float32), logp])[order]
        return cls(joined, score, first, spell)


def _trigrams(rows: Pronunciations, size: int) -> tuple[Ints, Ints, Floats]:
    """The likely tokens after pairs of tokens: pair, token, natural log of the probability.

    A pair's number is its first token times `size` plus its second, where 0 is before the word.
    Trigrams are smoothed by bigrams, the more the more kinds of token follow a pair (Witten and
    Bell, 1991).
    """
    padded = np.pad(rows.tokens, ((0, 0), (2, 0)))
    first, second, third = (padded[:, i : i + rows.tokens.shape[1]] for i in range(3))
    numbers = ((first * size + second) * size + third)[third > 0]
    count = np.bincount(numbers, minlength=size**3).reshape(size, size, size)
    pairs = count.sum(0)
    shorter = pairs / np.maximum(pairs.sum(1, keepdims=True), 1)
    kinds = (count > 0).sum(2, keepdims=True)
    share = (count + kinds * shorter) / np.maximum(count.sum(2, keepdims=True) + kinds, 1)
    share = share.reshape(size**2, size)
    pair, token = np.nonzero(share >= LEAST)
    return pair, token, np.log(share[pair, token]).astype(np.float32)


class Trail:
    """The tokens of unknown words of an utterance, as a tree; its node 0 is no token."""

    def __init__(self) -> None:
        self._before, self._token = Column(0, np.int64), Column(0, np.int64)

    def add(self, before: Ints, token: Ints) -> Ints:
        """Nodes [N] for tokens [N] after nodes [N]."""
        first = len(self._token.values)
        self._before.append(before)
        self._token.append(token)
        return np.arange(first, first + len(token))

    def tokens(self, node: int) -> list[int]:
        """All tokens on the way to a node, first to last."""
        before, token, found = self._before.values, self._token.values, []
        while node:
            found.append(int(token[node]))
            node = int(before[node])
        return found[::-1]
