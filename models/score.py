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


def rate(
    errors: Sequence[int], words: Sequence[int], draws: int = 1000
) -> tuple[float, float, float]:
    """Error rate in percent with its bootstrap 95 % interval over recordings (fixed seed)."""
    e, w = np.array(errors), np.array(words)
    picks = np.random.default_rng(0).integers(0, len(e), (draws, len(e)))
    low, high = np.percentile(100 * e[picks].sum(1) / np.maximum(w[picks].sum(1), 1), (2.5, 97.5))
    return 100 * float(e.sum()) / max(int(w.sum()), 1), float(low), float(high)
