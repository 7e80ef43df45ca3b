"""The catalog in the search: an automaton over the bundle's tokens whose arcs carry a bonus.

Every hypothesis holds a state of it. An empty catalog has one state and gives nothing, so the
search needs no second way for it.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Catalog:
    """Tables [states, tokens]: the next state, and the bonus (natural log) of the way there."""

    following: Ints
    bonus: Floats

    @classmethod
    def empty(cls, tokens: int) -> Self:
        """The catalog that favours nothing."""
        return cls(np.zeros((1, tokens), np.int64), np.zeros((1, tokens), np.float32))

    def step(self, state: Ints, token: Ints) -> tuple[Ints, Floats]:
        """States [N] after tokens [N], and what these earned."""
        return self.following[state, token], self.bonus[state, token]
