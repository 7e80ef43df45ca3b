"""What the network would have heard had it been free: the measure of how well a command fits.

Any tokens in any order, scored as the search scores them, are a garbage model that needs nothing
new: the network, its frames and its predictor are the same (as in the phone loops of keyword
spotters, Rose and Paul, 1990). No command scores better. The difference, per token, tells whether
the command was said, or other words or noise were forced into it. Of the tokens of the command and
those heard freely the fewer count: a short command forced into a long sentence leaves most of it
unheard, which costs little a token of the sentence, and much a token of the command.
"""

import numpy as np
import numpy.typing as npt

from earshot.transducer import BLANK, Scorer

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
SPARE = 2  # tokens; a short command may fit a little worse than a long one
WORST = 100.0  # of no command at all
KEPT = 16  # contexts a frame; with all of the shipped network's 79 nothing changes


class Witness:
    """A scorer that answers as another does, and keeps the best free score of what it hears."""

    def __init__(self, scorer: Scorer, ilm_scale: float) -> None:
        """`ilm_scale` is that of the search which is to be compared."""
        self._scorer, self._scale = scorer, np.float32(ilm_scale)
        self.start_context = scorer.start_context
        self._context = np.array([scorer.start_context], np.int64)
        self._score, self._tokens = np.zeros(1), np.zeros(1, np.int64)
        self._frame, self._last = 0, np.zeros(1, np.int64)

    @property
    def score(self) -> float:
        """Of the best free path so far."""
        return float(self._score.max())

    @property
    def tokens(self) -> int:
        """How many tokens that path has."""
        return int(self._tokens[self._score.argmax()])

    @property
    def last_token(self) -> int:
        """Frame of its last token; 0 before the first."""
        return int(self._last[self._score.argmax()])

    def misfit(self, score: float, tokens: int) -> float:
        """How much worse a path is than the best free one, natural log a token; up to WORST."""
        return min(max(0.0, (self.score - score) / (min(self.tokens, tokens) + SPARE)), WORST)

    def hear(self, encoded: Floats) -> None:
        """Let the other hear, and go on freely."""
        self._scorer.hear(encoded)
        for t in range(len(encoded)):
            self._step(t)

    def _step(self, t: int) -> None:
        logp = self._scorer.logp(t, self._context)
        score = self._score[:, None] + logp - self._scale * self._scorer.internal(self._context)
        score[:, BLANK] = self._score + logp[:, BLANK]
        likely = np.argpartition(-score, min(4 * KEPT, score.size - 1), None)[: 4 * KEPT]
        row, token = np.divmod(likely, score.shape[1])
        context = np.where(
            token == BLANK,
            self._context[row],
            self._scorer.advance(self._context[row], token),
        )
        order = np.lexsort((-score[row, token], context))
        first = np.flatnonzero(np.diff(context[order], prepend=-1))
        best = order[first]
        best = best[np.argsort(-score[row[best], token[best]])[:KEPT]]
        self._score = score[row[best], token[best]]
        self._tokens = self._tokens[row[best]] + (token[best] != BLANK)
        self._last = np.where(token[best] == BLANK, self._last[row[best]], self._frame)
        self._frame += 1
        self._context = context[best]

    def logp(self, t: int, contexts: Ints) -> Floats:
        """As the other."""
        return self._scorer.logp(t, contexts)

    def internal(self, contexts: Ints) -> Floats:
        """As the other."""
        return self._scorer.internal(contexts)

    def advance(self, contexts: Ints, tokens: Ints) -> Ints:
        """As the other."""
        return self._scorer.advance(contexts, tokens)
