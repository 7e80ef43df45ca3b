"""End-pointers: every row of the table fires where it should, is named, and shows its numbers."""

from dataclasses import replace

import numpy as np
import pytest
from earshot.endpointers import (
    LEAST,
    LONGEST,
    STILL_MS,
    EndPointSettings,
    Evidence,
    Fusion,
    Glance,
    Rule,
    decide,
    explain,
    rules,
)
from earshot.events import EndPointKind
from hypothesis import given
from hypothesis import strategies as st

SETTINGS = EndPointSettings(done=0.9, likely=0.7, others=0.8, long_still_ms=80)
TABLE = rules(SETTINGS)


def seen(  # noqa: PLR0913, PLR0917 - all that a rule looks at
    words: int = 1,
    silence: float = 0,
    pause: float = 0,
    length: float = 0,
    probability: float = 0,
    still: float = 0,
    over: float = 0,
) -> Glance:
    evidence = Evidence(still_ms=still, over=over)
    return Glance(0, words, silence == 0, silence, pause, length, probability, evidence)


def less(glance: Glance, condition: str) -> Glance:
    """With a little less of a condition."""
    if condition in {"still_ms", "over"}:
        heard = glance.evidence or Evidence()
        value = getattr(heard, condition) - (0.01 if condition == "over" else 1)
        return replace(glance, evidence=replace(heard, **{condition: value}))
    value = getattr(glance, condition) - (0.01 if condition == "probability" else 1)
    return replace(glance, **{condition: value})


SPEAKING = seen(words=3, length=3_000)
S = SETTINGS
# the row, where it just fires, and what must grow a little for it
JUST: list[tuple[str, Glance, tuple[str, ...]]] = [
    ("done", seen(1, 0, 0, 900, S.done, S.done_ms), ("still_ms", "probability")),
    ("pause", seen(1, S.pause_ms, S.pause_ms, 2_000), ("silence_ms", "pause_ms")),
    (
        "long pause",
        seen(1, 0, S.long_pause_ms, 4_000, 0, S.long_still_ms),
        ("pause_ms", "still_ms"),
    ),
    ("others speak", seen(1, 0, 0, 4_000, 0, 900, S.others), ("over",)),
    (
        "breath",
        seen(1, S.breath_ms, S.breath_ms, S.long_ms),
        ("silence_ms", "pause_ms", "length_ms"),
    ),
    ("nothing was said", seen(0, S.nothing_ms, 2_900, 9_000), ("silence_ms",)),
    ("nobody speaks", seen(0, 0, 2_900, 9_000, 0, S.nothing_ms), ("still_ms",)),
    ("nothing is understood", seen(0, 0, S.deaf_ms, 9_000), ("pause_ms",)),
    ("too long", seen(1, 0, 0, S.longest_ms), ("length_ms",)),
    ("likely done", seen(1, 0, 0, 900, S.likely, S.likely_ms), ("still_ms", "probability")),
    ("short pause", seen(1, S.short_pause_ms, S.short_pause_ms, 900), ("silence_ms", "pause_ms")),
]


def test_every_row_of_the_table_is_tried_here() -> None:
    assert [name for name, _, _ in JUST] == [rule.name for rule in TABLE]


@pytest.mark.parametrize(("name", "glance", "conditions"), JUST, ids=str)
def test_a_row_fires_when_all_its_conditions_hold_and_not_a_millisecond_before(
    name: str, glance: Glance, conditions: tuple[str, ...]
) -> None:
    kind, decision = decide(glance, TABLE) or pytest.fail("nothing was decided")
    assert (kind, decision.rule) == (kind_of(name), name)
    assert decision.numbers == (
        ("words", glance.words),
        ("silence_ms", glance.silence_ms),
        ("pause_ms", glance.pause_ms),
        ("length_ms", glance.length_ms),
        ("still_ms", glance.still_ms),
        ("over", glance.over),
        ("probability", glance.probability),
    )
    for condition in conditions:
        row = next(rule for rule in TABLE if rule.name == name)
        assert not row.met_by(less(glance, condition))


def kind_of(name: str) -> EndPointKind:
    return next(rule.kind for rule in TABLE if rule.name == name)


def test_only_what_waits_or_knows_less_is_speculative() -> None:
    early = [rule.name for rule in TABLE if rule.kind is EndPointKind.SPECULATIVE]
    assert early == ["likely done", "short pause"]
    assert [rule.name for rule in TABLE][-2:] == early  # a final row that holds goes before


def test_a_pause_is_not_enough_where_no_word_was_understood() -> None:
    assert decide(seen(0, 1_000, 2_000, 3_000, 1.0), TABLE) is None


def test_nothing_ends_somebody_who_is_speaking() -> None:
    assert decide(SPEAKING, TABLE) is None


def test_without_a_network_no_probability_is_enough() -> None:
    assert decide(seen(3, 0, 200, 3_000, 1.0, 900, 1.0), rules(EndPointSettings())) is None


def test_the_first_row_that_holds_decides() -> None:
    every = seen(1, 1e6, 1e6, 1e6, 1.0, 1e6, 1.0)
    assert decide(every, TABLE) == (EndPointKind.FINAL, explain(TABLE[0].name, every))


glances = st.builds(
    seen,
    st.integers(0, 5),
    st.floats(0, 5_000),
    st.floats(0, 5_000),
    st.floats(0, 40_000),
    st.floats(0, 1),
    st.floats(0, 2_000),
    st.floats(0, 1),
)


@given(glances)
def test_a_decision_is_made_when_a_rows_conditions_hold_and_none_before_it_does(g: Glance) -> None:
    met = [rule for rule in TABLE if rule.met_by(g)]
    wanted = (met[0].kind, explain(met[0].name, g)) if met else None
    assert decide(g, TABLE) == wanted


@given(glances, st.floats(0, 1_000))
def test_who_waits_longer_is_not_taken_back(g: Glance, more: float) -> None:
    later = replace(g, silence_ms=g.silence_ms + more, pause_ms=g.pause_ms + more)
    assert decide(g, TABLE) is None or decide(later, TABLE) is not None


def test_a_rule_without_conditions_asks_only_for_words() -> None:
    assert Rule("any").met_by(SPEAKING)
    assert not Rule("any").met_by(replace(SPEAKING, words=0))


def test_evidence_is_fused_by_a_logistic_regression() -> None:
    weights = (-1.0, 0.5, -0.25, 0.1, 0.7, -2.0, 3.0, 0.9, 0.8, 0.4)
    fusion = Fusion(*weights)
    heard = Evidence(2.0, -3.0, 400, 0.3, -4.0, 1.5)
    seen = (1, 2.0, -3.0, -4.0, 1.5, 0, 0.7, 0.4, 0.3, 0.4 * -4.0)
    odds = np.dot(weights, seen)
    assert fusion.probability(heard, 700) == pytest.approx(1 / (1 + np.exp(-odds)))
    inside = replace(heard, complete=-np.inf)
    odds = np.dot(weights, (1, 2.0, -3.0, LEAST, 1.5, 1, 0.7, 0.4, 0.3, 0.4 * LEAST))
    assert fusion.probability(inside, 700) == pytest.approx(1 / (1 + np.exp(-odds)))


@given(
    st.floats(-100, 100), st.floats(-100, 100), st.floats(max_value=0, allow_nan=False),
    st.floats(0, 1e6),
)  # fmt: skip
def test_whatever_is_seen_is_a_probability(
    final: float, speech: float, complete: float, pause: float
) -> None:
    fusion = Fusion(*[1.0] * 10)
    assert 0 <= fusion.probability(Evidence(final, speech, pause, 0, complete), pause) <= 1


def test_who_is_heard_is_not_done() -> None:
    assert Fusion(bias=9.0).probability(Evidence(still_ms=STILL_MS - 1), 900) == 0
    assert Fusion(bias=9.0).probability(Evidence(still_ms=STILL_MS), 900) > 0.9


def test_a_pause_counts_no_longer_than_that() -> None:
    fusion, evidence = Fusion(pause=1.0), Evidence(still_ms=STILL_MS)
    assert fusion.probability(evidence, LONGEST) == fusion.probability(evidence, 10 * LONGEST)
