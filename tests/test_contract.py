"""The contract of an utterance, on random scripts of speech and silence."""

from dataclasses import replace

import numpy as np
import pytest
from earshot.bundle import open_bundle
from earshot.endpointers import EndPointSettings
from earshot.engine import Engine
from earshot.events import (
    Cancelled,
    Committed,
    Decision,
    EndPoint,
    EndPointKind,
    Event,
    Partial,
    Retracted,
    Revised,
    SpeechStarted,
)
from earshot.lattice import EMPTY
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import contract, networks
from tests.fake_recogniser import FakeRecogniser, loud, quiet

HASTY = EndPointSettings(
    pause_ms=200, long_pause_ms=600, breath_ms=40, long_ms=900, longest_ms=1_500, nothing_ms=400
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine.open(open_bundle(networks.phones(tmp_path_factory.mktemp("bundle"))))


@pytest.mark.parametrize("table", [EndPointSettings(), HASTY], ids=["usual", "hasty"])
@pytest.mark.parametrize("seed", range(8))
def test_every_utterance_of_a_random_script_keeps_the_contract(
    engine: Engine, seed: int, table: EndPointSettings
) -> None:
    recogniser = engine.tuned(replace(engine.tuning, endpoint=table)).recogniser()
    audio = contract.script(seed)
    events = [e for piece in contract.slices(audio, seed) for e in recogniser.accept(piece)]
    contract.check([*events, *recogniser.finish()], table)


@pytest.mark.parametrize("seed", range(6))
def test_a_cancelled_utterance_ends_once_and_the_next_one_is_numbered_on(
    engine: Engine, seed: int
) -> None:
    recogniser, dice, events = engine.recogniser(), np.random.default_rng(seed), []
    for piece in contract.slices(contract.script(seed + 100), seed):
        events += recogniser.accept(piece)
        if dice.random() < 0.2:
            given_up = recogniser.cancel("muted")
            assert [type(e) for e in given_up] in ([], [Cancelled])
            assert recogniser.cancel("muted") == []
            events += given_up
    contract.check([*events, *recogniser.finish()])


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 9)), max_size=8), st.integers(0, 9))
@settings(deadline=None, max_examples=50)
def test_the_fake_recogniser_keeps_it_too(turns: list[tuple[bool, int]], stop: int) -> None:
    recogniser, events = FakeRecogniser(), []
    for i, (speaks, tenths) in enumerate(turns):
        events += recogniser.accept((loud if speaks else quiet)(tenths / 10))
        events += recogniser.cancel("muted") if i == stop else []
    contract.check([*events, *recogniser.finish()])


STARTED = SpeechStarted(10, 1, 5)
FIRST = EndPoint(20, 1, 1, EndPointKind.SPECULATIVE, Decision("pause", ()), 15, EMPTY)
SECOND = replace(FIRST, version=2, at=30)
GOOD: list[list[Event]] = [
    [],
    [STARTED, FIRST, Committed(20, 1, 1)],
    [STARTED, FIRST, Retracted(20, 1, 1), Partial(25, 1, (), 20), SECOND, Committed(30, 1, 2)],
    [STARTED, FIRST, Revised(20, 1, 2, reset=True, result=EMPTY), Committed(30, 1, 2)],
    [
        STARTED,
        Cancelled(20, 1, "nothing was said"),
        SpeechStarted(20, 2, 20),
        Cancelled(20, 2, "x"),
    ],
]
BAD: dict[str, list[Event]] = {
    "no end": [STARTED, FIRST],
    "no beginning": [FIRST, Committed(20, 1, 1)],
    "two ends": [STARTED, FIRST, Committed(20, 1, 1), Committed(20, 1, 1)],
    "a version that never was": [STARTED, FIRST, Committed(20, 1, 2)],
    "retracted and yet committed": [STARTED, FIRST, Retracted(20, 1, 1), Committed(20, 1, 1)],
    "a second version while the first stands": [STARTED, FIRST, SECOND, Committed(30, 1, 2)],
    "a version is left out": [STARTED, SECOND, Committed(30, 1, 2)],
    "two at a time": [STARTED, SpeechStarted(12, 2, 11), Cancelled(20, 2, "x")],
    "time falls": [STARTED, FIRST, Committed(19, 1, 1)],
    "of the future": [SpeechStarted(10, 1, 11), Cancelled(20, 1, "x")],
    "of another": [STARTED, Cancelled(20, 2, "x")],
}


@pytest.mark.parametrize("events", GOOD)
def test_the_check_lets_what_the_contract_allows(events: list[Event]) -> None:
    assert contract.check(events) == sum(isinstance(e, SpeechStarted) for e in events)


@pytest.mark.parametrize("events", BAD.values(), ids=BAD.keys())
def test_the_check_finds_what_the_contract_forbids(events: list[Event]) -> None:
    with pytest.raises(AssertionError):
        contract.check(events)
