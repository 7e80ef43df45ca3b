"""Lattices beside n-best lists: the control is a fair one, and what is counted is right."""

from pathlib import Path

import numpy as np
import pytest
from earshot.catalog import Catalog
from earshot.events import Arc, Lattice
from earshot.search import Search, SearchSettings

from models.lattices import Counting, Histories, calibration, oracle
from tests import small

WIDE = SearchSettings(beam=10_000, width=1e4, extend_width=1e4, lattice_width=1e4)


def arc(source: int, target: int, word: str) -> Arc:
    return Arc(source, target, word, 0, 0, -1.0, 0.0, 0.0, 0.5)


LATTICE = Lattice(
    (0, 1, 2, 3),
    (arc(0, 1, "turn"), arc(0, 2, "return"), arc(1, 2, "it"), arc(2, 3, "on"), arc(2, 3, "off")),
)


@pytest.mark.parametrize(
    ("said", "errors"),
    [("turn it off", 0), ("return on", 0), ("turn on", 1), ("turn it", 1), ("", 2), ("go off", 1)],
)
def test_the_oracle_is_the_nearest_path(said: str, errors: int) -> None:
    assert oracle(LATTICE, said.split()) == errors
    assert oracle(None, said.split()) == len(said.split())


@pytest.mark.parametrize("seed", range(6))
def test_without_recombination_the_best_is_the_same_and_no_history_is_there_twice(
    tmp_path: Path, seed: int
) -> None:
    usual = small.grammar(tmp_path)
    found = []
    for grammar in (usual.fresh(), Histories(usual.fresh())):
        scorer = Counting(small.RandomScorer(seed, 7))
        search = Search(scorer, grammar, Catalog.empty(7), WIDE)
        search.accept(np.zeros((7, 4), np.float32))
        found.append((search, scorer))
    (plain, asked), (tree, _) = found
    one, other = plain.raw(), tree.raw()
    best, same = ((raw.last.score + raw.closing).max() for raw in (one, other))
    assert best == pytest.approx(same)
    texts = [tuple(w for w, _, _ in tree._memory.words_to(int(back))) for back in other.last.back]
    assert len(texts) >= len(one.last.back)
    assert asked.frames == 7
    assert asked.asked <= 7 * len(small.SYMBOLS)


def test_calibration_of_what_is_known_exactly_and_of_what_is_only_guessed() -> None:
    knows = [(1.0, True)] * 60 + [(0.0, False)] * 40
    error, entropy = calibration(knows)
    assert error == pytest.approx(0, abs=1e-5)
    assert entropy == pytest.approx(1, abs=1e-4)
    mean = [(0.6, True)] * 60 + [(0.6, False)] * 40
    error, entropy = calibration(mean)
    assert error == pytest.approx(0, abs=1e-9)
    assert entropy == pytest.approx(0, abs=1e-9)
    sure = [(0.9, True)] * 50 + [(0.9, False)] * 50
    error, entropy = calibration(sure)
    assert error == pytest.approx(0.4)
    assert entropy < 0
