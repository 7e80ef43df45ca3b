"""How likely speech is meant for the device: what is looked at, what a client adds, who tells."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest
from earshot.asked import Asked
from earshot.directed import GROUPS, DirectedSettings, Traits, directed, odds, traits
from earshot.errors import RequestError, SettingsError
from earshot.events import Interpretation
from earshot.lattice import EMPTY, result
from earshot.lines import event_object, interpretation_lines
from earshot.understanding import Understanding

from models.directed import Seen, equal_error, fitted, held_out, measured, settings
from tests import small_nlu
from tests.small_nlu import line
from tests.test_lines import POINT

NLU = small_nlu.models()[0]
READER = Understanding(NLU)
CALL = line(("call", "anna"))


def test_every_trait_is_in_a_group() -> None:
    names = {one.name for one in fields(Traits)}
    assert sorted(name for group in GROUPS.values() for name in group) == sorted(names)


@pytest.mark.parametrize("seed", range(10))
def test_the_entropy_is_that_of_all_paths(seed: int) -> None:
    lattice = small_nlu.lattice(np.random.default_rng(seed))
    found = result(lattice, 10)
    chances = [chance for chance, _ in small_nlu.paths(lattice)]
    wanted = -sum(chance * math.log(chance) for chance in chances)
    seen = traits(found, READER.result(found), NLU)
    assert seen.unsure * len(found.words) == pytest.approx(wanted)
    assert seen.words == pytest.approx(math.log(len(found.words)))


def test_without_a_bias_a_model_or_words_nothing_is_told() -> None:
    told = DirectedSettings(bias=0.0)
    assert directed(CALL, None, NLU, DirectedSettings(weights=Traits(meant=1.0))) is None
    assert directed(CALL, None, None, told) is None
    assert directed(EMPTY, None, NLU, told) is None
    assert directed(CALL, None, NLU, told) == 0.5


def test_weights_and_a_hint_add_up_as_log_odds() -> None:
    seen = traits(CALL, READER.result(CALL), NLU)
    weights = DirectedSettings(0.5, Traits(words=0.25, meant=0.1))
    total = 0.5 + 0.25 * seen.words + 0.1 * seen.meant
    plain = directed(CALL, READER.result(CALL), NLU, weights)
    assert plain == pytest.approx(1 / (1 + math.exp(-total)))
    looks = directed(CALL, None, NLU, replace(weights, attention=0.9))
    away = directed(CALL, None, NLU, replace(weights, attention=0.0, hint=2.0))
    assert looks == pytest.approx(1 / (1 + math.exp(-total - odds(0.9))))
    assert away == pytest.approx(1 / (1 + math.exp(-total - 2 * odds(0.02))))


def test_what_a_template_accepts_is_at_least_as_likely_as_it_was_heard() -> None:
    meant = Interpretation("A", 0.8, (), ("call", "anna"), template=True)
    never = DirectedSettings(bias=-20.0)
    assert directed(CALL, meant, NLU, never) == 0.8
    assert directed(CALL, replace(meant, template=False), NLU, never) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("attention", [-0.1, 1.1, math.nan])
def test_a_hint_is_a_probability(attention: float) -> None:
    with pytest.raises(SettingsError, match="0 to 1"):
        DirectedSettings(attention=attention)
    with pytest.raises(RequestError, match=r"attention_hint is .* 0 to 1"):
        Asked(attention=attention)


def test_results_are_told_with_what_they_mean() -> None:
    adds = READER.adds(None, DirectedSettings(bias=1.0))
    assert adds is not None
    assert adds(CALL).directed == pytest.approx(1 / (1 + math.exp(-1)))


def test_it_is_part_of_lines_and_objects() -> None:
    meant = Interpretation("call", 1.0, (), ("call",))
    (said,) = interpretation_lines(meant, 0.934)
    assert said == "  means call (100% sure); 93% meant for the device"
    told = replace(POINT, result=replace(POINT.result, directed=0.93456))
    assert event_object(told)["directed"] == 0.9346
    assert "directed" not in event_object(POINT)


def made(count: int = 300) -> Seen:
    """Recordings of which two traits tell, by three voices."""
    dice = np.random.default_rng(0)
    command = np.arange(count) % 2 == 0
    x = dice.normal(0, 1, (count, len(fields(Traits))))
    x[:, 0] -= 2.0 * command
    x[:, 7] += 3.0 * command
    return Seen(x, command, np.array(["a", "b", "c"])[np.arange(count) // 2 % 3])


def test_a_regression_learns_what_tells() -> None:
    data = made()
    chosen = settings(data)
    assert chosen.bias is not None
    assert chosen.weights.unsure < -0.5
    assert chosen.weights.meant > 0.5
    assert abs(chosen.weights.pace) < 0.5
    scores = held_out(data, range(data.traits.shape[1]))
    assert equal_error(scores, data.command) < 8
    found = measured(data, made(90))
    for part in ("held out", "known"):
        assert found[part]["all"][0] < found[part]["length"][0]


def test_weights_are_those_of_the_numbers_as_they_come() -> None:
    data = made()
    plain, scaled = (fitted(data.traits * k, data.command) for k in (1.0, 10.0))
    assert scaled[1:] * 10 == pytest.approx(plain[1:])
    assert scaled[0] == pytest.approx(plain[0])


def test_the_equal_error_rate_is_where_both_kinds_are_as_often_wrong() -> None:
    y = np.array([True, True, True, True, False, False, False, False])
    assert equal_error(np.array([5.0, 6, 7, 8, 1, 2, 3, 4]), y) == 0
    assert equal_error(np.array([4.0, 6, 7, 8, 1, 2, 3, 5]), y) == 25
    assert equal_error(np.array([1.0, 2, 3, 4, 5, 6, 7, 8]), y) == 100
