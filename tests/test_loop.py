"""Unknown words: the loop and the grammar on it against an exhaustive search."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from earshot import paths
from earshot.catalog import Catalog
from earshot.events import Lattice
from earshot.grammar import PLACE, SHIFT, LexiconGrammar, Weights
from earshot.lattice import LatticeSettings, build, result
from earshot.lexicon import Pronunciations
from earshot.loop import Loop, Spelling, Trail, Unknown, written
from earshot.ngram import Ngram
from earshot.search import Search, SearchSettings
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests import small

WIDE = SearchSettings(beam=10_000, width=1e4, extend_width=1e4, lattice_width=1e4, ilm_scale=0.3)
FRAMES = 5
SCALE, BONUS, UNKNOWN = 0.6, 0.2, -1.5
MARKS = np.array([symbol.endswith("|") for symbol in small.SYMBOLS])
# What the trigrams are counted on: the words of the tree, and more that it lacks.
HEARD = [*small.SPOKEN.values(), [6], [2, 6], [1, 2, 4], [2, 1, 6], [3, 2, 4]]
Path_ = tuple[float, list[str]]


def spell(tokens: Sequence[int]) -> Spelling:
    """The word of the lexicon, or the tokens themselves."""
    known = [word for word, said in small.SPOKEN.items() if said == list(tokens)]
    names = tuple(small.SYMBOLS[token].removesuffix("|") for token in tokens)
    return known[0] if known else Unknown("".join(names).lower() + "?", names)


def pronunciations(spoken: Sequence[Sequence[int]]) -> Pronunciations:
    tokens = np.zeros((len(spoken), 3), np.int64)
    for row, phones in zip(tokens, spoken, strict=True):
        row[: len(phones)] = phones
    return Pronunciations(
        np.zeros(len(spoken), np.int64), tokens, np.zeros(len(spoken), np.float32)
    )


def loop_of(model: Ngram) -> Loop:
    return Loop.build(small.tree(model), pronunciations(HEARD), MARKS, model.unknown, spell)


def grammar(folder: Path, unknown: float = UNKNOWN) -> LexiconGrammar:
    model = small.ngram(folder)
    weights = Weights(SCALE, BONUS, unknown=unknown)
    return LexiconGrammar(small.tree(model), model, MARKS, weights, loop_of(model))


def following(*before: int) -> list[int]:
    """Tokens that follow these in HEARD, 0 standing before a word."""
    size = len(before)
    rows = [[0, 0, *tokens] for tokens in HEARD]
    return [
        row[at] for row in rows for at in range(2, len(row)) if tuple(row[at - size : at]) == before
    ]


def chance(token: int, *before: int) -> float:
    """How likely a token is after two others: the trigram, smoothed by the bigram."""
    seen, shorter = following(*before), following(before[1])
    if not seen:
        return 0.0
    kinds = len(set(seen))
    backed = kinds * shorter.count(token) / len(shorter)
    return (seen.count(token) + backed) / (len(seen) + kinds)


def said(tokens: Sequence[int]) -> float:
    """Natural log of how likely a word has these tokens."""
    row = [0, 0, *tokens]
    chances = [chance(row[at], *row[at - 2 : at]) for at in range(2, len(row))]
    return float(np.log(chances).sum()) if all(chances) else -np.inf


def test_the_loop_says_every_word_that_its_trigrams_allow_and_no_other(tmp_path: Path) -> None:
    loop = loop_of(model := small.ngram(tmp_path))
    tree = loop.tree
    found = {}
    for tokens in itertools.chain.from_iterable(
        itertools.product(range(1, 7), repeat=length) for length in range(1, 5)
    ):
        ways = [(0, 0.0)]
        for token in tokens:
            ways = [
                (int(tree.child[arc]), score + float(loop.score[arc]))
                for node, score in ways
                for arc in range(tree.first[node], tree.first[node] + tree.count[node])
                if tree.token[arc] == token
            ]
        for node, score in ways:
            ended = tree.word[tree.word_first[node] : tree.word_first[node] + tree.word_count[node]]
            if model.unknown in ended:
                assert node >= loop.first
                found[tokens] = score
            else:
                assert score == 0 or node >= loop.first
    wanted = {
        tokens: said(tokens)
        for length in range(1, 5)
        for tokens in itertools.product(range(1, 7), repeat=length)
        if MARKS[tokens[-1]] and not MARKS[list(tokens[:-1])].any()
    }
    wanted = {tokens: score for tokens, score in wanted.items() if score > -np.inf}
    assert found == pytest.approx(wanted, abs=1e-5)
    assert (2, 6) in found, "a word of the loop that the tree lacks"
    assert (1, 5) in found, "and one that the tree has"


def test_words_of_the_tree_keep_their_ways_and_words(tmp_path: Path) -> None:
    loop, plain = loop_of(model := small.ngram(tmp_path)), small.tree(model)
    for word, tokens in small.SPOKEN.items():
        assert small.WORDS.index(word) in loop.tree.words_of(tokens)
    assert loop.first == len(plain.first)
    np.testing.assert_array_equal(loop.tree.look[: loop.first], plain.look)


def test_a_trail_gives_back_the_tokens_of_each_way() -> None:
    trail = Trail()
    one, other = trail.add(np.array([0, 0]), np.array([7, 8]))
    both = trail.add(np.array([one, one, other]), np.array([1, 2, 1]))
    assert [trail.tokens(int(node)) for node in both] == [[7, 1], [7, 2], [8, 1]]
    assert trail.tokens(0) == []


def sentences(length: int) -> Iterator[list[tuple[list[int], str | None]]]:
    """All rows of words of `length` tokens: the tokens of each, and its name if it is known."""
    if not length:
        yield []
    words: list[tuple[list[int], str | None]] = []
    words += [(tokens, word) for word, tokens in small.SPOKEN.items() if len(tokens) <= length]
    for size in range(1, length + 1):
        words += [
            (list(tokens), None)
            for tokens in itertools.product(range(1, 7), repeat=size)
            if MARKS[tokens[-1]] and not MARKS[list(tokens[:-1])].any() and said(tokens) > -np.inf
        ]
    for tokens, word in words:
        yield from ([(tokens, word), *rest] for rest in sentences(length - len(tokens)))


def language(model: Ngram, words: list[tuple[list[int], str | None]], unknown: float) -> float:
    """The score of a sentence beside its sound."""
    if not words:
        return SCALE * Weights().nothing
    state, total = np.array([model.start]), 0.0
    for tokens, word in words:
        number = model.unknown if word is None else small.WORDS.index(word)
        logp, state = model.both(state, np.array([number]))
        total += SCALE * float(logp[0]) + BONUS
        if word is None:
            total += SCALE * unknown + said(tokens)
    return total + SCALE * float(model.end_score(state)[0])


def placement(scorer: small.RandomScorer, tokens: list[int], frames: int) -> float:
    """Viterbi over where the tokens go, one a frame at most."""
    score = np.full(len(tokens) + 1, -np.inf)
    score[0] = 0.0
    for t in range(frames):
        after = score + [scorer.table[t, last, 0] for last in [0, *tokens]]
        for u, (last, token) in enumerate(itertools.pairwise([0, *tokens])):
            gain = scorer.table[t, last, token] - 0.3 * scorer._own[last, token]
            after[u + 1] = max(after[u + 1], score[u] + gain)
        score = after
    return float(score[-1])


def every(folder: Path, scorer: small.RandomScorer, frames: int, unknown: float) -> list[Path_]:
    """All sentences with their scores and spellings."""
    model = small.ngram(folder)
    return [
        (
            placement(scorer, [t for tokens, _ in words for t in tokens], frames)
            + language(model, words, unknown),
            [word or written(spell(tokens)).text for tokens, word in words],
        )
        for length in range(frames + 1)
        for words in sentences(length)
    ]


def searched(made: LexiconGrammar, seed: int, frames: int, wide: SearchSettings = WIDE) -> Search:
    search = Search(small.RandomScorer(seed, frames), made, Catalog.empty(7), wide)
    search.accept(np.zeros((frames, 4), np.float32))
    return search


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("unknown", [UNKNOWN, 1.0])
def test_finds_what_an_exhaustive_search_finds(tmp_path: Path, seed: int, unknown: float) -> None:
    made = grammar(tmp_path, unknown)
    search = searched(made, seed, FRAMES)
    raw = search.raw()
    total = raw.last.score + raw.closing
    wanted, words = max(every(tmp_path, small.RandomScorer(seed, FRAMES), FRAMES, unknown))
    assert total.max() == pytest.approx(wanted, abs=1e-3)
    back = int(raw.last.back[total.argmax()])
    texts = [written(made.spelling(w)).text for w, _, _ in search._memory.words_to(back)]
    assert texts == words


def built(made: LexiconGrammar, search: Search, kept: LatticeSettings) -> Lattice | None:
    return build(search.raw(), made.spelling, lambda frame: frame * 640, kept)


@pytest.mark.parametrize("seed", range(6))
def test_posteriors_of_single_words_are_those_of_all_sentences(tmp_path: Path, seed: int) -> None:
    # In one frame nothing meets anything, so the search keeps every sentence.
    made = grammar(tmp_path)
    found = built(made, searched(made, seed, 1), LatticeSettings(least=0.0))
    scores: dict[str, float] = {}
    for score, words in every(tmp_path, small.RandomScorer(seed, 1), 1, UNKNOWN):
        if words:
            scores[words[0]] = np.logaddexp(scores.get(words[0], -np.inf), score)
    if found is None:  # silence is the likeliest
        return
    whole = np.logaddexp.reduce(list(scores.values()))
    wanted = {text: float(np.exp(score - whole)) for text, score in scores.items()}
    assert "c?" in wanted
    assert {arc.word: arc.posterior for arc in found.arcs} == pytest.approx(wanted, abs=1e-4)


@given(st.integers(0, 10_000), st.integers(3, 14))
@example(5706, 7)  # where merging boundaries once made a circle
@example(480, 6)  # where all sentences have a word that ends in the first frame
@settings(deadline=None, max_examples=40)
def test_a_lattice_with_unknown_words_keeps_its_laws(
    tmp_path_factory: pytest.TempPathFactory, seed: int, frames: int
) -> None:
    made = grammar(tmp_path_factory.mktemp("small"))
    search = searched(made, seed, frames, SearchSettings(lattice_width=20))
    found = built(made, search, LatticeSettings())
    if found is None:
        return
    mass = np.zeros(len(found.nodes))
    mass[0] = 1
    for a in found.arcs:  # sorted by source, and every arc leads to a higher node
        assert a.source < a.target
        mass[a.target] += mass[a.source] * np.exp(paths.score(a))
        assert mass[a.source] * np.exp(paths.score(a)) == pytest.approx(a.posterior, abs=1e-6)
        assert (a.word in small.SPOKEN) == (not a.phones)
        assert a.word == ("".join(a.phones).lower() + "?" if a.phones else a.word)
    assert mass[-1] == pytest.approx(1, abs=1e-6)
    assert len({(a.source, a.target, a.word) for a in found.arcs}) == len(found.arcs)
    marked = {a.word: a.phones for a in found.arcs}
    assert all(word.phones == marked[word.text] for word in result(found, 1).words)


def test_slicing_changes_nothing_and_each_utterance_has_its_own_trail(tmp_path: Path) -> None:
    first = grammar(tmp_path, unknown=3.0)
    whole, parts = first.fresh(), first.fresh()
    one = searched(whole, 4, 12)
    other = Search(small.RandomScorer(4, 12), parts, Catalog.empty(7), WIDE)
    for cut in (1, 4, 2, 5):
        other.accept(np.zeros((cut, 4), np.float32))
    assert one.words() == other.words()
    assert any(isinstance(spelling, Unknown) for spelling, _, _ in one.words())
    assert built(whole, one, LatticeSettings()) == built(parts, other, LatticeSettings())


def test_hypotheses_at_one_place_are_one_whatever_led_there(tmp_path: Path) -> None:
    search = searched(grammar(tmp_path), 2, 9)
    live = search._live
    assert (live.node >> SHIFT).any(), "some are in the loop"
    places = set(zip((live.node & PLACE).tolist(), live.context.tolist(), live.state, strict=True))
    assert len(places) == len(live.node)


@pytest.mark.parametrize("seed", range(4))
def test_an_unlikely_loop_changes_nothing(tmp_path: Path, seed: int) -> None:
    model = small.ngram(tmp_path)
    weights = Weights(SCALE, BONUS, unknown=-1e3)
    plain, looped = (
        LexiconGrammar(small.tree(model), model, MARKS, weights, loop)
        for loop in (None, loop_of(model))
    )
    narrow = SearchSettings()
    one, other = (searched(made, seed, 12, narrow) for made in (plain, looped))
    assert one.words() == other.words()
    kept = LatticeSettings()
    assert built(plain, one, kept) == built(looped, other, kept)
