"""Other end-pointers, replayed over clocks that are known by hand."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from earshot.endpointers import EndPointSettings, Glance, Rule
from earshot.units import SAMPLES_PER_MS, VAD_FRAME_MS

from models import endpoint_plot
from models.replay import ENDLESS, Clocks, Replay, Segment, replayed
from models.rivals import (
    CONTROL,
    EARLY,
    FINAL,
    early,
    final,
    rivals,
    sherpa,
    silence,
    sweeps,
    webrtcvad,
)


def ms(time: float) -> int:
    return round(time * SAMPLES_PER_MS)


def clocks(
    speech: Sequence[tuple[float, float]], words: Sequence[float], length: float, start: float = 0
) -> Clocks:
    """Speech from … to …, and a word taken at each time; what the clocks then say."""
    glances, spoke, token = list[Glance](), start, start
    for at in np.arange(start + VAD_FRAME_MS, length + 1, VAD_FRAME_MS).tolist():
        hears = any(first < at <= last for first, last in speech)
        spoke = at if hears else spoke
        token = max([token, *(one for one in words if one <= at)])
        count = sum(one <= at for one in words)
        glances.append(Glance(ms(at), count, hears, at - spoke, at - token, at - start))
    return Clocks.of(glances)


def ends(found: Sequence[Segment]) -> list[tuple[float, float | None, bool]]:
    return [
        (one.begin / SAMPLES_PER_MS, one.end and one.end / SAMPLES_PER_MS, one.heard)
        for one in found
    ]


# Speech from 200 to 1000 ms and from 1600 to 2200 ms, words at 600, 1000 and 2200 ms.
SPOKEN = clocks([(200, 1_000), (1_600, 2_200)], [600, 1_000, 2_200], 8_000)
Ended = list[tuple[float, float | None, bool]]


@pytest.mark.parametrize(
    ("replay", "found"),
    [
        (silence(500), [(0, 1_500, True), (1_660, 2_700, True)]),
        (silence(800), [(0, 3_000, True)]),
        (silence(6_000), [(0, None, True)]),
        (webrtcvad(500), [(0, 1_500, True), (1_660, 2_700, True)]),
        (sherpa(1_000), [(0, 2_000, True), (2_020, 3_200, True)]),
        (sherpa(1_200), [(0, 3_400, True)]),
        (Replay((Rule("too long", after_words=False, length=500),)), [(0, 500, False)]),
    ],
)
def test_rules_end_where_the_clocks_say(replay: Replay, found: Ended) -> None:
    assert ends(replayed(SPOKEN, replay))[: len(found)] == found


def test_sherpa_gives_up_after_2400_ms_of_nothing_and_after_20_seconds() -> None:
    nothing = clocks([(0, 9_000)], [], 9_000)
    assert ends(replayed(nothing, sherpa(1_200)))[0] == (0, 2_400, False)
    endless = clocks([(0, 30_000)], list(range(500, 30_000, 500)), 30_000)
    found = ends(replayed(endless, sherpa(1_200)))
    assert found == [(0, 20_000, True), (20_020, None, True)]


def test_an_utterance_begins_with_what_was_kept_before_the_gate_opened() -> None:
    assert replayed(clocks([(1_000, 1_400)], [1_400], 4_000, 600), silence(500)) == [
        Segment(ms(600), ms(1_900), heard=True)
    ]
    assert not replayed(Clocks.of([]), silence(500))


def test_a_probability_is_asked_for_as_any_other_clock() -> None:
    sure = replace(SPOKEN, still=SPOKEN.pause, probability=np.where(SPOKEN.pause > 300, 0.8, 0.1))
    settings = EndPointSettings(done=0.7, done_ms=100)
    assert ends(replayed(sure, final(settings)))[0] == (0, 920, True)
    assert ends(replayed(SPOKEN, final(settings)))[0] == (0, 1_560, True)


def test_endless_settings_end_nothing() -> None:
    for replay in (final(ENDLESS), early(ENDLESS)):
        assert ends(replayed(SPOKEN, replay)) == [(0, None, True)]


def test_the_speculative_rules_are_the_control_and_come_first() -> None:
    settings = EndPointSettings()
    first, sure = (replayed(SPOKEN, made(settings))[0] for made in (early, final))
    assert (first.end, sure.end) == (ms(1_360), ms(1_560))
    assert rivals(settings)[CONTROL] == early(settings)


def test_sweeps_are_over_the_network_where_there_is_one() -> None:
    without, with_one = sweeps(EndPointSettings()), sweeps(EndPointSettings(done=0.9, likely=0.5))
    assert set(without) == set(with_one) == set(endpoint_plot.TOLD)
    assert max(without[FINAL].thresholds) > 1 >= max(with_one[EARLY].thresholds)
    rules = {rule.name: rule for rule in with_one[FINAL].at(0.3).table}
    assert rules["done"].probability == pytest.approx(0.3)
    rules = {rule.name: rule for rule in without[FINAL].at(300).table}
    assert (rules["pause"].pause, rules["long pause"].pause) == (300, 1_400)
