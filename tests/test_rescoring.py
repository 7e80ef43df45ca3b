import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from earshot.errors import BundleError, SettingsError
from earshot.neural import NeuralModel, open_rescorer
from earshot.parcel import Opened, ParcelArc, ParcelSettings, pack, unpack
from earshot.rescoring import Floats, RescoringSettings, Way, ordered, planned

from tests.small_rescorer import COMMON, CONTEXT, WORDS, bigrams, sausage, small_rescorer, texts
from tests.test_parcel import LIST, random_lattice

ALL = ParcelSettings(least=0.0, arcs_a_second=1e6)
LIGHT = sausage("turn:0.4 torn:0.6", "on", "the", "light:0.1 lamp:0.2 kite:0.7")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> NeuralModel:
    return open_rescorer(str(small_rescorer(tmp_path_factory.mktemp("small")))).model


def ranked(
    model: NeuralModel,
    opened: Opened,
    settings: RescoringSettings,
    count: int = 64,
    *,
    debias: bool = False,
) -> list[Way]:
    plan = planned(opened, model, settings)
    return ordered(plan, model.score(*plan.asked()), settings, count, debias=debias)


def by_hand(opened: Opened, settings: RescoringSettings) -> dict[str, float]:
    """The score of every text, by going all ways; of the kind that has the best."""
    found = dict[str, float]()

    def walk(table: Floats, node: int, words: tuple[str, ...], total: float) -> None:
        if node == opened.nodes - 1:
            said = pairwise(("<s>", *words, "</s>"))
            logp = sum(table[WORDS.index(a), WORDS.index(b)] for a, b in said)
            score = total + settings.neural * logp + settings.bonus * len(words)
            score -= settings.common * sum(COMMON.get(word, 0.0) for word in words)
            text = " ".join(words)
            found[text] = max(found.get(text, -math.inf), score)
        for arc in opened.arcs:
            if arc.source == node:
                walk(table, arc.target, (*words, arc.word), total + arc.score)

    kinds = list[dict[str, float]]()
    for table in bigrams():
        found = {}
        walk(table, 0, (), 0.0)
        kinds.append(found)
    return max(kinds, key=lambda one: max(one.values()))


def test_the_network_says_what_the_bigram_says(model: NeuralModel) -> None:
    size = len(WORDS)
    last, word = (part.ravel() for part in np.mgrid[:size, :size])
    contexts = np.zeros((size, CONTEXT), np.int64)
    contexts[:, -1] = np.arange(size)
    assert model.score(contexts, last, word) == pytest.approx(bigrams()[:, last, word], abs=1e-5)


def test_the_likeliest_of_both_is_first(model: NeuralModel) -> None:
    packed = pack(LIGHT, model.words, ALL)
    opened = unpack(packed.parcel, model.words)
    for neural, text in ((0.0, "torn on the kite"), (1.0, "turn on the lamp")):
        best = ranked(model, opened, RescoringSettings(neural), 1)
        assert texts(LIGHT, packed.arcs, [path.arcs for path in best]) == [text]


@pytest.mark.parametrize("seed", range(12))
def test_the_order_is_that_of_all_paths_scored_by_hand(model: NeuralModel, seed: int) -> None:
    words = dict(zip((*LIST.words, "siobhan", "zürich"), WORDS[5:14], strict=True))
    lattice = random_lattice(seed, 6)
    drawn = unpack(pack(lattice, model.words, ALL).parcel, model.words)
    opened = Opened(drawn.nodes, tuple(arc._replace(word=words[arc.word]) for arc in drawn.arcs))
    settings = RescoringSettings(neural=0.7, common=0.2, bonus=0.4, states=1_000)
    wanted = by_hand(opened, settings)
    found = ranked(model, opened, settings, 10)
    said = [" ".join(opened.arcs[i].word for i in path.arcs) for path in found]
    assert len(set(said)) == len(said) == min(10, len(wanted))
    best = sorted(wanted.values(), reverse=True)[: len(said)]
    assert [path.score for path in found] == pytest.approx(best, abs=1e-4)
    assert [wanted[text] for text in said] == pytest.approx(best, abs=1e-4)


def test_a_lattice_is_of_the_kind_of_its_likeliest_path(model: NeuralModel) -> None:
    nonsense = (arc(0, "light", 1.0), arc(1, "torn", 0.2), arc(1, "turn", 0.8))
    opened = Opened(3, nonsense)
    best = ranked(model, opened, RescoringSettings(neural=1.0))[0]
    uniform = -3 * math.log(len(WORDS))  # two words and the end
    assert best.score == pytest.approx(math.log(0.8) + uniform, abs=1e-5)


def test_posteriors_of_all_paths_sum_to_one(model: NeuralModel) -> None:
    opened = unpack(pack(LIGHT, model.words, ALL).parcel, model.words)
    found = ranked(model, opened, RescoringSettings(0.5))
    assert len(found) == 6
    assert sum(path.posterior for path in found) == pytest.approx(1)


def test_few_states_leave_a_whole_path(model: NeuralModel) -> None:
    opened = unpack(pack(LIGHT, model.words, ALL).parcel, model.words)
    found = ranked(model, opened, RescoringSettings(1.0, states=1), 1)
    assert [opened.arcs[i].word for i in found[0].arcs[1:3]] == ["on", "the"]


def arc(source: int, word: str, share: float, **more: float) -> ParcelArc:
    language, bias = more.get("language"), more.get("bias", 0.0)
    return ParcelArc(source, source + 1, word, math.log(share), language, bias)


def test_what_names_earned_is_taken_away_when_asked(model: NeuralModel) -> None:
    opened = Opened(2, (arc(0, "siobhan", 0.7, language=-2, bias=3), arc(0, "turn", 0.3)))
    settings = RescoringSettings(neural=0.0)
    for debias, word in ((False, "siobhan"), (True, "turn")):
        best = ranked(model, opened, settings, 1, debias=debias)[0]
        assert opened.arcs[best.arcs[0]].word == word


def test_a_name_has_the_devices_own_language_score(model: NeuralModel) -> None:
    opened = Opened(2, (arc(0, "siobhan", 0.5, language=-0.1), arc(0, "kite", 0.5)))
    found = ranked(model, opened, RescoringSettings(neural=1.0, name=2.0))
    end, table = WORDS.index("</s>"), bigrams()[0]
    named = math.log(0.5) - 0.2 + table[WORDS.index("$contact"), end]
    assert found[0].score == pytest.approx(named, abs=1e-5)
    assert opened.arcs[found[0].arcs[0]].word == "siobhan"


def test_a_lattice_of_names_alone_can_be_ranked(model: NeuralModel) -> None:
    opened = Opened(3, (arc(0, "ann", 1.0, language=-1), arc(1, "o'neill", 1.0, language=-1)))
    assert [path.arcs for path in ranked(model, opened, RescoringSettings())] == [(0, 1)]


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("rescorer.toml", "name = 1", "name is missing or not a str"),
        ("rescorer.toml", "x", "cannot be read"),
        ("words.txt", "a", "has 1 bytes"),
        ("neural.onnx", "", "has 0 bytes"),
    ],
)
def test_a_damaged_folder_is_told_in_a_sentence(
    tmp_path: Path, file: str, text: str, said: str
) -> None:
    folder = small_rescorer(tmp_path / "r")
    (folder / file).write_text(text, "utf8")
    with pytest.raises(BundleError, match=f"{file}.*{said}"):
        open_rescorer(str(folder))


def test_weights_that_are_none_are_refused(tmp_path: Path) -> None:
    folder = small_rescorer(tmp_path / "r", 'neural = "much"\n')
    with pytest.raises(SettingsError, match="neural"):
        open_rescorer(str(folder))
