"""A recogniser small enough to be checked by hand: four words of three phones, random sounds."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from earshot.grammar import LexiconGrammar, Weights
from earshot.lexicon import Pronunciations, Tree
from earshot.ngram import Ngram, write

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
SYMBOLS = ["<blk>", "A", "B", "C", "A|", "B|", "C|"]
WORDS = ["<s>", "</s>", "a", "ab", "b", "bee", "cab"]
SPOKEN = {"a": [4], "ab": [1, 5], "b": [5], "bee": [5], "cab": [3, 1, 5]}


class RandomScorer:
    """A predictor with one token of context and made-up sounds."""

    start_context = 0

    def __init__(self, seed: int, frames: int, sharpness: float = 2.0) -> None:
        dice = np.random.default_rng(seed)
        logits = dice.normal(0, sharpness, (frames, len(SYMBOLS), len(SYMBOLS)))
        logits[:, :, 0] += 1
        self.table = (logits - np.log(np.exp(logits).sum(-1, keepdims=True))).astype(np.float32)
        self._own = dice.normal(-2, 0.3, (len(SYMBOLS), len(SYMBOLS))).astype(np.float32)
        self._own[:, 0] = 0
        self._heard = 0

    def hear(self, encoded: Floats) -> None:
        self._heard, self._now = self._heard + len(encoded), self._heard

    def logp(self, t: int, contexts: Ints) -> Floats:
        return np.asarray(self.table[self._now + t, contexts])

    def internal(self, contexts: Ints) -> Floats:
        return np.asarray(self._own[contexts])

    def advance(self, _contexts: Ints, tokens: Ints) -> Ints:
        return tokens


def ngram(folder: Path, words: list[str] = WORDS) -> Ngram:
    """A bigram over WORDS, and others that follow them, with one trigram, as a file."""
    size = len(words)
    more = [0.05] * (size - len(WORDS))
    unigram = np.log(np.array([1e-9, 0.2, 0.2, 0.15, 0.2, 0.15, 0.1, *more]))
    sections = {
        "words": np.frombuffer("\n".join(words).encode(), np.uint8),
        "unigram": unigram,
        "backoff1": np.full(size, -0.3),
        "start2": np.array([0, 2, 2, 3, *[4] * (size - 3)]),
        "word2": np.array([2, 4, 3, 2]),  # <s> a, <s> b, a ab, ab a
        "value2": np.array([0, 1, 2, 1]),
        "context3": np.array([0]),
        "backoff3": np.array([0]),
        "start3": np.array([0, 1]),
        "word3": np.array([4]),  # <s> a b
        "value3": np.array([0]),
        "codes": np.concatenate(
            [[-0.5, -1.0, -1.5], np.zeros(253), [-0.2], np.zeros(255), [-0.4], np.zeros(255)]
        ),
    }
    write(folder / "small.lm", sections)
    return Ngram(folder / "small.lm")


def tree(model: Ngram) -> Tree:
    """The prefix tree of SPOKEN."""
    tokens = np.zeros((len(SPOKEN), 3), np.int64)
    for row, phones in zip(tokens, SPOKEN.values(), strict=True):
        row[: len(phones)] = phones
    numbers = np.array([WORDS.index(w) for w in SPOKEN])
    return Tree.build(
        Pronunciations(numbers, tokens, np.zeros(len(SPOKEN), np.float32)), model.unigram
    )


def grammar(folder: Path, scale: float = 0.6) -> LexiconGrammar:
    """Words of SPOKEN under the small language model."""
    model = ngram(folder)
    marks = np.array([s.endswith("|") for s in SYMBOLS])
    return LexiconGrammar(tree(model), model, marks, Weights(scale))
