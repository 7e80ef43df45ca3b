"""Forward-backward over a raw lattice: how likely each of its arcs is, given all of them.

Everything goes frame by frame on arrays: an arc leads from a boundary to one of a later frame.
"""

import numpy as np
import numpy.typing as npt

from earshot.grammar import spread
from earshot.memory import Arcs, RawLattice, Scores, joined_arcs


def closed(raw: RawLattice) -> Arcs:
    """All arcs, and again those into the last boundaries, as arcs into the one end."""
    arcs, end = raw.arcs, len(raw.frame)
    order = np.argsort(arcs.target, kind="stable")
    target, back = arcs.target[order], raw.last.back
    first = np.searchsorted(target, back)
    row, place = spread(first, np.searchsorted(target, back, "right") - first)
    closing = Arcs._make(column[order[place]] for column in arcs)
    earned = raw.last.bias[row]
    spent = (raw.last.score - raw.total[back])[row] - earned
    closing = closing._replace(
        target=np.full(len(row), end),
        acoustic=closing.acoustic + spent,
        language=closing.language + raw.closing[row],
        bias=closing.bias + earned,
    )
    return joined_arcs([arcs, closing])


def posteriors(arcs: Arcs, frame: npt.NDArray[np.int64]) -> Scores:
    """Posterior of each arc; `frame` of each boundary but the one end, which is after all.

    The start is before all: a word may end in the very first frame.
    """
    score = arcs.acoustic + arcs.language + arcs.bias
    frame = np.concatenate([[-1], frame[1:], [frame.max() + 1]])
    ahead, back = np.full(len(frame), -np.inf), np.full(len(frame), -np.inf)
    ahead[0], back[-1] = 0.0, 0.0
    for rows in _by_frame(frame[arcs.target]):
        np.logaddexp.at(ahead, arcs.target[rows], ahead[arcs.source[rows]] + score[rows])
    for rows in reversed(_by_frame(frame[arcs.source])):
        live = rows[back[arcs.target[rows]] > -np.inf]
        np.logaddexp.at(back, arcs.source[live], back[arcs.target[live]] + score[live])
    return np.asarray(np.exp(ahead[arcs.source] + score + back[arcs.target] - back[0]))


def _by_frame(frame: npt.NDArray[np.int64]) -> list[npt.NDArray[np.intp]]:
    """Rows of each frame, in order."""
    order = np.argsort(frame, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(frame[order])) + 1)


def best_path(arcs: Arcs, total: Scores) -> list[int]:
    """Rows of the best path's arcs; `total` is the best score to each boundary from the start."""
    score = total[arcs.source] + arcs.acoustic + arcs.language + arcs.bias
    node, path = len(total), []
    while node:
        into = np.flatnonzero(arcs.target == node)
        best = int(into[score[into].argmax()])
        path.append(best)
        node = int(arcs.source[best])
    return path[::-1]
