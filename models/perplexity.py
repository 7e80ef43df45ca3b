"""How well a written language model expects texts."""

import math

import numpy as np
from earshot.ngram import Ngram

from models.texts import words_of


def perplexity(model: Ngram, texts: list[str]) -> tuple[float, float]:
    """Perplexity of known words and sentence ends, and the share of unknown words in percent.

    After an unknown word nothing is known of what follows, as in the daemon.
    """
    number = {w: i for i, w in enumerate(model.words)}
    total, known, unknown = 0.0, 0, 0
    for text in texts:
        state = np.array([model.start])
        for word in [*words_of(text), "</s>"]:
            if word not in number:
                unknown, state = unknown + 1, np.array([model.unknown])
                continue
            logp, state = model.both(state, np.array([number[word]]))
            total, known = total + float(logp[0]), known + 1
    return math.exp(-total / max(known, 1)), 100 * unknown / max(known + unknown, 1)
