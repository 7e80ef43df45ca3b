"""The search over pronunciations against an exhaustive one, on a network of random weights."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from earshot.errors import BundleError, LimitError, RequestError
from earshot.g2p import G2p

from tests import rewriters
from tests.rewriters import SIZES, Rows, write

LETTERS = "'abcdefghijklmnopqrstuvwxyz"
CHUNKS = ("_", "A", "B", "A+B")
FACTS: dict[str, object] = {"letters": LETTERS, "chunks": " ".join(CHUNKS), **SIZES}


def network(path: Path, facts: dict[str, object] = FACTS) -> Path:
    return write(path, "letters", len(LETTERS), facts)


def exhaustive(path: Path, word: str) -> Rows:
    return rewriters.exhaustive(path, [LETTERS.index(letter) + 1 for letter in word], CHUNKS)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return network(tmp_path_factory.mktemp("g2p") / "g2p.onnx")


@pytest.mark.parametrize("word", ["x", "cab", "'ello"])
def test_a_search_wide_enough_finds_what_the_exhaustive_one_finds(path: Path, word: str) -> None:
    wanted = sorted(exhaustive(path, word).items(), key=lambda item: -item[1])[:7]
    found = G2p(path, beam=4**5).pronounce(word, 7)
    assert [phones for phones, _ in found] == [phones for phones, _ in wanted]
    assert [logp for _, logp in found] == pytest.approx([logp for _, logp in wanted], abs=1e-5)


def test_a_narrow_search_gives_different_pronunciations_none_silent_none_too_likely(
    path: Path,
) -> None:
    known = exhaustive(path, "abcabc")
    found = G2p(path, beam=3).pronounce("abcabc", 5)
    assert len({phones for phones, _ in found}) == len(found) == 5
    assert [logp for _, logp in found] == sorted((logp for _, logp in found), reverse=True)
    assert all(logp <= known[phones] + 1e-5 for phones, logp in found)


def test_of_one_letter_there_is_something_to_say_even_with_the_narrowest_search(path: Path) -> None:
    assert all(G2p(path, beam=1).pronounce(letter)[0][0] for letter in LETTERS[1:])


@pytest.mark.parametrize(
    ("odd", "plain"),
    [("Café", "cafe"), ("O\u2019Hara", "o'hara"), ("Straße", "strasse"), ("ﬁn", "fin")],
)
def test_accents_capitals_and_typography_do_not_change_a_word(
    path: Path, odd: str, plain: str
) -> None:
    g2p = G2p(path)
    assert g2p.pronounce(odd, 3) == g2p.pronounce(plain, 3)


@pytest.mark.parametrize("word", ["ab-cd", "ab cd", " ab \u2013 cd ' "])
def test_parts_are_said_one_after_the_other(path: Path, word: str) -> None:
    g2p = G2p(path, beam=64)
    wanted: dict[tuple[str, ...], float] = {}
    for (head, a), (tail, b) in itertools.product(
        exhaustive(path, "ab").items(), exhaustive(path, "cd").items()
    ):
        wanted[head + tail] = np.logaddexp(wanted.get(head + tail, -np.inf), a + b)
    found = g2p.pronounce(word, 1000)
    assert dict(found) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("word", ["", " ", "-", "'", "\u0301"])
def test_a_word_without_letters_is_refused(path: Path, word: str) -> None:
    with pytest.raises(RequestError, match="give a word of at least one letter"):
        G2p(path).pronounce(word)


@pytest.mark.parametrize(
    ("word", "character"), [("route66", "6"), ("a.b", "."), ("søt", "ø"), ("<s>", "<"), ("да", "д")]
)
def test_a_character_without_a_sound_is_named(path: Path, word: str, character: str) -> None:
    with pytest.raises(RequestError, match=f"'[{character}]' is not a letter to say; spell"):
        G2p(path).pronounce(word)


def test_a_word_that_would_never_end_is_refused_with_both_numbers(path: Path) -> None:
    with pytest.raises(LimitError, match="4000 letters exceed the limit of 100 letters"):
        G2p(path).pronounce("ab" * 2000)


def test_a_damaged_file_is_named(path: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "g2p.onnx"
    damaged.write_bytes(path.read_bytes()[:200])
    with pytest.raises(BundleError, match=str(damaged)):
        G2p(damaged)
    with pytest.raises(BundleError, match=str(tmp_path / "missing.onnx")):
        G2p(tmp_path / "missing.onnx")


@pytest.mark.parametrize("fact", FACTS)
def test_a_network_that_does_not_describe_itself_is_refused(tmp_path: Path, fact: str) -> None:
    other = network(tmp_path / "other.onnx", {k: v for k, v in FACTS.items() if k != fact})
    with pytest.raises(BundleError, match=f"other.onnx: .*{fact}"):
        G2p(other)
    if fact in SIZES:
        with pytest.raises(BundleError, match=r"other.onnx: .*'wide'"):
            G2p(network(other, {**FACTS, fact: "wide"}))
