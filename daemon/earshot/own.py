"""The words of the owner's names in the grammar: how likely each is, and what may follow it.

A class of the language model stands for all names of a kind ("call $contact"): where it is likely,
each of them is, and a name is no likelier elsewhere (class-based language model, Brown et al.,
1992). The words of one name come after each other: those after the first stand in a tree of their
own, behind the word before. Where the language model has no class for a kind, a name is as likely
as the settings say.
"""

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from earshot.lexicon import Pronunciations, Tree
from earshot.names import CLASS, NONE, Names, OwnWord, class_of
from earshot.ngram import Ngram

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Marks = npt.NDArray[np.bool_]
EXPECTED = -3.0  # natural log; a class where it is likely, which is what is looked ahead to


@dataclass(frozen=True, slots=True)
class Own:
    """Own words, numbered after the unknown word of the language model."""

    words: tuple[str, ...]
    like: Ints  # [W] word of the language model that it is scored as; NONE inside of a name
    extra: Floats  # [W] natural log beside that score, before scaling
    whole: Marks  # [W] a name may end with it
    root: Ints  # [W] where the words after it stand in the tree; 0 where none does
    favour: float = 0.0  # natural log, for being the owner's own

    @classmethod
    def none(cls) -> Self:
        """No word."""
        none = np.zeros(0, np.int64)
        return cls((), none, none.astype(np.float32), none > 0, none)

    @classmethod
    def build(cls, names: Names, ngram: Ngram, lacking: float, favour: float) -> Self:
        """Of names; `lacking` is the natural log of words that the language model cannot place."""
        number = {word: i for i, word in enumerate(ngram.words)}
        share = Counter(one.kind for one in names.words if one.whole)

        def scored(one: OwnWord) -> tuple[int, float]:
            if one.before != NONE:
                return NONE, 0.0
            if (known := number.get(class_of(one.kind))) is not None:
                return known, -math.log(share[one.kind])
            known = number.get(one.text, ngram.unknown)
            return known, lacking if known == ngram.unknown else 0.0

        rows = [scored(one) for one in names.words]
        return cls(
            tuple(one.text for one in names.words),
            np.array([like for like, _ in rows], np.int64),
            np.array([extra for _, extra in rows], np.float32),
            np.array([one.whole for one in names.words], np.bool_),
            np.zeros(len(names.words), np.int64),
            favour,
        )

    def look(self, ngram: Ngram) -> Floats:
        """What is looked ahead to [W]: names where they are expected, not where they are rare."""
        plain = ngram.unigram[np.maximum(self.like, 0)]
        classed = np.array([word.startswith(CLASS) for word in (*ngram.words, "")])
        expected = np.where(classed[self.like], np.float32(EXPECTED), plain)
        return np.where(self.like == NONE, 0, expected + self.extra).astype(np.float32)


def grown(rows: Pronunciations, own: Own, names: Names, ngram: Ngram) -> tuple[Tree, Own]:
    """The tree of the lexicon's words and the own ones, and those with their roots."""
    first = [i for i, one in enumerate(names.words) if one.before == NONE]
    inner = [i for i, one in enumerate(names.words) if one.before != NONE]
    base = ngram.unknown + 1
    look = np.concatenate([ngram.unigram, own.look(ngram)])
    tree = Tree.build(rows.joined(_rows(names, first, base)), look)
    if not inner:
        return tree, own
    more = _rows(names, inner, base)
    before = np.array([names.words[i].before for i in more.word - base], np.int64)
    tree, root = tree.with_branches(before, more)
    roots = own.root.copy()
    roots[before] = root
    return tree, replace(own, root=roots)


def _rows(names: Names, some: list[int], base: int) -> Pronunciations:
    """How own words are said, numbered from `base` on."""
    said = [(i, tokens) for i in some for tokens in names.words[i].said]
    tokens = np.zeros((len(said), max((len(t) for _, t in said), default=0)), np.int64)
    for row, (_, of_word) in zip(tokens, said, strict=True):
        row[: len(of_word)] = of_word
    word = np.array([base + i for i, _ in said], np.int64)
    return Pronunciations(word, tokens, np.zeros(len(word), np.float32))
