"""Word errors by hand."""

import numpy as np
import pytest

from models.score import edits, rate


@pytest.mark.parametrize(
    ("wanted", "given", "errors"),
    [
        ("", "", 0),
        ("turn on the light", "turn on the light", 0),
        ("turn on the light", "turn the light", 1),
        ("turn on the light", "turn on on the light", 1),
        ("turn on the light", "turn off the light", 1),
        ("turn on the light", "", 4),
        ("", "turn on", 2),
        ("a b c", "c a b", 2),
        ("a b c d", "b c d a", 2),
        ("k i t t e n", "s i t t i n g", 3),
    ],
)
def test_edits_are_the_fewest_that_turn_one_into_the_other(
    wanted: str, given: str, errors: int
) -> None:
    assert edits(wanted.split(), given.split()) == errors
    assert edits(given.split(), wanted.split()) == errors


def test_edits_compare_numbers_as_well() -> None:
    assert edits([1, 2, 3], [1, 3]) == 1


@pytest.mark.parametrize("seed", range(10))
def test_the_interval_holds_the_rate(seed: int) -> None:
    dice = np.random.default_rng(seed)
    words = dice.integers(1, 12, 40)
    errors = dice.binomial(words, 0.2)
    percent, low, high = rate(errors.tolist(), words.tolist())
    assert percent == pytest.approx(100 * errors.sum() / words.sum())
    assert low < percent < high


def test_the_interval_of_recordings_that_are_alike_is_a_point() -> None:
    assert rate([1, 1, 1], [4, 4, 4]) == (25.0, 25.0, 25.0)


def test_recordings_without_words_are_no_division_by_zero() -> None:
    assert rate([0, 0], [0, 0]) == (0.0, 0.0, 0.0)
