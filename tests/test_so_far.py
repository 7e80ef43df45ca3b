"""What an utterance would say if it ended now: what it says in the end; and nothing changes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from earshot.bundle import open_bundle
from earshot.command_set import Commands
from earshot.engine import Engine
from earshot.events import Committed, EndPoint, EndPointKind, Event, Result, Revised

from tests import contract, networks
from tests.recordings import recordings

SHIPPED = Path(__file__).parent.parent / "models" / "bundles" / "en"
COMMANDS = '[[intents.Word]]\nsentences = ["(stop|go|yes|no|enter thirty)"]'


@pytest.fixture(scope="module", params=["phones", "pieces", "commands", "shipped"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    kind, folder = request.param, SHIPPED
    if kind == "phones":
        folder = networks.phones(tmp_path_factory.mktemp("bundle"))
    if kind == "pieces":
        folder = networks.write(tmp_path_factory.mktemp("bundle"), "lstm")
    engine = Engine.open(open_bundle(folder))
    return engine.commanded(Commands(COMMANDS, "test")) if kind == "commands" else engine


def often(engine: Engine, early: int) -> Engine:
    """An engine that announces after so many milliseconds of pause, and up to nine times."""
    endpoint = replace(engine.tuning.endpoint, short_pause_ms=early, speculations=9)
    return engine.tuned(replace(engine.tuning, endpoint=endpoint))


def heard(engine: Engine, audio: contract.Samples) -> list[Event]:
    recogniser = engine.recogniser()
    return [*recogniser.accept(audio), *recogniser.finish()]


def last_results(events: list[Event]) -> list[Result]:
    """Of each utterance the last result."""
    found: dict[int, Result] = {}
    for event in events:
        if isinstance(event, EndPoint | Revised):
            found[event.utterance] = event.result
    return [found[e.utterance] for e in events if isinstance(e, Committed)]


@pytest.mark.parametrize("seed", range(3))
def test_looking_ahead_changes_nothing_of_what_is_committed(engine: Engine, seed: int) -> None:
    audio = contract.script(seed)
    with_, without = heard(often(engine, 40), audio), heard(often(engine, 10_000), audio)
    assert contract.check(with_) == contract.check(without)
    texts = [[result.text for result in last_results(events)] for events in (with_, without)]
    assert texts[0] == texts[1]


def test_what_is_announced_in_silence_is_what_is_committed() -> None:
    engine = often(Engine.open(open_bundle(SHIPPED)), 200)
    announced = stood = 0
    for spoken in recordings():
        events = heard(engine, np.concatenate([spoken.speech(), np.zeros(32_000, np.float32)]))
        contract.check(events, engine.tuning.endpoint)
        ends = [e for e in events if isinstance(e, EndPoint)]
        announced += ends[-1].kind is EndPointKind.SPECULATIVE
        stood += not any(isinstance(e, Revised) for e in events)
    assert announced >= 0.8 * len(recordings())
    assert stood >= 0.8 * len(recordings())
