"""Counting errors: kinds that add up, and recordings evenly chosen."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from models.evaluate import Heard, kinds, spaced, summary, worst
from models.score import edits

WORDS = st.lists(st.sampled_from("abc"), max_size=7)


@given(WORDS, WORDS)
def test_kinds_of_errors_add_up_to_the_edit_distance(wanted: list[str], given: list[str]) -> None:
    substituted, deleted, inserted = kinds(wanted, given)
    assert substituted + deleted + inserted == edits(wanted, given)
    assert len(given) - len(wanted) == inserted - deleted


def test_a_wrong_word_is_a_substitution() -> None:
    assert kinds(["turn", "on", "the", "light"], ["turn", "of", "the", "light", "now"]) == (1, 0, 1)


@given(st.lists(st.integers(), max_size=40), st.integers(0, 50))
def test_chosen_recordings_are_in_order_and_as_many_as_asked(rows: list[int], count: int) -> None:
    found = spaced(list(enumerate(rows)), count)
    assert found == sorted(set(found))
    assert len(found) == (min(count, len(rows)) if count else len(rows))


def heard(wanted: str, given: str) -> Heard:
    counts = kinds(wanted.split(), given.split())
    return Heard(Path("a.flac").name, wanted, given, *counts, 2.0, 0.1)


def test_figures_of_a_set() -> None:
    every = [heard("turn on the light", "turn on light"), heard("stop", "stop")]
    found = summary("an4", every)
    assert (found["kind"], found["words"], found["wer"]) == ("real", 5, 20.0)
    assert (found["deleted"], found["substituted"], found["cpu_per_second"]) == (20.0, 0.0, 0.05)
    assert worst(every, 1) == every[:1]
    assert summary("synthetic", every)["kind"] == "synthetic"
