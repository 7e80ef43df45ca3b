"""Sources are mixed by the words before, so commands and prose do not get in each other's way."""

import numpy as np
import pytest
from earshot.ngram import BITS, END, START

from models.counts import Source, discounts, kit_source, trigrams
from models.mixture import best_shares, is_held_out, mixed, places

HOME = ["turn on the light", "turn on the radio", "the light"]
PROSE = ["he said the sea was cold", "the sea was cold", "the sea"]
WORDS = ["<s>", "</s>", *sorted({word for text in (*HOME, *PROSE) for word in text.split()})]
NUMBER = {word: i for i, word in enumerate(WORDS)}
SHARES = {order: {"home": 0.5, "prose": 0.5} for order in (1, 2, 3)}


def rows(texts: list[str]) -> list[list[str]]:
    return [text.split() for text in texts]


def source(texts: list[str]) -> Source:
    return kit_source(trigrams(rows(texts), NUMBER), len(WORDS))


PARTS = {"home": source(HOME), "prose": source(PROSE)}


def packed(*words: str) -> np.ndarray:
    key = 0
    for word in words:
        key = key << BITS | NUMBER[word]
    return np.array([key], np.int64)


@pytest.mark.parametrize("history", [("on", "the"), ("said", "the"), ("the", "sea")])
@pytest.mark.parametrize("name", sorted(PARTS))
def test_a_source_sums_to_one_after_any_words(name: str, history: tuple[str, str]) -> None:
    every = [packed(*history, word)[0] for word in WORDS]
    assert PARTS[name].probability(3, np.array(every)).sum() == pytest.approx(1)


def test_after_words_of_one_source_its_words_follow() -> None:
    model = mixed(PARTS, SHARES)
    logp = dict(zip(model.key3.tolist(), model.logp3, strict=True))
    constant = np.log(
        sum(0.5 * part.probability(3, packed("on", "the", "light")) for part in PARTS.values())
    )
    assert logp[packed("on", "the", "light")[0]] > constant + 0.3


def test_both_sources_count_after_a_word_of_both() -> None:
    model = mixed(PARTS, SHARES)
    light, sea = np.exp(model.bigram(np.concatenate([packed("the", w) for w in ("light", "sea")])))
    assert 0.15 < light < 0.6
    assert 0.15 < sea < 0.6


def test_what_is_held_out_decides_on_the_shares() -> None:
    of_prose = best_shares(PARTS, {"prose": rows(PROSE)}, NUMBER)
    of_home = best_shares(PARTS, {"home": rows(HOME)}, NUMBER)
    assert of_prose[3]["prose"] > 0.8
    assert of_home[3]["home"] > 0.8
    assert sum(of_home[3].values()) == pytest.approx(1)


def test_without_anything_held_out_all_sources_count_the_same() -> None:
    assert best_shares(PARTS, {}, NUMBER) == SHARES


def test_places_are_all_words_and_the_end_but_none_beside_unknown_words() -> None:
    found = places([["the", "sea"], ["the", "whale", "was"]], NUMBER)
    the, sea = NUMBER["the"], NUMBER["sea"]
    opening = START << 2 * BITS | START << BITS | the
    assert found.tolist() == [
        opening,
        START << 2 * BITS | the << BITS | sea,
        the << 2 * BITS | sea << BITS | END,
        opening,
    ]


def test_one_sentence_in_twenty_is_held_out_whenever_it_is_asked() -> None:
    every = [["set", str(i)] for i in range(4000)]
    out = [words for words in every if is_held_out(words)]
    assert 150 < len(out) < 250
    assert all(is_held_out(words) for words in out)


def test_discounts_leave_something_of_every_count() -> None:
    for counts in ([1.0], [2.0, 2.0], [1, 1, 1, 2, 2, 3, 4, 9.0]):
        off = discounts(np.array(counts))
        assert (off[1:] < [1, 2, 3]).all()
        assert (off[1:] > 0).all()
