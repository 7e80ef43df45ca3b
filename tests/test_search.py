"""The search against an exhaustive one, and its laws."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from earshot.catalog import Catalog
from earshot.grammar import PieceGrammar, Weights, spread
from earshot.ngram import Ngram
from earshot.search import Search, SearchSettings, best_of_each
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import small

WIDE = SearchSettings(beam=10_000, width=1e4, extend_width=1e4, lattice_width=1e4, ilm_scale=0.3)
FRAMES = 6


MARKS = np.array([symbol.endswith("|") for symbol in small.SYMBOLS])
FAVOURED = Catalog.build([[3, 1, 5], [1, 5, 4], [4, 5]], [1.5, 0.5, 1.0], MARKS, closing=True)


def exhaustive(
    scorer: small.RandomScorer, folder: Path, frames: int, catalog: Catalog
) -> tuple[float, list[str]]:
    """The best words by trying every token sequence with every placement of blanks."""
    model, best = small.ngram(folder), (-np.inf, [""])
    spoken = list(small.SPOKEN.items())
    for count in range(frames + 1):
        for words in itertools.product(spoken, repeat=count):
            tokens = [t for _, phones in words for t in phones]
            if len(tokens) <= frames:
                sound = _best_placement(scorer, tokens, frames)
                said = [word for word, _ in words]
                total = sound + 0.6 * _language(model, said) + _earned(catalog, tokens)
                best = max(best, (total, said))
    return best


def _earned(catalog: Catalog, tokens: list[int]) -> float:
    """What phrases earn that end where the tokens do."""
    state, total = np.zeros(1, np.int64), 0.0
    for token in tokens:
        state, bonus = catalog.step(state, np.array([token]))
        total += float(bonus[0])
    return total - float(catalog.final(state)[0])


def _best_placement(scorer: small.RandomScorer, tokens: list[int], frames: int) -> float:
    """Viterbi over where the tokens go, one a frame at most."""
    score = {0: 0.0}
    for t in range(frames):
        after: dict[int, float] = {}
        for u, s in score.items():
            last = tokens[u - 1] if u else 0
            after[u] = max(after.get(u, -np.inf), s + scorer.table[t, last, 0])
            if u < len(tokens):
                gain = scorer.table[t, last, tokens[u]] - 0.3 * scorer._own[last, tokens[u]]
                after[u + 1] = max(after.get(u + 1, -np.inf), s + gain)
        score = after
    return score.get(len(tokens), -np.inf)


def _language(model: Ngram, words: list[str]) -> float:
    if not words:
        return Weights().nothing
    state, total = np.array([model.start]), 0.0
    for word in [*words, "</s>"]:
        logp, state = model.both(state, np.array([small.WORDS.index(word)]))
        total += float(logp[0])
    return total


def run(search: Search, frames: int) -> Search:
    search.accept(np.zeros((frames, 4), np.float32))
    return search


@pytest.mark.parametrize("catalog", [Catalog.empty(7), FAVOURED], ids=["plain", "favoured"])
@pytest.mark.parametrize("seed", range(8))
def test_finds_what_an_exhaustive_search_finds(seed: int, catalog: Catalog, tmp_path: Path) -> None:
    scorer = small.RandomScorer(seed, FRAMES)
    search = run(Search(scorer, small.grammar(tmp_path), catalog, WIDE), FRAMES)
    raw = search.raw()
    total = raw.last.score + raw.closing
    wanted, words = exhaustive(scorer, tmp_path, FRAMES, catalog)
    assert total.max() == pytest.approx(wanted, abs=1e-3)
    back = int(raw.last.back[total.argmax()])
    assert [small.WORDS[w] for w, _, _ in search._memory.words_to(back)] == words


@given(st.integers(0, 10_000), st.lists(st.integers(1, 5), min_size=1, max_size=6))
@settings(deadline=None, max_examples=30)
def test_slicing_of_the_chunks_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, seed: int, cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("small")
    frames = sum(cuts)
    whole = run(
        Search(
            small.RandomScorer(seed, frames),
            small.grammar(folder),
            Catalog.empty(7),
            SearchSettings(),
        ),
        frames,
    )
    parts = Search(
        small.RandomScorer(seed, frames), small.grammar(folder), Catalog.empty(7), SearchSettings()
    )
    for cut in cuts:
        run(parts, cut)
    assert parts.words() == whole.words()
    for one, other in zip(parts.raw().arcs, whole.raw().arcs, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_narrow_beam_keeps_no_more_than_it_may(tmp_path: Path) -> None:
    search = run(
        Search(
            small.RandomScorer(3, 20),
            small.grammar(tmp_path),
            Catalog.empty(7),
            replace(WIDE, beam=5),
        ),
        20,
    )
    assert len(search._live.score) <= 5


def test_a_bonus_of_the_catalog_changes_the_words_and_is_kept_apart(tmp_path: Path) -> None:
    scorer = small.RandomScorer(1, FRAMES)
    plain = run(Search(scorer, small.grammar(tmp_path), Catalog.empty(7), WIDE), FRAMES)
    favoured = Catalog.build([small.SPOKEN["cab"]], [20.0], MARKS, closing=True)
    other = run(
        Search(small.RandomScorer(1, FRAMES), small.grammar(tmp_path), favoured, WIDE), FRAMES
    )
    raw = other.raw()
    best = int(raw.last.back[(raw.last.score + raw.closing).argmax()])
    words = [small.WORDS[w] for w, _, _ in other._memory.words_to(best)]
    assert words.count("cab") == 2, "as often as six frames can hold it"
    cab = raw.arcs.word == small.WORDS.index("cab")
    assert set(raw.arcs.bias[cab]) == {60.0}
    assert set(raw.arcs.bias[~cab]) == {0.0}
    assert set(plain.raw().arcs.bias) == {0.0}


def test_word_pieces_go_through_the_same_search() -> None:
    pieces = ["<blk>", "<unk>", "▁call", "▁jo", "hn", "▁", "x"]
    table = np.full((4, 7, 7), -9.0, np.float32)
    for t, token in enumerate((2, 3, 4, 0)):
        table[t, :, token] = -0.01
    scorer = small.RandomScorer(0, 4)
    scorer.table = table
    search = run(
        Search(scorer, PieceGrammar(pieces), Catalog.empty(7), replace(WIDE, ilm_scale=0.0)), 4
    )
    assert search.words()[:1] == [("call", 0, 0)]
    raw = search.raw()
    best = int(raw.last.back[(raw.last.score + raw.closing).argmax()])
    spelt = search._grammar.spelling
    assert [(spelt(w), b, e) for w, b, e in search._memory.words_to(best)] == [
        ("call", 0, 0),
        ("john", 1, 2),
    ]


def test_spread_lists_ranges() -> None:
    row, at = spread(np.array([5, 9, 2]), np.array([2, 0, 3]))
    assert row.tolist() == [0, 0, 2, 2, 2]
    assert at.tolist() == [5, 6, 2, 3, 4]


@given(st.lists(st.tuples(st.integers(-3, 3), st.floats(-5, 5)), min_size=1, max_size=30))
def test_best_of_each_is_the_best_row_of_each_key(rows: list[tuple[int, float]]) -> None:
    key, score = (np.array(column) for column in zip(*rows, strict=True))
    best, group = best_of_each(key, score)
    assert sorted(key[best]) == sorted(set(key.tolist()))
    assert all(key[best][g] == k for g, k in zip(group, key, strict=True))
    assert all(score[best][g] >= s for g, s in zip(group, score, strict=True))


def test_equally_good_hypotheses_are_cut_to_the_beam_and_never_to_none() -> None:
    scorer = small.RandomScorer(0, 9)
    scorer.table[:] = -np.log(7)
    pieces = PieceGrammar(["<blk>", *"abcdef"])
    search = Search(scorer, pieces, Catalog.empty(7), replace(WIDE, beam=3, ilm_scale=0))
    for _ in range(9):
        run(search, 1)
        assert 1 <= len(search._live.score) <= 3
    assert len(search.raw().last.score) >= 1


def test_a_word_of_pieces_is_told_while_it_is_under_way() -> None:
    table = np.full((3, 7, 7), -9.0, np.float32)
    for t, token in enumerate((0, 1, 2)):
        table[t, :, token] = -0.01
    scorer = small.RandomScorer(0, 3)
    scorer.table = table
    pieces = PieceGrammar(["<blk>", "▁jo", "hn", "▁", "x", "y", "z"])
    search = Search(scorer, pieces, Catalog.empty(7), replace(WIDE, ilm_scale=0.0))
    told = [run(search, 1).words() for _ in range(3)]
    assert told == [[], [("jo", 1, 1)], [("john", 1, 2)]]


def test_what_was_complete_stands_where_every_hypothesis_is_inside_a_word(tmp_path: Path) -> None:
    scorer = small.RandomScorer(0, 3)
    table = np.full_like(scorer.table, -40.0)
    table[0, :, 5] = table[1, :, 3] = table[2, :, 0] = -1e-3  # "b", then C, which begins "cab"
    table[1:, :, 0] = np.where(np.arange(3)[1:, None] == 1, -40.0, -1e-3)
    scorer.table = table
    narrow = SearchSettings(beam=1, width=5.0, ilm_scale=0.0)
    search = run(Search(scorer, small.grammar(tmp_path), Catalog.empty(7), narrow), 3)
    assert [word for word, _, _ in search.words()][:1] == ["b"]
    assert (search._live.node != 0).all(), "all are inside a word"
    assert len(search.raw().last.back) == 1
    assert search.raw().last.back[0] > 0
