import math
from dataclasses import replace

import numpy as np
import pytest
from earshot.errors import EarshotError, LimitError, RequestError
from earshot.events import Arc, Lattice
from earshot.generated.v1.rescoring_pb2 import Parcel
from earshot.parcel import (
    BIAS_STEP,
    LANGUAGE_STEP,
    MOST_ARCS,
    MOST_BYTES,
    MOST_LETTERS,
    STEP,
    Opened,
    ParcelSettings,
    pack,
    unpack,
)
from earshot.word_list import WordList
from hypothesis import given
from hypothesis import strategies as st

from tests.small_rescorer import sausage

LIST = WordList(("the", "a", "light", "lights", "turn", "on", "off"))
ALL = ParcelSettings(least=0.0, arcs_a_second=1e6, language=True)


def random_lattice(seed: int, nodes: int, *, names: bool = False) -> Lattice:
    """Arcs between any nodes; every node is on a path."""
    dice = np.random.default_rng(seed)
    words = [*LIST.words, "siobhan", "zürich"]
    ways = {(i, i + 1) for i in range(nodes - 1)}
    ways |= {(s, t) for s, t in dice.integers(0, nodes, (3 * nodes, 2)).tolist() if s < t}
    drawn = [(*way, str(dice.choice(words))) for way in sorted(ways) for _ in range(2)]
    shares = dice.uniform(0.02, 1, len(drawn)).tolist()
    arcs, through = [], [1.0] + [0.0] * (nodes - 1)
    for (source, target, word), share in zip(drawn, shares, strict=True):
        leaving = sum(s for (a, _, _), s in zip(drawn, shares, strict=True) if a == source)
        part = share / leaving
        language, bias = -dice.uniform(0, 9), 2.5 * (names and dice.random() < 0.3)
        acoustic, posterior = math.log(part) - language - bias, through[source] * part
        through[target] += posterior
        span = (source * 3_200, target * 3_200)
        arcs.append(Arc(source, target, word, *span, acoustic, language, bias, posterior))
    return Lattice(tuple(range(0, nodes * 3_200, 3_200)), tuple(arcs))


@given(st.integers(0, 10_000), st.integers(2, 9), st.booleans())
def test_all_arcs_come_back(seed: int, nodes: int, names: bool) -> None:  # noqa: FBT001
    lattice = random_lattice(seed, nodes, names=names)
    packed = pack(lattice, LIST, ALL)
    found = unpack(packed.parcel, LIST)
    assert (found.nodes, len(found.arcs)) == (nodes, len(lattice.arcs))
    assert sorted(packed.arcs) == list(range(len(lattice.arcs)))
    for arc, number in zip(found.arcs, packed.arcs, strict=True):
        sent = lattice.arcs[number]
        assert (arc.source, arc.target, arc.word) == (sent.source, sent.target, sent.word)
        assert arc.language == pytest.approx(sent.language, abs=LANGUAGE_STEP / 2 + 1e-6)
        assert arc.bias == pytest.approx(sent.bias, abs=BIAS_STEP / 2 + 1e-6)
        score = sent.acoustic + sent.language + sent.bias
        assert arc.score == pytest.approx(score, abs=2 * STEP)


@given(st.integers(0, 10_000), st.floats(0, 0.3), st.floats(0.5, 20))
def test_a_thinned_parcel_is_a_lattice_with_the_best_path(
    seed: int, least: float, often: float
) -> None:
    lattice = random_lattice(seed, 8)
    packed = pack(lattice, LIST, ParcelSettings(least, often))
    found = unpack(packed.parcel, LIST)
    assert_whole(found)
    best = max(all_paths(lattice), key=lambda way: sum(total(lattice.arcs[i]) for i in way))
    assert set(best) <= set(packed.arcs)
    others = [i for i in packed.arcs if i not in best]
    assert all(lattice.arcs[i].posterior >= least for i in others)
    assert len(packed.arcs) <= max(len(best), math.ceil(often * 7 * 0.2))


def total(arc: Arc) -> float:
    return arc.acoustic + arc.language + arc.bias


def all_paths(lattice: Lattice, node: int = 0) -> list[list[int]]:
    if node == len(lattice.nodes) - 1:
        return [[]]
    leaving = [i for i, arc in enumerate(lattice.arcs) if arc.source == node]
    return [[i, *rest] for i in leaving for rest in all_paths(lattice, lattice.arcs[i].target)]


def assert_whole(found: Opened) -> None:
    assert all(arc.source < arc.target < found.nodes for arc in found.arcs)
    assert {arc.source for arc in found.arcs} == set(range(found.nodes - 1))
    assert {arc.target for arc in found.arcs} == set(range(1, found.nodes))
    for node in range(found.nodes - 1):
        leaving = [math.exp(arc.score) for arc in found.arcs if arc.source == node]
        assert sum(leaving) == pytest.approx(1)


def test_a_command_takes_few_bytes() -> None:
    lattice = sausage("turn:0.9 the:0.1", "on:0.7 off:0.3", "the", "light:0.6 lights:0.4")
    packed = pack(lattice, LIST)
    assert len(packed.arcs) == 7
    assert len(packed.parcel.packed) <= 11


def test_scores_are_told_only_of_names_unless_asked_for() -> None:
    lattice = sausage("turn", "siobhan:0.5 on:0.5", "off")
    arcs = [replace(arc, bias=1.0) if arc.word == "off" else arc for arc in lattice.arcs]
    found = unpack(pack(Lattice(lattice.nodes, tuple(arcs)), LIST).parcel, LIST)
    assert {arc.word: arc.language for arc in found.arcs} == {
        "turn": None, "on": None, "siobhan": -1.0, "off": -1.0,
    }  # fmt: skip
    assert {arc.word: arc.bias for arc in found.arcs}["off"] == 1.0


def test_without_a_list_all_is_spelt() -> None:
    lattice = sausage("turn", "on:0.5 off:0.5", "turn")
    parcel = pack(lattice, WordList()).parcel
    assert (parcel.word_list, list(parcel.spelt)) == (0, ["turn", "on", "off"])
    assert [arc.word for arc in unpack(parcel, LIST).arcs] == ["turn", "on", "off", "turn"]


def test_a_list_is_that_of_the_language_model_by_frequency() -> None:
    unigram = np.log(np.array([1e-9, 0.3, 0.05, 0.2, 0.4], np.float32))
    found = WordList.of_model(["<s>", "</s>", "$contact", "b", "a"], unigram)
    assert found.words == ("a", "b")
    assert found.fingerprint not in {0, WordList(("b", "a")).fingerprint}


def test_another_list_is_refused() -> None:
    parcel = pack(sausage("turn"), LIST).parcel
    with pytest.raises(RequestError, match="another list"):
        unpack(parcel, WordList(("turn",)))


@pytest.mark.parametrize("lattice", [Lattice((0, 0), ()), Lattice((0, 1, 2), sausage("a").arcs)])
def test_a_lattice_without_a_path_is_not_sent(lattice: Lattice) -> None:
    with pytest.raises(RequestError, match="nothing to send"):
        pack(lattice, LIST)


def test_what_is_too_long_is_not_sent() -> None:
    with pytest.raises(LimitError, match=f"{MOST_ARCS + 1} arcs exceed the limit of {MOST_ARCS}"):
        pack(sausage(*["on"] * (MOST_ARCS + 1)), LIST)
    with pytest.raises(LimitError, match="201 letters exceed the limit of 200 letters"):
        pack(sausage("x" * (MOST_LETTERS + 1)), LIST)


@given(st.binary(max_size=200), st.lists(st.text(max_size=4), max_size=3), st.booleans())
def test_bytes_of_a_stranger_are_a_lattice_or_refused(
    data: bytes,
    spelt: list[str],
    numbered: bool,  # noqa: FBT001
) -> None:
    number = LIST.fingerprint if numbered else 0
    try:
        found = unpack(Parcel(word_list=number, packed=data, spelt=spelt), LIST)
    except EarshotError:
        return
    assert_whole(found)


@given(st.integers(0, 10_000), st.data())
def test_a_damaged_parcel_is_a_lattice_or_refused(seed: int, data: st.DataObject) -> None:
    parcel = pack(random_lattice(seed, 6), LIST, ALL).parcel
    packed = bytearray(parcel.packed)
    place = data.draw(st.integers(0, len(packed) - 1))
    packed[place] ^= data.draw(st.integers(1, 255))
    parcel.packed = bytes(packed)
    try:
        found = unpack(parcel, LIST)
    except EarshotError:
        return
    assert_whole(found)


def test_a_large_parcel_is_refused_with_both_numbers() -> None:
    with pytest.raises(LimitError, match=f"{MOST_BYTES + 1} bytes exceed the limit"):
        unpack(Parcel(packed=b"\1" * (MOST_BYTES + 1)), LIST)


@pytest.mark.parametrize("spelt", [["turn"], ["siobhan", "more"], [], [" "], ["y" * 300]])
def test_spelt_words_must_be_those_that_are_missing(spelt: list[str]) -> None:
    parcel = pack(sausage("siobhan"), LIST).parcel
    del parcel.spelt[:]
    parcel.spelt.extend(spelt)
    with pytest.raises(RequestError):
        unpack(parcel, LIST)
