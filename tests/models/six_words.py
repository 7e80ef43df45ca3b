"""Six words that sound alike, and networks that hear them."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from earshot.bundle import Bundle
from earshot.ngram import write

from models.phones import SIZE, SYMBOLS, tokens

Floats = npt.NDArray[np.float32]
WORDS = ["<s>", "</s>", "red", "read", "reed", "a", "way", "away"]
SAID = {
    "red": ["R EH D"],
    "read": ["R IY D", "R EH D"],
    "reed": ["R IY D"],
    "a": ["AH", "EY"],
    "way": ["W EY"],
    "away": ["AH W EY"],
}
UNIGRAM = [1e-9, 0.1, 0.2, 0.2, 0.1, 0.2, 0.1, 0.1]


def bundle(folder: Path) -> Bundle:
    """Lexicon and a language model of single words; no network."""
    size, none = len(WORDS), np.zeros(0)
    zeros = np.zeros(size)
    sections = dict.fromkeys(("word2", "value2", "context3", "backoff3", "word3", "value3"), none)
    sections |= {
        "words": np.frombuffer("\n".join(WORDS).encode(), np.uint8),
        "unigram": np.log(UNIGRAM),
        "backoff1": zeros,
        "start2": np.zeros(size + 1),
        "start3": np.zeros(1),
        "codes": np.zeros(3 * 256),
    }
    write(folder / "words.lm", sections)
    lines = [f"{w}\t{-0.5 * i}\t{way}\n" for w, ways in SAID.items() for i, way in enumerate(ways)]
    (folder / "lexicon").write_text("".join(lines), encoding="utf8")
    parts = tuple(folder / f"{name}.onnx" for name in ("encoder", "decoder", "joiner"))
    tuning = {"search": {"lm_scale": 0.5, "ilm_scale": 0.3, "word_bonus": -0.2}}
    return Bundle(folder, "words", "1", "phones", tuple(SYMBOLS), parts, tuning)  # type: ignore[arg-type]


def said(text: str) -> list[int]:
    """The tokens of words in their first pronunciations."""
    return [token for word in text.split() for token in tokens(SAID[word][0].split())]


def sounds(text: str, sure: float, seed: int = 0) -> Floats:
    """Log-probabilities [T, V, V] of a network that hears a text, a token every other frame."""
    heard = said(text)
    logits = np.random.default_rng(seed).normal(0, 1, (2 * len(heard) + 4, SIZE, SIZE))
    logits[:, :, 0] += 9
    for i, token in enumerate(heard):
        logits[2 * i + 1, :, token] += sure
    return torch.from_numpy(logits.astype(np.float32)).log_softmax(-1).numpy()


def expectation(seed: int = 1) -> Floats:
    """What a predictor expects after each token."""
    found = np.random.default_rng(seed).normal(-3, 0.5, (SIZE, SIZE)).astype(np.float32)
    found[:, 0] = 0
    return found
