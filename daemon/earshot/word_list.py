"""The words that parcels number: those of a language model, the commonest first."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from earshot.coder import Table

ZIPF = 10  # the word of rank r is said as often as 1 / (r + ZIPF): 0.2 bits a word above the truth
SPELT = 64  # one of so many words is outside the list


@dataclass(frozen=True)
class WordList:
    """Words by number. Without words, all are spelt."""

    words: tuple[str, ...] = ()
    number: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Number the words."""
        object.__setattr__(self, "number", {word: i for i, word in enumerate(self.words)})

    @classmethod
    def of_model(cls, words: Sequence[str], unigram: npt.NDArray[np.float32]) -> Self:
        """Of a language model (earshot.ngram), less its marks and classes."""
        order = np.argsort(-unigram[: len(words)], kind="stable").tolist()
        return cls(tuple(words[i] for i in order if words[i][0] not in "<$"))

    @cached_property
    def fingerprint(self) -> int:
        """What tells lists apart, 32 bits; 0 for the list without words."""
        text = "\n".join(self.words).encode()
        return max(1, zlib.crc32(text)) if text else 0

    @cached_property
    def table(self) -> Table:
        """How often each word is expected (Zipf), and behind them one that is spelt."""
        size = len(self.words)
        often = [(1 << 20) // (rank + ZIPF) for rank in range(size)]
        return Table.of([*often, max(1, sum(often) // SPELT)])
