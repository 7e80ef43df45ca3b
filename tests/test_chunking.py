"""Any slicing of the audio gives exactly the same events, through the real stages."""

from pathlib import Path

import numpy as np
import pytest
from earshot.bundle import open_bundle
from earshot.engine import Engine
from earshot.events import Event

from tests import contract, networks
from tests.recordings import recordings

SHIPPED = Path(__file__).parent.parent / "models" / "bundles" / "en"


@pytest.fixture(scope="module", params=["phones", "zipformer2", "shipped"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("bundle")
    if request.param == "phones":
        networks.phones(folder)
    elif request.param == "zipformer2":
        networks.write(folder, "zipformer2")
    elif SHIPPED.exists():
        folder = SHIPPED
    else:
        pytest.skip("no bundle is shipped")
    return Engine.open(open_bundle(folder))


def events(engine: Engine, pieces: list[contract.Samples]) -> list[Event]:
    recogniser = engine.recogniser()
    heard = [event for piece in pieces for event in recogniser.accept(piece)]
    return heard + recogniser.finish()


@pytest.mark.parametrize("seed", [1, 2])
def test_any_slicing_of_a_random_script_gives_the_same_events(engine: Engine, seed: int) -> None:
    audio = contract.script(seed, 3)
    whole = events(engine, [audio])
    assert whole
    assert events(engine, contract.slices(audio, seed)) == whole


def test_sample_by_sample_is_the_same_as_all_at_once(engine: Engine) -> None:
    audio = recordings()[-1].samples()
    assert len(audio) == 16_000
    whole = events(engine, [audio])
    assert whole
    assert events(engine, np.split(audio, len(audio))) == whole


def test_a_recogniser_knows_nothing_of_another(engine: Engine) -> None:
    audio = recordings()[3].samples()
    alone, one, other = events(engine, [audio]), engine.recogniser(), engine.recogniser()
    found: tuple[list[Event], list[Event]] = ([], [])
    for piece in np.array_split(audio, 9):
        found[0].extend(one.accept(piece))
        found[1].extend(other.accept(piece * np.float32(0.5)))
    assert found[0] + one.finish() == alone
    assert found[1] + other.finish() != alone
