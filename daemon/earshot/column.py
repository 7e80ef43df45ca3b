"""A column of numbers that grows as an utterance goes on."""

from copy import copy
from typing import Any, Self

import numpy as np
import numpy.typing as npt


class Column:
    """A column that grows, without copying it each time."""

    def __init__(self, first: float, kind: type[np.int64 | np.float64]) -> None:
        self._room = np.full(256, first, kind)
        self._size = 1

    def append(self, values: npt.NDArray[Any]) -> None:
        """Add values [K]."""
        size = self._size + len(values)
        if size > len(self._room):
            self._room = np.concatenate([self._room, np.empty(size, self._room.dtype)])
        self._room[self._size : size] = values
        self._size = size

    def copy(self) -> Self:
        """The same, growing on by itself."""
        other = copy(self)
        other._room = self._room[: self._size].copy()  # noqa: SLF001 - its own kind
        return other

    @property
    def values(self) -> npt.NDArray[Any]:
        """All so far."""
        return self._room[: self._size]
