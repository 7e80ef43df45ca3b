"""Less effort is an input like the audio: the same on any slicing, and the contract is kept."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from earshot.__main__ import main
from earshot.bundle import open_bundle
from earshot.effort import ALL, EFFORTS, Effort
from earshot.engine import Engine
from earshot.events import EndPoint, EndPointKind, Event, Partial

from tests import contract, networks
from tests.recordings import recordings

SHIPPED = Path(__file__).parent.parent / "models" / "bundles" / "en"


@pytest.fixture(scope="module", params=["phones", "zipformer2", "shipped"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = SHIPPED
    if request.param == "phones":
        folder = networks.phones(tmp_path_factory.mktemp("bundle"))
    elif request.param == "zipformer2":
        folder = networks.write(tmp_path_factory.mktemp("bundle"), "zipformer2")
    return Engine.open(open_bundle(folder))


def heard(engine: Engine, parts: list[tuple[Effort, list[contract.Samples]]]) -> list[Event]:
    """The events of parts of a stream, each with its effort and in its pieces."""
    recogniser, events = engine.recogniser(), list[Event]()
    for effort, pieces in parts:
        for piece in pieces:
            recogniser.effort(effort)
            events += recogniser.accept(piece)
    return [*events, *recogniser.finish()]


@pytest.mark.parametrize("seed", [3, 4])
def test_any_slicing_gives_the_same_events_with_the_same_efforts(engine: Engine, seed: int) -> None:
    audio, dice = contract.script(seed, 3), np.random.default_rng(seed)
    cuts = [0, *np.sort(dice.integers(0, len(audio), 8)).tolist(), len(audio)]
    parts = [(EFFORTS[dice.integers(len(EFFORTS))], audio[a:b]) for a, b in pairwise(cuts)]
    whole = heard(engine, [(effort, [part]) for effort, part in parts])
    sliced = [(effort, contract.slices(part, seed + i)) for i, (effort, part) in enumerate(parts)]
    assert heard(engine, sliced) == whole
    contract.check(whole, engine.tuning.endpoint)


@pytest.mark.parametrize("effort", EFFORTS, ids=lambda one: one.name)
def test_every_effort_keeps_the_contract(engine: Engine, effort: Effort) -> None:
    audio = contract.script(11, 3)
    events = heard(engine, [(effort, contract.slices(audio, 11))])
    assert contract.check(events, engine.tuning.endpoint)
    partials = [event for event in events if isinstance(event, Partial)]
    early = [
        event
        for event in events
        if isinstance(event, EndPoint) and event.kind is EndPointKind.SPECULATIVE
    ]
    assert effort.early or not (partials or early)


def test_all_effort_is_what_there_is_without_any_word_of_it(engine: Engine) -> None:
    audio, recogniser = contract.script(5, 3), engine.recogniser()
    assert heard(engine, [(ALL, [audio])]) == [*recogniser.accept(audio), *recogniser.finish()]


def test_a_recording_can_be_heard_as_by_a_daemon_that_falls_behind(
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = str(recordings()[0].path)
    told = []
    for level in (0, len(EFFORTS) - 1):
        assert main(["transcribe", path, "--json", "--events", "--effort", str(level)]) == 0
        found = json.loads(capsys.readouterr().out)
        told.append({event["event"] for event in found["events"]})
        assert found["words"]
    assert told[0] - told[1] == {"partial"}
    with pytest.raises(SystemExit, match="2"):
        main(["transcribe", path, "--effort", str(len(EFFORTS))])
