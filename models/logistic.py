"""Logistic regression of a few columns, by Newton's method."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
ROUNDS = 30
SURE = 30.0  # natural log; odds are not counted as larger
FLAT = 1e-9  # added to the curve, where all are sure


def regression(rows: Floats, wanted: Floats, weight: Floats, ridge: Floats) -> Floats:
    """Weights [F] for rows [N, F] that count so much [N], each held near 0 by its ridge [F]."""
    found, pull = np.zeros(rows.shape[1]), np.diag(ridge)
    for _ in range(ROUNDS):
        share = 1 / (1 + np.exp(-np.clip(rows @ found, -SURE, SURE)))
        slope = rows.T @ (weight * (wanted - share)) - pull @ found
        curve = (rows * (weight * share * (1 - share) + FLAT)[:, None]).T @ rows + pull
        found += np.linalg.solve(curve, slope)
    return found
