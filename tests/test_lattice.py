"""The laws of a lattice, on random searches."""

from pathlib import Path

import numpy as np
import pytest
from earshot.catalog import Catalog
from earshot.events import Alternative, Arc, Lattice
from earshot.lattice import LatticeSettings, build, result
from earshot.paths import alternatives, joined_alternatives, paths, score
from earshot.search import Search, SearchSettings
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import small


def searched(
    folder: Path, seed: int, frames: int, kept: LatticeSettings
) -> tuple[Search, Lattice | None]:
    search = Search(
        small.RandomScorer(seed, frames),
        small.grammar(folder),
        Catalog.empty(7),
        SearchSettings(lattice_width=20),
    )
    search.accept(np.zeros((frames, 4), np.float32))
    return search, build(search.raw(), small.WORDS.__getitem__, lambda frame: frame * 640, kept)


@given(st.integers(0, 10_000), st.integers(3, 14))
@settings(deadline=None, max_examples=40)
def test_all_paths_sum_to_one(
    tmp_path_factory: pytest.TempPathFactory, seed: int, frames: int
) -> None:
    _, found = searched(tmp_path_factory.mktemp("small"), seed, frames, LatticeSettings())
    if found is None:
        return
    mass = np.zeros(len(found.nodes))
    mass[0] = 1
    for a in found.arcs:  # sorted by source, and every arc leads to a higher node
        mass[a.target] += mass[a.source] * np.exp(score(a))
        assert mass[a.source] * np.exp(score(a)) == pytest.approx(a.posterior, abs=1e-6)
    assert mass[-1] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("seed", "frames"), [(0, 3), (1, 4), (2, 5), (3, 6), (51, 6), (147, 6)])
def test_paths_are_all_there_best_first_and_posteriors_are_theirs(
    tmp_path: Path, seed: int, frames: int
) -> None:
    _, found = searched(tmp_path, seed, frames, LatticeSettings())
    assert found is not None
    every = list(paths(found))
    assert sum(np.exp(total) for total, _ in every) == pytest.approx(1, abs=1e-6)
    for arc in found.arcs:
        through = sum(np.exp(total) for total, path in every if arc in path)
        assert through == pytest.approx(arc.posterior, abs=1e-6)
    totals = np.array([total for total, _ in every])
    assert (np.diff(totals) < 1e-9).all()


def test_a_path_is_left_where_every_word_is_unlikely(tmp_path: Path) -> None:
    _, found = searched(tmp_path, 1, 12, LatticeSettings(least=0.9))
    assert found is not None
    assert len(found.arcs) >= 1
    assert found.arcs[0].source == 0
    assert found.arcs[-1].target == len(found.nodes) - 1


@given(st.integers(0, 10_000), st.integers(3, 20))
@settings(deadline=None, max_examples=40)
def test_a_lattice_is_acyclic_with_one_start_and_one_end_and_time_only_grows(
    tmp_path_factory: pytest.TempPathFactory, seed: int, frames: int
) -> None:
    _, found = searched(tmp_path_factory.mktemp("small"), seed, frames, LatticeSettings())
    if found is None:
        return
    last = len(found.nodes) - 1
    assert all(arc.source < arc.target for arc in found.arcs)
    assert {arc.target for arc in found.arcs} == set(range(1, last + 1))
    assert {arc.source for arc in found.arcs} == set(range(last))
    assert list(found.nodes) == sorted(found.nodes)
    assert all(0 <= arc.start < arc.end for arc in found.arcs)
    assert len({(a.source, a.target, a.word) for a in found.arcs}) == len(found.arcs)


@pytest.mark.parametrize("seed", range(6))
def test_the_likeliest_words_are_those_of_the_search(seed: int, tmp_path: Path) -> None:
    search, found = searched(tmp_path, seed, 8, LatticeSettings(least=1e-6, together=0))
    raw = search.raw()
    best = int(raw.last.back[(raw.last.score + raw.closing).argmax()])
    words = [small.WORDS[w] for w, _, _ in search._memory.words_to(best)]
    assert found is not None
    assert " ".join(words) in {a.text for a in alternatives(found, 20)}


def test_silence_has_no_lattice(tmp_path: Path) -> None:
    scorer = small.RandomScorer(0, 5)
    scorer.table[:] = -30
    scorer.table[:, :, 0] = 0
    search = Search(scorer, small.grammar(tmp_path), Catalog.empty(7), SearchSettings())
    search.accept(np.zeros((5, 4), np.float32))
    found = build(
        search.raw(), small.WORDS.__getitem__, lambda frame: frame * 640, LatticeSettings()
    )
    assert found is None
    assert result(found, 5).text == ""


def arc(source: int, target: int, word: str, probability: float) -> Arc:
    return Arc(
        source,
        target,
        word,
        source * 100,
        target * 100,
        float(np.log(probability)),
        0,
        0,
        probability,
    )


def test_confidence_counts_every_arc_that_says_the_word_then() -> None:
    found = Lattice(
        (0, 100, 110, 200),
        (
            arc(0, 1, "call", 0.6),
            arc(0, 2, "call", 0.3),
            arc(0, 2, "fall", 0.1),
            arc(1, 3, "jon", 1.0),
            arc(2, 3, "jon", 1.0),
        ),
    )
    seen = result(found, 3)
    assert [w.text for w in seen.words] == ["call", "jon"]
    assert seen.words[0].confidence == pytest.approx(0.9)
    assert [a.text for a in seen.alternatives] == ["call jon", "fall jon"]


def test_alternatives_of_several_utterances_join_best_first() -> None:
    one = (Alternative("turn on", -0.1), Alternative("turn an", -2.0))
    two = (Alternative("the light", -0.2), Alternative("a light", -0.5))
    assert [a.text for a in joined_alternatives([one, two])] == [
        "turn on the light",
        "turn on a light",
    ]
    assert joined_alternatives([]) == ()


def test_with_less_sharpness_the_same_is_best_but_less_sure(tmp_path: Path) -> None:
    _, sharp = searched(tmp_path, 3, 9, LatticeSettings())
    _, blunt = searched(tmp_path, 3, 9, LatticeSettings(sharpness=0.3))
    assert sharp is not None
    assert blunt is not None
    assert len(blunt.arcs) >= len(sharp.arcs)
    one, other = (result(found, 1) for found in (sharp, blunt))
    assert one.confidence > other.confidence
    assert sum(np.exp(total) for total, _ in paths(blunt)) == pytest.approx(1, abs=1e-6)
