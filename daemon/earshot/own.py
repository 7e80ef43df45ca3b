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
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from earshot.lexicon import Pronunciations, Tree, padded
from earshot.names import NONE, Names, OwnWord, class_of
from earshot.ngram import Ngram

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Marks = npt.NDArray[np.bool_]
EXPECTED = -5.0  # natural log; a class this likely is expected
LEAST_SCALE = 0.05  # of a language model that hardly counts
UNEXPECTED = -12.0  # natural log; one this unlikely is not, and its names are not favoured


class Favour(NamedTuple):
    """What own words earn, where they are expected: natural logs."""

    word: float = 0.0
    phone: float = 0.0


@dataclass(frozen=True, slots=True)
class Own:
    """Own words, numbered after the unknown word of the language model."""

    words: tuple[str, ...]
    like: Ints  # [W] word of the language model that it is scored as; NONE inside of a name
    extra: Floats  # [W] natural log beside that score, before scaling
    whole: Marks  # [W] a name may end with it
    root: Ints  # [W] where the words after it stand in the tree; 0 where none does
    classed: Marks  # [W] stands for a class
    rise: Floats  # [W] natural log; what each of its phones earns, where it is expected
    favour: Floats  # [W] natural log; what it earns in all

    @classmethod
    def none(cls) -> Self:
        """No word."""
        none = np.zeros(0, np.int64)
        nothing = none.astype(np.float32)
        return cls((), none, nothing, none > 0, none, none > 0, nothing, nothing)

    @classmethod
    def build(cls, names: Names, ngram: Ngram, lacking: float, favour: Favour) -> Self:
        """Of names; `lacking` is the natural log of words that the language model cannot place."""
        number = {word: i for i, word in enumerate(ngram.words)}
        counts = Counter(form.named.kind for form in names.forms)

        def row(one: OwnWord) -> tuple[int, float, bool, float]:
            place = number.get(class_of(one.kind))
            # Where no class tells where a name belongs, its phrase earns for each phone instead.
            rise = 0.0 if place is None else one.weight * favour.phone
            if one.before != NONE:
                return NONE, 0.0, False, rise
            if place is not None:
                return place, math.log(one.share / max(1, counts[one.kind.value])), True, rise
            known = number.get(one.text, ngram.unknown)
            return known, lacking if known == ngram.unknown else 0.0, False, rise

        like, extra, classed, rise = list(zip(*map(row, names.words), strict=True)) or [()] * 4
        lengths = [len(one.said[0]) for one in names.words]
        each = [one.weight * favour.word for one in names.words]
        return cls(
            tuple(one.text for one in names.words),
            np.array(like, np.int64),
            np.array(extra, np.float32),
            np.array([one.whole for one in names.words], np.bool_),
            np.zeros(len(names.words), np.int64),
            np.array(classed, np.bool_),
            np.array(rise, np.float32),
            (np.array(each) + np.array(rise) * lengths).astype(np.float32),
        )

    def look(self, ngram: Ngram) -> Floats:
        """What is looked ahead to [W]: names where they are expected, not where they are rare."""
        plain = ngram.unigram[np.maximum(self.like, 0)]
        likely = np.where(self.classed, np.float32(EXPECTED), plain)
        return np.where(self.like == NONE, 0, likely + self.extra).astype(np.float32)

    def earned(self, word: Ints, state: Ints, ngram: Ngram) -> Floats:
        """What own words [N] earn after states [N]: the more, the more their class is expected."""
        found = self.favour[word].copy()
        classed = np.flatnonzero(self.classed[word])
        score = ngram.score(state[classed], self.like[word[classed]])
        found[classed] *= np.clip((score - UNEXPECTED) / (EXPECTED - UNEXPECTED), 0, 1)
        return found


def grown(
    rows: Pronunciations, own: Own, names: Names, ngram: Ngram, scale: float
) -> tuple[Tree, Own]:
    """The tree of the lexicon's words and the own ones, and those with their roots.

    `scale` is the language model's; what words earn has none.
    """
    base, rise = ngram.unknown + 1, own.rise / max(scale, LEAST_SCALE)
    parts = (
        _rows(names, [i for i, one in enumerate(names.words) if (one.before == NONE) is whether])
        for whether in (True, False)
    )
    first, more = (replace(p, rise=rise[p.word], word=p.word + base) for p in parts)
    look = np.concatenate([ngram.unigram, own.look(ngram)])
    tree = Tree.build(rows.joined(first), look)
    if not len(more.word):
        return tree, own
    before = np.array([names.words[i].before for i in more.word - base], np.int64)
    tree, root = tree.with_branches(before, more)
    roots = own.root.copy()
    roots[before] = root
    return tree, replace(own, root=roots)


def _rows(names: Names, some: list[int]) -> Pronunciations:
    """How own words are said."""
    said = [(i, tokens) for i in some for tokens in names.words[i].said]
    word = np.array([i for i, _ in said], np.int64)
    tokens = padded([tokens for _, tokens in said])
    return Pronunciations(word, tokens, np.zeros(len(word), np.float32))
