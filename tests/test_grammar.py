"""Grammars: what may follow, and that look-ahead is given back to the last bit."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from earshot.grammar import NONE, LexiconGrammar, PieceGrammar, Weights
from earshot.loop import Spelling

from tests import small


@pytest.fixture
def grammar(tmp_path: Path) -> LexiconGrammar:
    return small.grammar(tmp_path, scale=0.6)


def column(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def test_every_word_is_reached_by_its_phones_and_by_nothing_else(grammar: LexiconGrammar) -> None:
    found: set[tuple[Spelling, tuple[int, ...]]] = set()
    for length in range(1, 4):
        for tokens in itertools.product(range(1, 7), repeat=length):
            found |= {(word, tokens) for word in ended(grammar, tokens)}
    assert found == {(word, tuple(tokens)) for word, tokens in small.SPOKEN.items()}


def ended(grammar: LexiconGrammar, tokens: tuple[int, ...]) -> list[Spelling]:
    """Words that end with these tokens, each with gains that sum to its share, which is 0."""
    node, gained = column(grammar.start_node), 0.0
    for i, token in enumerate(tokens):
        _, allowed, child, gain = grammar.children(node)
        at = np.flatnonzero(allowed == token)
        last = i == len(tokens) - 1
        if not len(at) or bool(grammar.ends_word(node, column(token))[0]) != last:
            return []
        node, gained = child[at], gained + float(gain[at[0]])
        node = node if last else grammar.enter(node, column(token))
    row, word, onward, gain = grammar.words(node, column(tokens[-1]), node)
    assert row.tolist() == [0] * len(word)
    assert onward.tolist() == [grammar.start_node] * len(word)
    np.testing.assert_allclose(gained + gain, 0, atol=1e-5)
    return [grammar.spelling(int(w)) for w in word]


def test_many_nodes_are_asked_at_once(grammar: LexiconGrammar) -> None:
    nodes = column(0, 1, 0)
    row, *several = grammar.children(nodes)
    for i, node in enumerate(nodes):
        _, *alone = grammar.children(column(node))
        for all_of_them, one in zip(several, alone, strict=True):
            assert np.asarray(all_of_them)[row == i].tolist() == np.asarray(one).tolist()


def test_only_between_words_may_it_end(grammar: LexiconGrammar) -> None:
    a = small.WORDS.index("a")
    may, word, score = grammar.final(column(0, 1), column(a, a))
    assert may.tolist() == [True, False]
    assert word.tolist() == [NONE, NONE]
    assert score[0] == pytest.approx(0.6 * (-0.3 + np.log(0.2)), abs=1e-3)


def test_an_end_without_words_is_scored_by_itself(tmp_path: Path) -> None:
    model = small.ngram(tmp_path)
    marks = np.array([s.endswith("|") for s in small.SYMBOLS])
    made = LexiconGrammar(small.tree(model), model, marks, Weights(0.5, nothing=-7.0))
    assert made.final(column(0), column(made.start_state))[2].tolist() == [-3.5]


def test_a_bonus_is_given_a_word(tmp_path: Path) -> None:
    model = small.ngram(tmp_path)
    marks = np.array([s.endswith("|") for s in small.SYMBOLS])
    plain, generous = (
        LexiconGrammar(small.tree(model), model, marks, Weights(0.5, bonus)) for bonus in (0.0, 2.0)
    )
    state, word = column(0, 0), column(2, 4)
    np.testing.assert_allclose(
        generous.language(state, word)[0] - plain.language(state, word)[0], 2.0, rtol=1e-6
    )


PIECES = ["<blk>", "<unk>", "▁turn", "▁on", "▁", "s", "<0x41>"]


def said(*tokens: int) -> tuple[list[str], str]:
    """Words that were ended on the way, and the one under way."""
    grammar, node, words = PieceGrammar(PIECES), column(0), []
    for token in tokens:
        if grammar.ends_word(node, column(token))[0]:
            _, word, node, _ = grammar.words(node, column(token), node)
            words.append(grammar.spelling(int(word[0])))
        node = grammar.enter(node, column(token))
    _, last, _ = grammar.final(node, column(0))
    return words, grammar.spelling(int(last[0])) if last[0] != NONE else ""


def test_pieces_join_to_words_at_the_marks_of_their_beginnings() -> None:
    assert said() == ([], "")
    assert said(2) == ([], "turn")
    assert said(2, 5) == ([], "turns")
    assert said(2, 5, 3) == (["turns"], "on")
    assert said(5, 3) == (["s"], "on"), "a first piece without a mark begins a word as well"


def test_a_mark_alone_begins_a_word() -> None:
    assert said(2, 4, 5) == (["turn"], "s")
    assert said(2, 4) == (["turn"], ""), "and is none by itself"


def test_special_pieces_never_follow() -> None:
    _, token, _, gain = PieceGrammar(PIECES).children(column(0))
    assert [PIECES[t] for t in token] == ["▁turn", "▁on", "▁", "s", "<0x41>"]
    assert not gain.any()
