"""Two ways of hearing the same recordings: how many errors more, with bootstrap 95 % intervals.

Recordings are drawn, and both ways are counted on those drawn: what makes a recording hard is then
the same for both (Bisani & Ney, 2004).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Interval = tuple[float, float, float]  # figure, low, high
DRAWS = 1000


def _sums(*columns: Sequence[int]) -> npt.NDArray[np.float64]:
    """Totals of each column, first of all recordings, then of each draw [1 + DRAWS, columns]."""
    table = np.array(columns, np.float64)
    count = table.shape[1]
    picks = np.random.default_rng(0).integers(0, count, (DRAWS, count))
    return np.concatenate([table.sum(1)[None], table[:, picks].sum(2).T])


def _interval(figures: npt.NDArray[np.float64]) -> Interval:
    low, high = np.percentile(figures[1:], (2.5, 97.5))
    return round(float(figures[0]), 3), round(float(low), 3), round(float(high), 3)


def ratio(errors: Sequence[int], others: Sequence[int]) -> Interval:
    """Errors of one way by those of the other; no errors count as one."""
    one, other = _sums(errors, others).T
    return _interval(one / np.maximum(other, 1))


def difference(errors: Sequence[int], others: Sequence[int], said: Sequence[int]) -> Interval:
    """Error rate of one way less that of the other, in points of percent."""
    one, other, words = _sums(errors, others, said).T
    return _interval(100 * (one - other) / np.maximum(words, 1))
