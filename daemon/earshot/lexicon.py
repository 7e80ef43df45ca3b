"""The lexicon: how words are pronounced, as a prefix tree in flat arrays.

The file is text, a pronunciation a line: word, natural log of the share it has among the word's
pronunciations, phones; sorted by word. Tokens of the bundle are phones, each plain and with a mark
at the end of a word.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from earshot.errors import INSTALL, BundleError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
WORD_END = "|"  # marks the last phone of a word


@dataclass(frozen=True, slots=True)
class Pronunciations:
    """Rows of a lexicon: word numbers [P], tokens [P, longest] padded with 0, log shares [P]."""

    word: Ints
    tokens: Ints
    share: Floats
    rise: float | Floats = 0.0
    """natural log [P]; what each token adds to what is looked ahead to"""

    def joined(self, more: Self) -> Self:
        """These and more."""
        longest = max(self.tokens.shape[1], more.tokens.shape[1])
        padded = (
            np.pad(t, ((0, 0), (0, longest - t.shape[1]))) for t in (self.tokens, more.tokens)
        )
        return type(self)(
            np.append(self.word, more.word),
            np.concatenate(list(padded)),
            np.append(self.share, more.share),
            np.append(np.broadcast_to(self.rise, len(self.word)), more.rise),
        )


@dataclass(frozen=True, slots=True)
class Tree:
    """Prefix tree; node 0 is the root. Children and ended words are ranges (CSR)."""

    first: Ints  # [nodes] first child arc
    count: Ints
    token: Ints  # [arcs]
    child: Ints  # [arcs]
    word_first: Ints  # [nodes] first ended word
    word_count: Ints
    word: Ints  # [pronunciations]
    word_score: Floats  # [pronunciations] log share
    look: Floats  # [nodes] best score of a word from here on; 0 at the root

    @classmethod
    def build(cls, rows: Pronunciations, unigram: Floats) -> Self:
        """From pronunciations and the natural log-probability of each word [V]."""
        order = np.lexsort(rows.tokens.T[::-1])
        tokens, word, share = rows.tokens[order], rows.word[order], rows.share[order]
        length = (tokens > 0).sum(1)
        node = _nodes(tokens)  # [P, longest], the node after each token
        nodes = int(node.max()) + 1
        inside = np.arange(tokens.shape[1]) < length[:, None]
        above = np.concatenate([np.zeros((len(node), 1), np.int64), node[:, :-1]], 1)
        child, at = np.unique(node[inside], return_index=True)
        parent, token = above[inside][at], tokens[inside][at]
        look = np.full(nodes, -np.inf, np.float32)
        score = (unigram[word] + share).astype(np.float32)
        rise = np.broadcast_to(rows.rise, len(order))[order].astype(np.float32)
        ahead = score[:, None] + rise[:, None] * np.arange(1, tokens.shape[1] + 1, dtype=np.float32)
        np.maximum.at(look, node[inside], ahead[inside])
        look[0] = 0.0
        last = node[np.arange(len(node)), length - 1]
        by_node = np.argsort(last, kind="stable")
        children, ended = _ranges(parent, nodes), _ranges(last, nodes)
        return cls(*children, token, child, *ended, word[by_node], share[by_node], look)

    def with_branches(self, branch: Ints, rows: Pronunciations) -> tuple[Self, Ints]:
        """More trees behind this one, and their roots: that of each row's branch [P].

        Nothing is looked ahead to in them.
        """
        kinds, number = np.unique(branch, return_inverse=True)
        tokens = np.concatenate([number[:, None] + 1, rows.tokens], 1)
        none = np.zeros(int(rows.word.max(initial=0)) + 1, np.float32)
        more = self.build(replace(rows, tokens=tokens), none)
        more.look[1 : len(kinds) + 1] = 0.0
        shift, arcs = len(self.first) - 1, len(self.token) - len(kinds)
        joined = type(self)(
            np.append(self.first, more.first[1:] + arcs),
            np.append(self.count, more.count[1:]),
            np.append(self.token, more.token[len(kinds) :]),
            np.append(self.child, more.child[len(kinds) :] + shift),
            np.append(self.word_first, more.word_first[1:] + len(self.word)),
            np.append(self.word_count, more.word_count[1:]),
            np.append(self.word, more.word),
            np.append(self.word_score, more.word_score),
            np.append(self.look, more.look[1:]),
        )
        return joined, number + 1 + shift

    def words_of(self, tokens: Iterable[int]) -> Ints:
        """The words that are said exactly so; none is most often the answer."""
        node = 0
        for token in tokens:
            arcs = slice(self.first[node], self.first[node] + self.count[node])
            found = self.child[arcs][self.token[arcs] == token]
            if not len(found):
                return np.zeros(0, np.int64)
            node = int(found[0])
        return self.word[self.word_first[node] : self.word_first[node] + self.word_count[node]]


def _ranges(owner: Ints, nodes: int) -> tuple[Ints, Ints]:
    """First and count of each node's rows, which lie in the order of their owners."""
    count = np.bincount(owner, minlength=nodes)
    return np.cumsum(count) - count, count


def _nodes(tokens: Ints) -> Ints:
    """Nodes after the tokens of sorted pronunciations: depth by depth, children together."""
    new = np.ones(tokens.shape, np.bool_)
    new[1:] = np.logical_or.accumulate(tokens[1:] != tokens[:-1], axis=1)
    new &= tokens > 0
    node, before = np.zeros(tokens.shape, np.int64), 0
    for depth in range(tokens.shape[1]):
        node[:, depth] = np.cumsum(new[:, depth]) + before
        before = int(node[-1, depth])
    return node


def padded(rows: Sequence[Sequence[int]]) -> Ints:
    """Tokens [P, longest] of rows of different lengths, 0 behind the last of each."""
    found = np.zeros((len(rows), max(map(len, rows), default=0)), np.int64)
    for row, tokens in zip(found, rows, strict=True):
        row[: len(tokens)] = tokens
    return found


def read(path: Path, words: list[str], symbols: list[str], mark: str) -> Pronunciations:
    """The pronunciations of the language model's words. Raises BundleError for a damaged file."""
    number = {word: i for i, word in enumerate(words)}
    token = {symbol: i for i, symbol in enumerate(symbols)}
    found: list[int] = []
    shares: list[float] = []
    spoken: list[list[int]] = []
    try:
        for line in path.read_text(encoding="utf8").splitlines():
            word, share, phones = line.split("\t")
            if word in number:
                *inner, last = phones.split(" ")
                spoken.append([*(token[p] for p in inner), token[last + mark]])
                found.append(number[word])
                shares.append(float(share))
    except (OSError, ValueError, KeyError) as error:
        message = f"{path}: not a lexicon ({error!r}); {INSTALL}"
        raise BundleError(message) from error
    if not found:
        message = f"{path}: no word of the language model has a pronunciation; {INSTALL}"
        raise BundleError(message)
    numbers = np.array(found, np.int64)
    return Pronunciations(numbers, padded(spoken), np.array(shares, np.float32))
