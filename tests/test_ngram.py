"""The language model against one in dictionaries, and damaged files."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from earshot.errors import BundleError
from earshot.ngram import Ngram

from tests import small

UNIGRAM = dict(zip(small.WORDS, [1e-9, 0.2, 0.2, 0.15, 0.2, 0.15, 0.1], strict=True))
BIGRAM = {("<s>", "a"): -0.5, ("<s>", "b"): -1.0, ("a", "ab"): -1.5, ("ab", "a"): -1.0}
TRIGRAM = {("<s>", "a", "b"): -0.2}
BACKOFF: dict[tuple[str, ...], float] = {("<s>", "a"): -0.4}


def by_dictionary(history: list[str], word: str) -> float:
    """Katz' backing off by the book."""
    if len(history) >= 2:
        key = (*history[-2:], word)
        if key in TRIGRAM:
            return TRIGRAM[key]
        return BACKOFF.get(key[:2], 0.0) + by_dictionary(history[-1:], word)
    key = (history[-1], word)
    return BIGRAM.get(key, -0.3 + math.log(UNIGRAM[word]))


@pytest.fixture
def model(tmp_path: Path) -> Ngram:
    return small.ngram(tmp_path)


def number(word: str) -> np.ndarray:
    return np.array([small.WORDS.index(word)])


def test_look_ups_along_every_short_sentence_are_those_of_a_dictionary(model: Ngram) -> None:
    for sentence in itertools.product(small.WORDS[2:], repeat=3):
        history, state = ["<s>"], np.array([model.start])
        for word in sentence:
            logp, state = model.both(state, number(word))
            assert logp[0] == pytest.approx(by_dictionary(history, word), abs=2e-3)
            history.append(word)
        assert model.end_score(state)[0] == pytest.approx(by_dictionary(history, "</s>"), abs=2e-3)


def test_many_look_ups_at_once_are_those_one_by_one(model: Ngram) -> None:
    states = np.arange(model.unknown + 2)  # words, the unknown one, and a bigram
    pairs = np.array(list(itertools.product(states, range(1, len(small.WORDS)))))
    score, following = model.both(pairs[:, 0], pairs[:, 1])
    for (state, word), one, after in zip(pairs, score, following, strict=True):
        alone = model.both(np.array([state]), np.array([word]))
        assert (alone[0][0], alone[1][0]) == (one, after)
    assert (following[:, None] == states).any(1).all()
    np.testing.assert_array_equal(model.score(pairs[:, 0], pairs[:, 1]), score)


def test_a_history_that_nothing_goes_on_from_is_its_last_word(model: Ngram) -> None:
    _, deep = model.both(np.array([model.start]), number("a"))
    _, shallow = model.both(np.array([model.start]), number("b"))
    assert deep[0] == model.unknown + 1 == len(small.WORDS) + 1
    assert shallow[0] == small.WORDS.index("b")


@pytest.mark.parametrize("cut", [0, 1, 40, -8, -1])
def test_a_cut_file_is_refused(tmp_path: Path, cut: int) -> None:
    small.ngram(tmp_path)
    path = tmp_path / "small.lm"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(BundleError, match=r"small.lm: not a language model .*install the bundle"):
        Ngram(path)


HEADS = {
    "too long": lambda head: head,
    "no numbers": lambda _: {"magic": "earshot-ngram-1"},
    "of another kind": lambda head: {**head, "magic": "another"},
    "a number that is none": lambda head: {**head, "counts": dict.fromkeys(head["counts"], "x")},
    "less than nothing": lambda head: {**head, "counts": {**head["counts"], "words": -2}},
    "a list": lambda _: [],
    "no more bytes": lambda head: {**head, "counts": {**head["counts"], "unigram": 6}},
}


@pytest.mark.parametrize("change", HEADS.values(), ids=HEADS.keys())
def test_another_head_is_refused(tmp_path: Path, change: object) -> None:
    small.ngram(tmp_path)
    path = tmp_path / "small.lm"
    first, rest = path.read_bytes().split(b"\n", 1)
    head = json.dumps(change(json.loads(first))).encode() + b"\n"  # type: ignore[operator]
    path.write_bytes(head + b" " * (-len(head) % 8) + rest.lstrip(b" ") + b"\0" * 8)
    with pytest.raises(BundleError, match=r"small.lm: not a language model"):
        Ngram(path)


def test_numbers_that_lead_out_of_the_file_are_refused(tmp_path: Path) -> None:
    small.ngram(tmp_path)
    path = tmp_path / "small.lm"
    data = path.read_bytes()
    start2 = np.array([0, 2, 2, 3, 4, 4, 4, 4], np.uint32).tobytes()
    assert start2 in data
    for wrong in ([0, 2, 2, 3, 4, 4, 4, 9], [0, 2, 1, 3, 4, 4, 4, 4]):
        path.write_bytes(data.replace(start2, np.array(wrong, np.uint32).tobytes()))
        with pytest.raises(BundleError, match="not a language model"):
            Ngram(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"nowhere\.lm"):
        Ngram(tmp_path / "nowhere.lm")
