"""Predictor and joiner as the search asks for them: log-probabilities after contexts.

All in whole arrays. With one token of context the predictor has as many rows as there are tokens,
all known when the bundle is opened: then each chunk costs one call of the joiner for all of them.
Otherwise contexts are numbered as they appear, their rows kept, and the joiner is called for those
alive.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from earshot.errors import BundleError
from earshot.networks import metadata, number, open_network

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
BLANK = 0
# tokens; beyond, a joiner call for every token of a chunk costs more than the search
TABLE_LIMIT = 200


def log_softmax(logits: Floats) -> Floats:
    """Over the last axis."""
    shifted = logits - logits.max(-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)), np.float32)


class Transducer:
    """decoder.onnx and joiner.onnx of the sherpa-onnx convention."""

    def __init__(self, decoder: Path, joiner: Path) -> None:
        self._decoder, self._joiner = open_network(decoder), open_network(joiner)
        facts = metadata(self._decoder)
        self.size = number(facts, "vocab_size", decoder)
        self.context = number(facts, "context_size", decoder)
        outputs = len(self._decoder.get_outputs())
        if outputs != 1:
            message = (
                f"{decoder}: {outputs} outputs; only stateless predictors (one output) are known"
            )
            raise BundleError(message)
        self._token = self._decoder.get_inputs()[0].name
        self._rows = [i.name for i in self._joiner.get_inputs()]

    def predict(self, contexts: Ints) -> Floats:
        """Predictor rows [N, J] of the last tokens [N, context]."""
        return np.asarray(self._decoder.run(None, {self._token: contexts})[0])

    def join(self, encoded: Floats, predicted: Floats) -> Floats:
        """Log-probabilities [N, V] of rows [N, J] each."""
        given = dict(zip(self._rows, (encoded, predicted), strict=True))
        return log_softmax(self._joiner.run(None, given)[0])

    def width(self) -> int:
        """J, the size of the joiner's rows."""
        return int(self._joiner.get_inputs()[0].shape[1])


class Scorer(Protocol):
    """What the search asks. Contexts are opaque numbers."""

    start_context: int

    def hear(self, encoded: Floats) -> None:
        """A chunk of encoded frames [T, J]."""

    def logp(self, t: int, contexts: Ints) -> Floats:
        """Log-probabilities [N, V] at frame t of the chunk after contexts [N]."""

    def internal(self, contexts: Ints) -> Floats:
        """Estimate of what the predictor alone expects [N, V], blank 0 (Meng et al., 2021)."""

    def advance(self, contexts: Ints, tokens: Ints) -> Ints:
        """Contexts [N] after tokens [N]."""


def _internal(transducer: Transducer, predicted: Floats) -> Floats:
    """The joiner without sound, over all tokens but blank."""
    silent = np.zeros_like(predicted)
    logp = transducer.join(silent, predicted)
    logp[:, 1:] = log_softmax(logp[:, 1:])
    logp[:, BLANK] = 0.0
    return logp


class PredictorTable:
    """All rows of a predictor with one token of context; made once a bundle."""

    def __init__(self, transducer: Transducer) -> None:
        self.transducer = transducer
        self.rows = transducer.predict(np.arange(transducer.size)[:, None])
        self.internal = _internal(transducer, self.rows)


class TableScorer:
    """One token of context: a context is its token."""

    start_context = BLANK

    def __init__(self, table: PredictorTable) -> None:
        self._table = table
        self._logp = np.zeros((0, 0, 0), np.float32)

    def hear(self, encoded: Floats) -> None:
        """One call of the joiner for every frame after every token."""
        rows, size = self._table.rows, len(self._table.rows)
        pairs = np.repeat(encoded, size, 0), np.tile(rows, (len(encoded), 1))
        self._logp = self._table.transducer.join(*pairs).reshape(len(encoded), size, size)

    def logp(self, t: int, contexts: Ints) -> Floats:
        """Rows of the table."""
        return np.asarray(self._logp[t, contexts])

    def internal(self, contexts: Ints) -> Floats:
        """Rows of the table."""
        return self._table.internal[contexts]

    def advance(self, contexts: Ints, tokens: Ints) -> Ints:  # noqa: ARG002 - the protocol's
        """The token."""
        return tokens


class CachedScorer:
    """Any context: contexts are numbered as they appear in an utterance."""

    start_context = 0

    def __init__(self, transducer: Transducer) -> None:
        self._transducer = transducer
        # icefall's rule, which sherpa-onnx follows: nothing (-1), and blank last.
        self._tokens = [(*([-1] * (transducer.context - 1)), BLANK)]
        self._number = {self._tokens[0]: 0}
        self._rows = np.zeros((0, transducer.width()), np.float32)
        self._encoded = np.zeros((0, transducer.width()), np.float32)

    def hear(self, encoded: Floats) -> None:
        """Kept until it is asked about."""
        self._encoded = encoded

    def _predicted(self, contexts: Ints) -> Floats:
        fresh = self._tokens[len(self._rows) :]
        if fresh:
            rows = self._transducer.predict(np.array(fresh, np.int64))
            self._rows = np.concatenate([self._rows, rows])
        return self._rows[contexts]

    def logp(self, t: int, contexts: Ints) -> Floats:
        """One call of the joiner."""
        encoded = np.repeat(self._encoded[t : t + 1], len(contexts), 0)
        return self._transducer.join(encoded, self._predicted(contexts))

    def internal(self, contexts: Ints) -> Floats:
        """One call of the joiner."""
        return _internal(self._transducer, self._predicted(contexts))

    def advance(self, contexts: Ints, tokens: Ints) -> Ints:
        """Numbers of the contexts one token on."""
        pairs = zip(contexts.tolist(), tokens.tolist(), strict=True)
        return np.array([self._named((*self._tokens[c][1:], t)) for c, t in pairs], np.int64)

    def _named(self, tokens: tuple[int, ...]) -> int:
        if tokens not in self._number:
            self._number[tokens] = len(self._tokens)
            self._tokens.append(tokens)
        return self._number[tokens]


def scorers(transducer: Transducer) -> Callable[[], Scorer]:
    """The kind of scorer that fits, one an utterance."""
    if transducer.context == 1 and transducer.size <= TABLE_LIMIT:
        table = PredictorTable(transducer)
        return lambda: TableScorer(table)
    return lambda: CachedScorer(transducer)


def greedy(scorer: Scorer, encoded: Floats) -> tuple[list[int], list[int]]:
    """Tokens and their frames by sherpa-onnx's greedy rule, of [T, J]: at most one a frame."""
    scorer.hear(encoded)
    context, tokens, frames = np.array([scorer.start_context]), [], []
    for t in range(len(encoded)):
        token = int(scorer.logp(t, context)[0].argmax())
        if token != BLANK:
            tokens.append(token)
            frames.append(t)
            context = scorer.advance(context, np.array([token]))
    return tokens, frames
