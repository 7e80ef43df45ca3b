"""The model of what words mean against a dictionary by name, its file, and its cues of lattices."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from earshot import packed
from earshot.cues import (
    ALWAYS,
    FIRST,
    LAST,
    LEAST,
    PAIR,
    SHAPE,
    SINGLE,
    SKIP,
    Paths,
    bag,
    places,
    table,
)
from earshot.errors import BundleError
from earshot.nlu import MAGIC, NONE, Nlu, tagged
from earshot.packed import Table, climbed, cut, steps, unpacked
from earshot.packed import packed as pack
from hypothesis import given
from hypothesis import strategies as st

from models import nlu_plain
from tests import small_nlu
from tests.small_nlu import SENTENCES, VOCABULARY

NLU, PLAIN = small_nlu.models()
texts = st.lists(st.sampled_from(VOCABULARY), max_size=9)


@given(texts)
def test_the_hashed_model_is_the_dictionary(words: list[str]) -> None:
    meant = NLU.meant(bag(Paths.of_words(words)))
    assert meant == pytest.approx(PLAIN.meant(words))
    for intent in range(len(NLU.intents)):
        assert NLU.tagged([words], intent) == [PLAIN.tagged(words, intent)]


@given(texts)
def test_keys_of_cues_are_those_of_their_names(words: list[str]) -> None:
    wanted = sorted(nlu_plain.key_of(cue) for cue in nlu_plain.bag(words))
    assert bag(Paths.of_words(words)).keys.tolist() == wanted
    rows = [[nlu_plain.key_of(cue) for cue in row] for row in nlu_plain.places(words, 3)]
    assert places(table(words), 3).tolist() == rows


@given(st.lists(texts, min_size=1, max_size=4))
def test_texts_tagged_together_are_tagged_as_alone(several: list[list[str]]) -> None:
    assert NLU.tagged(several, 1) == [NLU.tagged([words], 1)[0] for words in several]


def test_the_tags_are_the_best_of_all() -> None:
    dice = np.random.default_rng(5)
    own, following = dice.normal(0, 2, (1, 4, 3)), dice.normal(0, 2, (4, 3))
    every = {}
    for path in np.ndindex(3, 3, 3, 3):
        before = (3, *path[:-1])
        every[path] = sum(own[0, t, tag] + following[before[t], tag] for t, tag in enumerate(path))
    best = max(every, key=lambda path: every[path])
    assert tagged(own, np.array([4]), following) == [best]


@pytest.mark.parametrize("seed", range(30))
def test_what_is_expected_of_a_lattice_is_the_sum_over_its_paths(seed: int) -> None:
    found = small_nlu.lattice(np.random.default_rng(seed))
    assert all(arc.posterior >= LEAST for arc in found.arcs)
    expected: dict[int, float] = {}
    for chance, words in small_nlu.paths(found):
        shapes = [nlu_plain.parts(word)[SHAPE] for word in words]
        cues = [(kind, nlu_plain.parts(w)[which], "") for w in words for kind, which in SINGLE]
        cues += [(ALWAYS, "", ""), (FIRST, shapes[0], ""), (LAST, shapes[-1], "")]
        cues += [(PAIR, a, b) for a, b in pairwise(shapes)]
        cues += [(SKIP, a, b) for a, b in zip(shapes, shapes[2:], strict=False)]
        for cue in cues:
            key = nlu_plain.key_of(cue)
            expected[key] = expected.get(key, 0.0) + chance
    wanted = {key: pytest.approx(min(1.0, count)) for key, count in expected.items()}
    keys, counts = bag(Paths.of_lattice(found))
    assert dict(zip(keys.tolist(), counts.tolist(), strict=True)) == wanted


@pytest.mark.parametrize("words", SENTENCES)
def test_a_lattice_of_one_path_is_its_text(words: tuple[str, ...]) -> None:
    one = bag(Paths.of_lattice(small_nlu.line(words).lattice))
    other = bag(Paths.of_words(words))
    assert one.keys.tolist() == other.keys.tolist()
    assert one.expected.tolist() == other.expected.tolist()


@given(st.lists(st.integers(0, 2**13 - 1), max_size=50), st.integers(13, 30))
def test_numbers_are_packed_and_unpacked(values: list[int], bits: int) -> None:
    assert unpacked(pack(np.array(values, np.int64), bits), bits, len(values)).tolist() == values
    rising = np.sort(np.array(values, np.int64))
    assert climbed(steps(rising), len(values)).tolist() == rising.tolist()


def test_a_model_comes_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "nlu.bin"
    NLU.write(path)
    back = Nlu.open(path)
    assert (back.intents, back.slots) == (NLU.intents, NLU.slots)
    for words in SENTENCES:
        counted = bag(Paths.of_words(words))
        assert back.meant(counted).tolist() == NLU.meant(counted).tolist()
        assert back.tagged([words], 2) == NLU.tagged([words], 2)


def test_the_twin_comes_back_from_its_file(tmp_path: Path) -> None:
    PLAIN.write(tmp_path / "twin.npz")
    back = nlu_plain.Plain.read(tmp_path / "twin.npz")
    assert (back.whole, back.word) == (PLAIN.whole, PLAIN.word)


def test_a_table_of_nothing_says_nothing(tmp_path: Path) -> None:
    empty = small_nlu.table({})
    assert len(empty.of(np.arange(9, dtype=np.uint64)).weight) == 0
    path = tmp_path / "nlu.bin"
    Nlu((NONE, "some"), (), empty, empty, np.zeros((2, 1))).write(path)
    assert np.exp(Nlu.open(path).meant(bag(Paths.of_words(["a"])))) == pytest.approx([0.5, 0.5])


def test_few_cues_that_were_never_seen_are_taken_for_known() -> None:
    dice = np.random.default_rng(0)
    known = np.unique(cut(dice.integers(0, 2**63, 20_000).astype(np.uint64), 0, 27))
    count = len(known)
    found = Table(
        0, 27, known, np.arange(count + 1), np.zeros(count, np.int64), np.zeros(count, np.int64),
        np.ones(1, np.float32),
    )  # fmt: skip
    strange = dice.integers(0, 2**63, 100_000).astype(np.uint64)
    assert len(found.of(strange).asked) < 40  # 15 are expected


def damaged(data: bytes) -> dict[str, bytes]:
    """Files that are none."""
    half = len(data) // 2
    return {
        "empty": b"",
        "short": data[:100],
        "cut": data[:half],
        "another byte": data[:half] + bytes([data[half] ^ 1]) + data[half + 1 :],
        "text": b"[tuning]\n",
        "another kind": data.replace(b"earshot-nlu-1", b"earshot-nlu-9"),
    }


@pytest.mark.parametrize("case", damaged(bytes(400)))
def test_a_damaged_file_is_told_by_its_name(case: str, tmp_path: Path) -> None:
    path = tmp_path / "nlu.bin"
    NLU.write(path)
    path.write_bytes(damaged(path.read_bytes())[case])
    with pytest.raises(BundleError, match=r"nlu\.bin: not earshot-nlu-1 .*install"):
        Nlu.open(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="absent"):
        Nlu.open(tmp_path / "absent")


SECTIONS = ("whole.facts", "whole.high", "whole.low", "word.columns", "word.codes", "following")


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("how", ["missing", "short", "full"])
def test_a_file_with_a_right_sum_and_wrong_numbers_is_refused(
    section: str, how: str, tmp_path: Path
) -> None:
    path = tmp_path / "nlu.bin"
    NLU.write(path)
    facts, sections = packed.read(path, MAGIC)
    data = sections[section]
    full = np.full_like(data, np.inf if data.dtype.kind == "f" else np.iinfo(data.dtype).max)
    changed = {"short": data[:-2], "full": full}
    sections |= {section: changed[how]} if how in changed else {}
    if how == "missing":
        del sections[section]
    packed.write(path, MAGIC, facts, sections)
    with pytest.raises(BundleError, match=r"nlu\.bin"):
        Nlu.open(path)


def test_any_text_has_a_meaning() -> None:
    for words in ([], ["a"] * 10_000, ["привет", "мир"], ["日本語"], ["\ud800"], [""], ["'"]):
        assert np.exp(NLU.meant(bag(Paths.of_words(words)))).sum() == pytest.approx(1.0)
        (found,) = NLU.tagged([words], 0)
        assert len(found) == len(words)
