"""Word errors: edit distance, and a rate with a bootstrap interval."""

from collections.abc import Sequence

import numpy as np


def edits(wanted: Sequence[str | int], given: Sequence[str | int]) -> int:
    """Fewest substitutions, insertions and deletions between two sequences."""
    row = list(range(len(given) + 1))
    for i, want in enumerate(wanted, 1):
        diagonal, row[0] = row[0], i
        for j, got in enumerate(given, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (want != got))
    return row[-1]


def aligned(wanted: Sequence[str], given: Sequence[str]) -> list[tuple[str, str]]:
    """A shortest way from one to the other, last pair first; "" for what has no counterpart."""
    cost = [[i + j for j in range(len(given) + 1)] for i in range(len(wanted) + 1)]
    for i, want in enumerate(wanted, 1):
        for j, got in enumerate(given, 1):
            ways = (cost[i - 1][j - 1] + (want != got), cost[i - 1][j] + 1, cost[i][j - 1] + 1)
            cost[i][j] = min(ways)
    i, j, pairs = len(wanted), len(given), []
    while i or j:
        want, got = wanted[i - 1] if i else "", given[j - 1] if j else ""
        if want and got and cost[i][j] == cost[i - 1][j - 1] + (want != got):
            i, j = i - 1, j - 1
            pairs.append((want, got))
        elif want and cost[i][j] == cost[i - 1][j] + 1:
            i -= 1
            pairs.append((want, ""))
        else:
            j -= 1
            pairs.append(("", got))
    return pairs


def rate(
    errors: Sequence[float], words: Sequence[float], draws: int = 1000
) -> tuple[float, float, float]:
    """Error rate in percent with its bootstrap 95 % interval over recordings (fixed seed).

    Or any other sum in percent of another one; of nothing it is of 1.
    """
    e, w = np.array(errors), np.array(words)
    picks = np.random.default_rng(0).integers(0, len(e), (draws, len(e)))
    drawn = w[picks].sum(1)
    low, high = np.percentile(100 * e[picks].sum(1) / np.where(drawn, drawn, 1), (2.5, 97.5))
    return 100 * float(e.sum()) / (float(w.sum()) or 1), float(low), float(high)
