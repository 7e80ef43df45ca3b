"""Small numbers in few bytes: asymmetric numeral systems (Duda, 2009) over one large integer.

Each number is written by a table of how often each value is expected, so what is likely costs
next to nothing, and a part of a bit does not cost a whole one. The integer is as long as it has to
be, so there is nothing to renormalise. Numbers are read in the order in which they were written.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Self

from earshot.errors import RequestError

PRECISION = 1 << 12  # total of a geometric table
MOST_BITS = 32  # of a number


@dataclass(frozen=True, slots=True)
class Table:
    """How often each value 0, 1, … is expected."""

    borders: tuple[int, ...]
    """[K + 1] running sums, from 0 up to the total"""

    @classmethod
    def of(cls, often: Sequence[int]) -> Self:
        """From a whole number above 0 for each value."""
        return cls((0, *accumulate(often)))

    @classmethod
    def falling(cls, ratio: float, size: int, first: float = 1.0) -> Self:
        """Values of which each is expected `ratio` times as often as the one before.

        `first` is how much more often 0 is expected than that.
        """
        shares = [first, *(ratio**i for i in range(1, size))]
        return cls.of([max(1, round(PRECISION * share / sum(shares))) for share in shares])


class Writer:
    """Takes numbers, then gives the bytes."""

    def __init__(self) -> None:
        self._steps: list[tuple[int, int, int]] = []

    def even(self, value: int, count: int) -> None:
        """Write a value below `count`, of which none is likelier than others."""
        self._steps.append((value, 1, count))

    def one(self, value: int, table: Table) -> None:
        """Write a value that the table has."""
        begin, end = table.borders[value], table.borders[value + 1]
        self._steps.append((begin, end - begin, table.borders[-1]))

    def number(self, value: int, table: Table) -> None:
        """Write any value from 0 on; the table's last stands for those that it lacks."""
        last = len(table.borders) - 2
        self.one(min(value, last), table)
        if value >= last:
            rest = value - last + 1
            self.even(rest.bit_length() - 1, MOST_BITS)
            self.even(rest - (1 << rest.bit_length() - 1), 1 << rest.bit_length() - 1)

    def data(self) -> bytes:
        """All that was written."""
        x = 1
        for begin, size, total in reversed(self._steps):
            x = x // size * total + begin + x % size
        return x.to_bytes((x.bit_length() + 7) // 8)


class Reader:
    """Gives the numbers back. Bytes that nobody wrote give any numbers, and an end that is none."""

    def __init__(self, data: bytes) -> None:
        self._x = int.from_bytes(data)

    def even(self, count: int) -> int:
        """Read what `Writer.even` wrote."""
        self._x, value = divmod(self._x, count)
        return value

    def one(self, table: Table) -> int:
        """Read what `Writer.one` wrote."""
        high, low = divmod(self._x, table.borders[-1])
        value = bisect_right(table.borders, low) - 1
        begin, end = table.borders[value], table.borders[value + 1]
        self._x = high * (end - begin) + low - begin
        return value

    def number(self, table: Table) -> int:
        """Read what `Writer.number` wrote."""
        value = self.one(table)
        if value < len(table.borders) - 2:
            return value
        bits = self.even(MOST_BITS)
        return value + (1 << bits) + self.even(1 << bits) - 1

    def finish(self) -> None:
        """Raise RequestError unless all was read, and nothing else was there."""
        if self._x != 1:
            message = "the packed bytes are damaged; pack the lattice again"
            raise RequestError(message)
