"""Weights of re-ranking are found, and what they give is counted."""

import pickle
from pathlib import Path

import pytest
from earshot.neural import NeuralModel, open_rescorer
from earshot.parcel import ParcelSettings
from earshot.rescoring import RescoringSettings

from models.rescore import Ranking, chosen, cost, exact, figures, tuned, write_weights
from models.rescored import Recording, Sample, Shelf, ready, recordings
from models.rescorer import manifest
from tests.rescorers import LIGHT
from tests.small_rescorer import sausage, small_rescorer

SENT = ParcelSettings(least=0.0, arcs_a_second=1e6)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> NeuralModel:
    return open_rescorer(str(small_rescorer(tmp_path_factory.mktemp("small")))).model


def sample(model: NeuralModel, text: str, best: str, *places: str) -> Sample:
    lattices = (sausage(*places),) if places else (LIGHT,)
    heard = Recording("1.flac", text, lattices, best, 4.0)
    return Sample(heard, tuple(ready(one, model, model.words, SENT) for one in lattices))


@pytest.fixture
def samples(model: NeuralModel) -> list[Sample]:
    return [
        sample(model, "turn on the lamp", "torn on the kite"),
        sample(
            model,
            "turn off the light",
            "turn off the light",
            "turn",
            "off:0.9 on:0.1",
            "the",
            "light",
        ),
    ]


def test_weights_are_found_that_make_fewer_errors(samples: list[Sample]) -> None:
    sets = {"all": samples}
    plain = Ranking(RescoringSettings(neural=0.0))
    assert cost(sets, plain) == 0.0
    found = tuned(sets, plain)
    assert cost(sets, found) < 0
    assert found.settings.neural > 0
    assert (
        [exact(one, found) for one in samples] == [chosen(one, found) for one in samples] == [0, 0]
    )


def test_figures_are_of_device_list_lattice_and_the_nearest_path(samples: list[Sample]) -> None:
    ways = {"lattice": Ranking(RescoringSettings(neural=1.0))}
    found = figures(samples, ways)
    assert (found["recordings"], found["words"]) == (2, 8)
    assert (found["device"][0], found["lattice"][0], found["nearest"][0]) == (25.0, 0.0, 0.0)
    assert (found["lattice_ratio"][0], found["lattice_closed"]) == (0.0, 1.0)
    assert found["nearest_sent"] == found["nearest"]
    assert 0 < found["bytes_a_second"] < 10


def test_what_the_candidates_say_is_what_the_lattice_says(model: NeuralModel) -> None:
    one = sample(
        model,
        "turn on the lamp",
        "",
        "turn:0.4 torn:0.6",
        "on:0.5 off:0.5",
        "the",
        "kite:0.7 lamp:0.3",
    )
    for neural in (0.0, 0.2, 0.5, 1.0):
        for common in (0.0, 0.2):
            ranking = Ranking(RescoringSettings(neural=neural, common=common, bonus=0.3))
            assert chosen(one, ranking) == exact(one, ranking)


def test_what_was_heard_is_kept(tmp_path: Path) -> None:
    heard = [Recording("1.flac", "on", (), "", 1.0)]
    shelf = Shelf(tmp_path, None, "en", tmp_path, 3, 1)
    label = "en-" + recordings.__module__  # no such bundle: another name is never read
    (tmp_path / f"an4-{label}-3.pickle").write_bytes(pickle.dumps(heard))
    assert recordings(shelf, "an4") == []  # of a kit without that set
    kept = [path for path in tmp_path.glob("an4-en-*-3.pickle") if label not in path.name]
    kept[0].write_bytes(pickle.dumps(heard))
    assert recordings(shelf, "an4") == heard


def test_weights_get_into_a_folder_that_can_be_opened(tmp_path: Path) -> None:
    folder, weights = small_rescorer(tmp_path / "small"), RescoringSettings(0.3, 0.05, 0.5, 0.1)
    write_weights(tmp_path / "weights.toml", weights)
    text = (tmp_path / "weights.toml").read_text("utf8")
    said = {
        name: float(value) for name, _, value in (line.split() for line in text.splitlines()[1:])
    }
    (folder / "rescorer.toml").write_text(manifest(folder, said), "utf8")
    assert open_rescorer(str(folder)).settings == weights
