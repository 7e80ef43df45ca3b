"""A network that turns a row of symbols into another, and its search: letters to phones and back.

Every symbol yields a chunk of no, one or more symbols of the other kind. The network gives the
log-probability of each chunk from the symbols around and the chunks just before, so a result is a
path through the row, symbol by symbol. Method: a window as in NETtalk (Sejnowski and Rosenberg,
1987), with the output before as context, as in joint-sequence models (Bisani and Ney, 2008).

The file describes itself by its metadata: `chunks` (parted by spaces; symbols joined by "+", "_"
for none; the number after the last is the start of a row), `before` and `after` (symbols seen each
way; number 0 is outside of the row), `history` (chunks seen).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from earshot.errors import INSTALL, BundleError
from earshot.networks import metadata, open_network

Symbols = tuple[str, ...]
Ints = npt.NDArray[np.int64]
# What was written so far and the last chunks, newest last, to their natural log-probability. The
# symbols to come are the same for all, so two paths that agree in both are one.
Paths = dict[tuple[Symbols, tuple[int, ...]], float]

SIZES = ("before", "after", "history")
NOTHING = "_"


def add(total: dict[Any, float], key: object, logp: float) -> None:
    """One more way to the same: their probabilities add up."""
    total[key] = float(np.logaddexp(total.get(key, -np.inf), logp))


def best(total: dict[Symbols, float], count: int) -> dict[Symbols, float]:
    """The likeliest rows, best first."""
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0]))[:count])


class Rewriter:
    """A network and the search over its chunks."""

    def __init__(self, path: Path, beam: int, *needed: str) -> None:
        """Open a file; `beam` paths are kept a symbol, and its metadata must have what is `needed`.

        Raises BundleError if it is damaged or of another kind.
        """
        self._session, self._beam = open_network(path), beam
        facts = metadata(self._session)
        try:
            self._before, self._after, self._history = (int(facts[size]) for size in SIZES)
            self.facts = {name: facts[name] for name in (*needed, "chunks")}
        except (KeyError, ValueError) as error:
            message = f"{path}: not a network for spelling ({error}); {INSTALL}"
            raise BundleError(message) from None
        self._inputs = [given.name for given in self._session.get_inputs()]
        names = self.facts["chunks"].split()
        self._chunks = [() if name == NOTHING else tuple(name.split("+")) for name in names]

    def rewrite(self, numbers: Sequence[int], count: int) -> dict[Symbols, float]:
        """The `count` likeliest rows for symbols numbered from 1 on, best first; none is empty."""
        row = np.array([*[0] * self._before, *numbers, *[0] * self._after], np.int64)
        width = max(self._beam, 2 * count)  # at least two, as one path may write nothing at all
        paths: Paths = {((), (len(self._chunks),) * self._history): 0.0}
        for i in range(len(numbers)):
            paths = self._step(row[i : i + self._before + 1 + self._after], paths, width)
        total: dict[Symbols, float] = {}
        for (written, _), logp in paths.items():
            if written:
                add(total, written, logp)
        return best(total, count)

    def _step(self, window: Ints, paths: Paths, width: int) -> Paths:
        """One symbol further: the likeliest paths, after those that now agree became one."""
        keys = list(paths)
        last = np.array([chunks for _, chunks in keys], np.int64)
        feed = dict(zip(self._inputs, (np.tile(window, (len(keys), 1)), last), strict=True))
        score = self._session.run(None, feed)[0] + np.array(list(paths.values()))[:, None]
        likely = np.argsort(-score, axis=None)[: 4 * width]  # more than stay, as some become one
        merged: Paths = {}
        for flat in likely.tolist():
            path, chunk = divmod(flat, score.shape[1])
            written, chunks = keys[path]
            add(merged, (written + self._chunks[chunk], (*chunks[1:], chunk)), score[path, chunk])
        return dict(sorted(merged.items(), key=lambda item: -item[1])[:width])
