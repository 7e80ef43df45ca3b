"""End-pointers: every row of the table fires where it should, is named, and shows its numbers."""

from dataclasses import replace

import pytest
from earshot.endpointers import EndPointSettings, Progress, Rule, decide, explain, rules
from hypothesis import given
from hypothesis import strategies as st

SETTINGS = EndPointSettings()
TABLE = rules(SETTINGS)
SPEAKING = Progress(words=3, silence=0, pause=0, length=3_000)
S = SETTINGS
# the row, where it just fires, and what must grow by a millisecond for it
JUST: list[tuple[str, Progress, tuple[str, ...]]] = [
    ("pause", Progress(1, S.pause_ms, S.pause_ms, 2_000), ("silence", "pause")),
    ("long pause", Progress(1, 0, S.long_pause_ms, 4_000), ("pause",)),
    (
        "breath",
        Progress(1, S.breath_ms, S.breath_ms, S.long_ms),
        ("silence", "pause", "length"),
    ),
    ("nothing was said", Progress(0, S.nothing_ms, 9_000, 9_000), ("silence",)),
    ("too long", Progress(1, 0, 0, S.longest_ms), ("length",)),
]


def test_every_row_of_the_table_is_tried_here() -> None:
    assert [name for name, _, _ in JUST] == [rule.name for rule in TABLE]


@pytest.mark.parametrize(("name", "progress", "conditions"), JUST, ids=str)
def test_a_row_fires_when_all_its_conditions_hold_and_not_a_millisecond_before(
    name: str, progress: Progress, conditions: tuple[str, ...]
) -> None:
    decision = decide(progress, TABLE)
    assert decision is not None
    assert decision.rule == name
    assert decision.numbers == (
        ("words", progress.words),
        ("silence_ms", progress.silence),
        ("pause_ms", progress.pause),
        ("length_ms", progress.length),
    )
    for condition in conditions:
        sooner = replace(progress, **{condition: getattr(progress, condition) - 1})
        assert decide(sooner, TABLE) is None


def test_a_pause_is_not_enough_where_no_word_was_understood() -> None:
    assert decide(Progress(0, 1_000, 2_000, 3_000), TABLE) is None


def test_nothing_ends_somebody_who_is_speaking() -> None:
    assert decide(SPEAKING, TABLE) is None


def test_the_first_row_that_holds_decides() -> None:
    every = Progress(1, 1e6, 1e6, 1e6)
    decision = decide(every, TABLE)
    assert decision is not None
    assert decision.rule == "pause"
    assert decide(every, ()) is None


progresses = st.builds(
    Progress,
    words=st.integers(0, 3),
    silence=st.floats(0, 40_000),
    pause=st.floats(0, 40_000),
    length=st.floats(0, 40_000),
)


@given(progresses)
def test_a_decision_names_a_row_whose_conditions_hold_and_none_before_it_does(p: Progress) -> None:
    met = [rule for rule in TABLE if rule.met_by(p)]
    decision = decide(p, TABLE)
    assert (decision is None) == (not met)
    assert decision is None or decision == explain(met[0].name, p)


@given(progresses, st.floats(0, 1_000))
def test_who_waits_longer_is_not_taken_back(p: Progress, more: float) -> None:
    later = Progress(p.words, p.silence + more, p.pause + more, p.length + more)
    assert decide(p, TABLE) is None or decide(later, TABLE) is not None


def test_a_rule_without_conditions_asks_only_for_words() -> None:
    assert Rule("any").met_by(SPEAKING)
    assert not Rule("any").met_by(replace(SPEAKING, words=0))
