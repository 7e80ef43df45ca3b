"""Closed grammars against an exhaustive enumeration: the same sentences, the same best path."""

import json
import math
from itertools import chain, product

import numpy as np
import pytest
from earshot.automaton import Automaton
from earshot.catalog import Catalog
from earshot.closed import ClosedGrammar, ClosedTrees
from earshot.grammar import Weights
from earshot.intents import read
from earshot.lexicon import Pronunciations
from earshot.places import Places
from earshot.search import Search, SearchSettings
from earshot.witness import SPARE, WORST, Witness

from tests.small import SPOKEN, SYMBOLS, RandomScorer

WIDE = SearchSettings(
    beam=100_000, width=1e9, extend_width=1e9, lattice_width=1e9, ilm_scale=0.2, lm_scale=0.5
)
FRAMES = 6
MARKS = np.array([symbol.endswith("|") for symbol in SYMBOLS])
KINDS = ("word", "word", "both", "either", "perhaps")
Words = tuple[str, ...]


def template(dice: np.random.Generator, depth: int = 3) -> tuple[str, set[Words]]:
    """A template and all that it says."""
    kind = dice.choice(KINDS) if depth else "word"
    if kind == "word":
        word = str(dice.choice(list(SPOKEN)))
        return word, {(word,)}
    left, lefts = template(dice, depth - 1)
    if kind == "perhaps":
        return f"[{left}]", lefts | {()}
    right, rights = template(dice, depth - 1)
    if kind == "either":
        return f"({left}|{right})", lefts | rights
    return f"{left} {right}", {a + b for a, b in product(lefts, rights)}


def automaton(*templates: tuple[str, float]) -> Automaton:
    text = "\n".join(
        f"[[intents.A]]\nsentences = {json.dumps([one])}\nweight = {weight}"
        for one, weight in templates
    )
    return Automaton.build(Places(read(text, "it"), "it"), "it")


def accepted(found: Automaton, state: int = 0) -> dict[Words, float]:
    """All sentences from a state on, with their weights."""
    weight = float(found.accept[state])
    sentences: dict[Words, float] = {(): weight} if np.isfinite(weight) else {}
    for arc in np.flatnonzero(found.source == state):
        rest = accepted(found, int(found.target[arc]))
        sentences |= {(found.words[found.word[arc]], *more): w for more, w in rest.items()}
    return sentences


def grammar(found: Automaton) -> ClosedGrammar:
    said = [SPOKEN[word] for word in found.words]
    tokens = np.array([one + [0] * (3 - len(one)) for one in said])
    rows = Pronunciations(np.arange(len(said)), tokens, np.zeros(len(said), np.float32))
    weights = Weights(WIDE.lm_scale, WIDE.word_bonus, WIDE.nothing)
    return ClosedGrammar(ClosedTrees(found, rows), MARKS, weights)


def sound(scorer: RandomScorer, sentence: Words) -> float:
    """The best way to say words in the frames that there are; -inf for too few."""
    tokens = list(chain.from_iterable(SPOKEN[word] for word in sentence))
    best = np.full(len(tokens) + 1, -np.inf)
    best[0] = 0.0
    contexts = np.array([0, *tokens])
    internal = WIDE.ilm_scale * scorer.internal(contexts)
    for t in range(FRAMES):
        logp = scorer.logp(t, contexts)
        moved = [best[i] + logp[i, v] - internal[i, v] for i, v in enumerate(tokens)]
        best = best + logp[:, 0]
        best[1:] = np.maximum(best[1:], moved)
    return float(best[-1])


def by_hand(seed: int, sentences: dict[Words, float]) -> dict[Words, float]:
    """The score of every sentence, and of none."""
    scorer = RandomScorer(seed, FRAMES)
    scorer.hear(np.zeros((FRAMES, 1), np.float32))
    weights = {**sentences, (): WIDE.lm_scale * WIDE.nothing}
    return {sentence: sound(scorer, sentence) + w for sentence, w in weights.items()}


def searched(seed: int, found: Automaton) -> tuple[Words, float]:
    """The best sentence and its score."""
    made = grammar(found)
    search = Search(RandomScorer(seed, FRAMES), made, Catalog.empty(len(SYMBOLS)), WIDE)
    search.accept(np.zeros((FRAMES, 1), np.float32))
    raw = search.raw()
    total = raw.last.score + raw.closing
    words = search._memory.words_to(int(raw.last.back[total.argmax()]))
    return tuple(made.spelling(word) for word, _, _ in words), float(total.max())


@pytest.mark.parametrize("seed", range(40))
def test_the_same_sentences_and_the_same_best_path_as_one_by_one(seed: int) -> None:
    dice = np.random.default_rng(seed)
    (one, ones), (two, twos) = template(dice), template(dice)
    wanted = {("a", *rest): 0.0 for rest in ones} | {(*rest, "b"): math.log(2) for rest in twos}
    found = automaton((f"a {one}", 1.0), (f"{two} b", 2.0))
    assert accepted(found) == pytest.approx(wanted)
    scores = by_hand(seed, wanted)
    best, score = searched(seed, found)
    assert score == pytest.approx(max(scores.values()), abs=1e-4)
    assert scores[best] == pytest.approx(score, abs=1e-4)


@pytest.mark.parametrize("seed", range(30))
def test_the_automaton_accepts_exactly_what_the_templates_say(seed: int) -> None:
    one, says = template(np.random.default_rng(seed), 4)
    found = automaton((f"cab {one}", 1.0))
    assert set(accepted(found)) == {("cab", *rest) for rest in says}


def test_the_automaton_is_the_smallest() -> None:
    found = automaton(("(a|b) (a|b) (ab|cab)", 1.0), ("bee (a|b) ab", 1.0))
    assert len(found.accept) == 6
    assert len(found.source) == 3 + 2 + 2 + 2 + 1


@pytest.mark.parametrize("seed", range(10))
def test_the_witness_finds_the_best_of_all_tokens(seed: int) -> None:
    scorer = RandomScorer(seed, 4)
    witness = Witness(scorer, WIDE.ilm_scale)
    witness.hear(np.zeros((4, 1), np.float32))
    best = -np.inf
    for tokens in product(range(len(SYMBOLS)), repeat=4):
        score, context = 0.0, np.array([0])
        for t, token in enumerate(tokens):
            own = WIDE.ilm_scale * scorer.internal(context)[0, token] if token else 0.0
            score += float(scorer.logp(t, context)[0, token]) - own
            context = np.array([token]) if token else context
        best = max(best, score)
    assert witness.score == pytest.approx(best, abs=1e-4)
    assert witness.misfit(-np.inf, 1) == WORST
    assert witness.misfit(witness.score, 1) == 0
    fewer = min(witness.tokens, 2)
    assert witness.misfit(witness.score - 1, 2) == pytest.approx(1 / (fewer + SPARE))
