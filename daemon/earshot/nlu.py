"""What words mean: which intent, and which words fill its slots. The model that a bundle brings.

The intent is a maximum-entropy choice by the cues of the whole utterance, the slots a linear-chain
conditional random field over those of each word, given the intent: a word has the tag of the slot
that it is part of, or OUTSIDE. `models.nlu` trains both and writes them as one file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt

from earshot import packed
from earshot.cues import Bag, places, table
from earshot.errors import INSTALL, BundleError
from earshot.packed import Table

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Tags = tuple[int, ...]
Tag = TypeVar("Tag", int, str)
FILE = "nlu.bin"
MAGIC = "earshot-nlu-1"
NONE = "none"  # the intent of what means nothing to a device
TALK = "talk"  # of what is read or told; to whoever asks for the intent it is NONE
OUTSIDE = 0  # the tag of a word that is part of no slot


@dataclass(frozen=True, slots=True)
class Nlu:
    """The model at run time."""

    intents: tuple[str, ...]
    slots: tuple[str, ...]  # the tag of each is its place, from 1
    whole: Table  # cues of an utterance, by intent
    word: Table  # cues of a word, by tag
    following: Floats  # [T + 1, T] natural log: a tag after another, or after none

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read the file. Raises BundleError where it is damaged."""
        facts, sections = packed.read(path, MAGIC)
        try:
            intents, slots = tuple(map(str, facts["intents"])), tuple(map(str, facts["slots"]))
            whole = Table.read(sections, "whole", len(intents))
            word = Table.read(sections, "word", len(slots) + 1)
            following = sections["following"].astype(np.float64)
            following = following.reshape(len(slots) + 2, len(slots) + 1)
            if NONE not in intents or not np.isfinite(following).all():
                message = f"no intent {NONE!r}, or no numbers"
                raise ValueError(message)  # noqa: TRY301 - answered as all that is wrong with it
        except (ValueError, KeyError, TypeError, IndexError) as error:
            message = f"{path}: not {MAGIC} ({error}); {INSTALL}"
            raise BundleError(message) from error
        return cls(intents, slots, whole, word, following)

    def write(self, path: Path) -> None:
        """Write the file."""
        facts = {"intents": self.intents, "slots": self.slots}
        sections = {
            **self.whole.sections("whole"),
            **self.word.sections("word"),
            "following": self.following.astype(np.float16).ravel(),
        }
        packed.write(path, MAGIC, facts, sections)

    def chances(self, bag: Bag) -> Floats:
        """Natural log P(intent) [I], with TALK as one of its own."""
        asked, column, weight = self.whole.of(bag.keys)
        return normal(summed(column, weight * bag.expected[asked], len(self.intents)))

    def meant(self, bag: Bag) -> Floats:
        """Natural log P(intent) [I]."""
        return merged(self.chances(bag), self.intents)

    def tagged(self, texts: Sequence[Sequence[str]], intent: int) -> list[Tags]:
        """The tags of the words of each text, given the intent."""
        lengths = np.array([len(words) for words in texts], np.int64)
        own = np.zeros((len(texts), int(lengths.max(initial=0)), len(self.slots) + 1))
        keys = [places(table(words), intent) for words in texts]
        own[np.arange(own.shape[1]) < lengths[:, None]] = self._own(np.concatenate(keys))
        return tagged(own, lengths, self.following)

    def _own(self, keys: packed.Keys) -> Floats:
        """Scores [N, T] of words by their own cues [N, K]."""
        count, tags = len(keys), len(self.slots) + 1
        asked, column, weight = self.word.of(keys.ravel())
        where = asked // keys.shape[1] * tags + column
        return summed(where, weight, count * tags).reshape(count, tags)


def merged(chances: Floats, intents: Sequence[str]) -> Floats:
    """Natural log-probabilities with that of TALK added to that of NONE."""
    if TALK not in intents:
        return chances
    found, none, talk = chances.copy(), intents.index(NONE), intents.index(TALK)
    found[none], found[talk] = np.logaddexp(found[none], found[talk]), -np.inf
    return found


def summed(column: Ints, weight: npt.NDArray[np.floating], size: int) -> Floats:
    """Sums [size] of weights by column."""
    return np.bincount(column, weight, size).astype(np.float64)


def normal(scores: Floats) -> Floats:
    """Natural log-probabilities that add up to one."""
    shifted = scores - scores.max(-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)))


def tagged(own: Floats, lengths: Ints, following: Floats) -> list[Tags]:
    """The best tags of several texts, by the scores [K, L, T] of their words (Viterbi)."""
    count, longest, tags = own.shape
    if not longest:
        return [()] * count
    best, back = own[:, 0] + following[-1], np.zeros((longest, count, tags), np.int64)
    for t in range(1, longest):
        alive = (t < lengths)[:, None]
        ways = best[:, :, None] + following[:-1]
        back[t] = np.where(alive, ways.argmax(1), np.arange(tags))
        best = np.where(alive, ways.max(1) + own[:, t], best)
    last = [best.argmax(1)]
    for t in range(longest - 1, 0, -1):
        last.append(back[t][np.arange(count), last[-1]])
    path = np.array(last[::-1]).T
    return [tuple(path[i, :n].tolist()) for i, n in enumerate(lengths.tolist())]


def spans(tags: Sequence[Tag]) -> Iterator[tuple[Tag, int, int]]:
    """Tag, first word and the one after the last: words in a row with the same tag are one slot.

    OUTSIDE, or where tags are names the empty one, is no slot.
    """
    at = 0
    for tag, group in groupby(tags):
        first, at = at, at + len(list(group))
        if tag:
            yield tag, first, at
