"""A model of a few words with random weights, hashed and by name; and small random lattices."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from earshot.events import Alternative, Arc, Lattice, Result, Word
from earshot.nlu import Nlu
from earshot.packed import Table, cut

from models import nlu_plain
from models.nlu_plain import Cue, Plain, Weights

INTENTS = ("none", "light", "call", "time", "talk")
SLOTS = ("room", "person")
SENTENCES = tuple(
    tuple(text.split())
    for text in (
        "turn on the light in the kitchen", "call anna smith", "wake me at seven", "stop",
        "is the light on in the hall", "call the kitchen at twenty past seven", "a", "o'clock",
    )
)  # fmt: skip
CODES = np.linspace(-2, 2, 16).astype(np.float32)
VOCABULARY = [*sorted({word for words in SENTENCES for word in words}), "never", "heard", "eight"]


def weights(cues: set[Cue], columns: int, dice: np.random.Generator) -> Weights:
    """Weights of most cues."""
    found: Weights = {}
    for cue in sorted(cues):
        if dice.random() < 0.8:
            chosen = dice.permutation(columns)[: dice.integers(1, columns + 1)]
            found[cue] = [(int(c), float(CODES[dice.integers(len(CODES))])) for c in sorted(chosen)]
    return found


def table(known: Weights, bits: int = 40) -> Table:
    """The same weights by key."""
    cues = list(known)
    keys = cut(np.array([nlu_plain.key_of(cue) for cue in cues], np.uint64), 7, bits)
    order = np.argsort(keys)
    rows = [known[cues[i]] for i in order]
    pairs = [pair for row in rows for pair in row]
    first = np.append(0, np.cumsum([len(row) for row in rows])).astype(np.int64)
    column = np.array([c for c, _ in pairs], np.int64)
    code = np.array([int(np.abs(CODES - w).argmin()) for _, w in pairs], np.int64)
    return Table(7, bits, keys[order], first, column, code, CODES)


def models(seed: int = 0) -> tuple[Nlu, Plain]:
    """The same model twice."""
    dice = np.random.default_rng(seed)
    bags = set().union(*(nlu_plain.bag(words) for words in SENTENCES))
    places = {
        cue
        for words in SENTENCES
        for intent in range(len(INTENTS))
        for row in nlu_plain.places(words, intent)
        for cue in row
    }
    whole, word = weights(bags, len(INTENTS), dice), weights(places, len(SLOTS) + 1, dice)
    following = dice.normal(0, 1, (len(SLOTS) + 2, len(SLOTS) + 1)).astype(np.float16)
    plain = Plain(INTENTS, SLOTS, whole, word, following.astype(np.float64))
    return Nlu(INTENTS, SLOTS, table(whole), table(word), plain.following), plain


def lattice(dice: np.random.Generator, nodes: int = 5) -> Lattice:
    """A random lattice, with posteriors that are those of its paths."""
    links = {(i, i + 1) for i in range(nodes - 1)}
    links |= {tuple(sorted(dice.choice(nodes, 2, replace=False).tolist())) for _ in range(nodes)}
    every = sorted((*link, str(dice.choice(VOCABULARY))) for link in links for _ in range(2))
    every = list(dict.fromkeys(every))
    raw = dice.uniform(0.2, 1, len(every))
    leaving = np.bincount([source for source, _, _ in every], raw, nodes)
    reached, arcs = np.eye(1, nodes)[0], []
    for (source, target, word), weight in zip(every, raw.tolist(), strict=True):
        share = float(weight / leaving[source])
        posterior = float(reached[source]) * share
        reached[target] += posterior
        arcs.append(Arc(source, target, word, 0, 1, float(np.log(share)), 0.0, 0.0, posterior))
    return Lattice(tuple(range(nodes)), tuple(arcs))


def paths(found: Lattice, node: int = 0) -> list[tuple[float, tuple[str, ...]]]:
    """All paths with their probabilities."""
    if node == len(found.nodes) - 1:
        return [(1.0, ())]
    return [
        (float(np.exp(arc.acoustic)) * chance, (arc.word, *words))
        for arc in found.arcs
        if arc.source == node
        for chance, words in paths(found, arc.target)
    ]


def line(words: Sequence[str], *others: Sequence[str]) -> Result:
    """A result of one path; `others` are in its n-best list alone."""
    places = pairwise(range(len(words) + 1))
    arcs = tuple(
        Arc(a, b, word, a, b, 0.0, 0.0, 0.0, 1.0)
        for (a, b), word in zip(places, words, strict=True)
    )
    best = tuple(Word(arc.word, arc.start, arc.end, 1.0) for arc in arcs)
    texts = [" ".join(one) for one in (words, *others)]
    listed = tuple(Alternative(text, -float(i)) for i, text in enumerate(texts))
    return Result(best, 1.0, listed, Lattice(tuple(range(len(words) + 1)), arcs))
