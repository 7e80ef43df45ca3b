"""The governor: one step at a time, less effort when behind, all of it again when there is room."""

from dataclasses import replace
from itertools import pairwise

import pytest
from earshot.effort import EFFORTS
from earshot.errors import SettingsError
from earshot.governor import (
    AGES,
    HALF_MS,
    MOST_PATIENCE,
    ROOM,
    SETTLE_MS,
    Load,
    LoadSettings,
    Seen,
    governed,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

LIMIT, LOOK = 5_000.0, 80.0  # ms
USUAL = LoadSettings()
MOST = USUAL.most
seen = st.builds(Seen, st.floats(0, 6_000), st.floats(0, 4), st.floats(0, 2_000))
loads = st.builds(
    Load, st.integers(0, MOST), st.floats(0, 20_000), st.floats(0, 20_000), st.floats(0, 4),
    st.sampled_from([1.0, 2.0, 16.0]), st.booleans(),
)  # fmt: skip


def after(load: Load, *all_seen: Seen) -> Load:
    for one in all_seen:
        load = governed(load, one, LIMIT, USUAL)
    return load


def test_there_is_an_age_for_every_step_and_each_gives_up_more_for_less() -> None:
    assert len(AGES) == len(EFFORTS)
    assert sorted(set(AGES)) == list(AGES)
    assert AGES[-1] < 1
    costs = [one.cost for one in EFFORTS]
    assert sorted(set(costs), reverse=True) == costs
    assert costs[0] == 1


@given(st.lists(seen, max_size=60), st.integers(0, MOST))
def test_it_never_takes_two_steps_at_once_nor_one_too_far(sights: list[Seen], most: int) -> None:
    load, limits = Load(), LoadSettings(most=most)
    for one in sights:
        following = governed(load, one, LIMIT, limits)
        assert abs(following.level - load.level) <= 1
        assert 0 <= following.level <= most
        load = following


@given(loads, seen, st.floats(0, 3_000), st.floats(0, 2))
def test_more_to_do_never_leads_to_more_effort(
    load: Load, one: Seen, later: float, slower: float
) -> None:
    worse = Seen(one.queue_ms + later, one.share + slower, one.passed_ms)
    assert after(load, worse).level >= after(load, one).level


@given(loads, seen)
def test_a_step_down_is_given_time_to_show_what_it_does(load: Load, one: Seen) -> None:
    fresh = replace(load, since_ms=0.0)
    soon = replace(one, passed_ms=min(one.passed_ms, SETTLE_MS / 2))
    assert after(fresh, soon).level <= fresh.level


@given(st.lists(seen, max_size=40))
def test_whatever_was_it_returns_to_all_effort_when_there_is_nothing_to_do(
    sights: list[Seen],
) -> None:
    load = after(Load(), *sights)
    longest = MOST * (USUAL.calm_ms * MOST_PATIENCE + 1_000) + 20 * HALF_MS
    calm = [Seen(0.0, 0.0, 1_000)] * round(longest / 1_000)
    assert after(load, *calm).level == 0


def test_it_does_not_go_back_where_more_effort_would_not_fit() -> None:
    load = Load(level=2)
    share = 1.01 * ROOM * EFFORTS[2].cost / EFFORTS[1].cost
    assert after(load, *[Seen(0.0, share, LOOK)] * 1_000).level == 2
    assert after(load, *[Seen(0.0, 0.9 * share, LOOK)] * 1_000).level < 2


def run(demand: float, errors: list[float], seconds: float) -> tuple[list[int], list[float]]:
    """Levels and queues of a live stream that takes `demand` of real time with all effort.

    `errors`: what each step really costs, to what the table says.
    """
    load, queue = Load(), 0.0
    levels, queues = [], []
    for _ in range(round(1_000 * seconds / LOOK)):
        share = demand * EFFORTS[load.level].cost * errors[load.level]
        queue = max(0.0, queue + (share - 1) * LOOK)
        load = governed(load, Seen(queue, share, LOOK), LIMIT, USUAL)
        levels.append(load.level)
        queues.append(queue)
    return levels, queues


@settings(deadline=None, max_examples=40)
@given(
    st.floats(0, 4), st.lists(st.floats(0.75, 1.3), min_size=len(EFFORTS), max_size=len(EFFORTS))
)
@example(1.0625, [1, 1.25, 0.75, 1, 1])  # a step back that is found out after 13 s
def test_a_steady_load_makes_it_flap_neither_often_nor_for_ever(
    demand: float, errors: list[float]
) -> None:
    errors[0] = 1.0
    levels, _ = run(demand, errors, 240)
    late = levels[len(levels) // 2 :]
    changes = sum(a != b for a, b in pairwise(late))
    assert changes <= 8  # in two minutes, where steps save nothing like what the table says


@settings(deadline=None, max_examples=40)
@given(st.floats(0, 4))
@example(1.375)
def test_a_steady_load_and_a_right_table_are_no_reason_to_change_at_all(demand: float) -> None:
    levels, queues = run(demand, [1.0] * len(EFFORTS), 240)
    late = levels[len(levels) // 2 :]
    # Just above real time the queue grows for minutes until it calls for one step more.
    assert late == sorted(late)
    assert late[-1] - late[0] <= 1
    if demand * EFFORTS[-1].cost < 0.9:  # the last step saves enough
        assert max(queues) < LIMIT
        assert queues[-1] == 0 or late[0] < MOST


def test_all_steps_are_tried_before_audio_is_lost() -> None:
    levels, queues = run(3.0, [1.0] * len(EFFORTS), 10)
    assert queues[levels.index(MOST)] < LIMIT


@pytest.mark.parametrize("wrong", [{"most": -1}, {"most": len(EFFORTS)}, {"calm_ms": 0}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(SettingsError, match="must be"):
        LoadSettings(**wrong)
