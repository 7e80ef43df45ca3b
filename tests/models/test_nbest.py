"""Lists of what the search finds: each text once, scored as the search does."""

import numpy as np
import pytest
from earshot.bundle import Bundle
from earshot.catalog import Catalog
from earshot.search import Search
from hypothesis import given
from hypothesis import strategies as st

from models.nbest import Hypothesis, Known, Lister, word_errors
from models.paths import choose, graph
from models.phones import SIZE, tokens
from models.score import edits
from tests.models import six_words
from tests.models.six_words import SAID, UNIGRAM, WORDS, expectation, said, sounds


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return six_words.bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def lister(bundle: Bundle) -> Lister:
    return Lister(bundle, 4, 30)


def texts(found: list[Hypothesis]) -> list[str]:
    return [" ".join(WORDS[w] for w in one.words) for one in found]


def test_a_list_begins_with_what_was_heard_and_ends_with_nothing(lister: Lister) -> None:
    found = lister(sounds("a way", 12.0), expectation())
    assert texts(found)[0] in {"a way", "away"}
    assert texts(found)[-1] == ""
    assert 2 < len(found) <= 5


def test_what_sounds_the_same_is_one_hypothesis(lister: Lister) -> None:
    found = lister(sounds("red", 12.0), expectation())
    ways = [tuple(one.token.tolist()) for one in found]
    assert len(set(ways)) == len(ways)
    assert tuple(said("red")) in ways


def test_a_text_that_the_search_did_not_find_is_not_in_the_list(lister: Lister) -> None:
    found = lister(sounds("red", 30.0), expectation())
    assert "a way" not in texts(found)


def test_silence_has_one_text(lister: Lister) -> None:
    quiet = np.full((12, SIZE, SIZE), -12.0, np.float32)
    quiet[:, :, 0] = -1e-3
    assert texts(lister(quiet, expectation())) == [""]


@pytest.mark.parametrize("text", ["red", "a way", "reed away"])
def test_sound_and_language_add_up_to_the_score_of_the_search(lister: Lister, text: str) -> None:
    logp, internal = sounds(text, 12.0), expectation()
    best = lister(logp, internal)[0]
    live = Search(Known(internal), lister._grammar, Catalog.empty(SIZE), lister.search)
    live.accept(logp)
    raw = live.raw()
    names = [[tuple(way.split()) for way in SAID[WORDS[w]]] for w in best.words]
    weighed = logp - np.float32(lister.search.ilm_scale) * internal
    heard = choose(weighed, graph(names).token, graph(names))
    assert heard is not None
    assert heard.logp + best.language == pytest.approx(
        float((raw.last.score + raw.closing).max()), abs=1e-3
    )


def test_language_counts_words_as_the_search_weights_them(lister: Lister) -> None:
    found = lister(sounds("reed", 12.0), expectation())[0]
    share = -0.5 if WORDS[found.words[0]] == "a" else 0.0
    known = sum(np.log(UNIGRAM[w]) for w in found.words) + np.log(UNIGRAM[1]) + share
    assert found.language == pytest.approx(0.5 * known - 0.2 * len(found.words), abs=5e-3)


def test_words_are_wanted_as_they_sound(lister: Lister) -> None:
    heard = np.array([*said("red reed"), *tokens(["ZH", "ZH"])])
    numbers = [{WORDS.index(w) for w in wanted} for wanted in (("red", "read"), ("read", "reed"))]
    assert lister.wanted(heard) == [*map(frozenset, numbers), frozenset()]
    assert lister.wanted(heard[:0]) == []


def test_pieces_are_refused(bundle: Bundle) -> None:
    pieces = Bundle(bundle.folder, "p", "1", "pieces", ("<blk>", "▁a"), bundle.network)
    with pytest.raises(SystemExit, match="bundle of phones"):
        Lister(pieces, 4, 30)


SOME = st.lists(st.integers(0, 3), max_size=6)


@given(SOME, SOME)
def test_errors_are_those_of_the_edit_distance(wanted: list[int], got: list[int]) -> None:
    assert word_errors([frozenset({w}) for w in wanted], tuple(got)) == edits(wanted, got)
    homophones = [frozenset({w, w + 4}) for w in wanted]
    assert word_errors(homophones, tuple(w + 4 for w in got)) == edits(wanted, got)
