"""The search over spellings against an exhaustive one, on a network of random weights."""

from pathlib import Path

import pytest
from earshot.errors import BundleError
from earshot.p2g import P2g

from tests.rewriters import SIZES, exhaustive, write

PHONES = ("AE", "B", "K")
CHUNKS = ("_", "a", "b", "c+k")
FACTS: dict[str, object] = {"phones": " ".join(PHONES), "chunks": " ".join(CHUNKS), **SIZES}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("p2g") / "p2g.onnx", "phones", len(PHONES), FACTS)


@pytest.mark.parametrize("phones", ["B", "K AE B", "B AE K AE"])
def test_a_search_wide_enough_finds_what_the_exhaustive_one_finds(path: Path, phones: str) -> None:
    said = phones.split()
    every = exhaustive(path, [PHONES.index(phone) + 1 for phone in said], CHUNKS)
    wanted = sorted(every.items(), key=lambda item: -item[1])[:5]
    found = P2g(path, beam=4**4).spell(said, 5)
    assert [text for text, _ in found] == ["".join(letters) for letters, _ in wanted]
    assert [logp for _, logp in found] == pytest.approx([logp for _, logp in wanted], abs=1e-5)


def test_spellings_differ_and_come_best_first_even_from_a_narrow_search(path: Path) -> None:
    found = P2g(path, beam=2).spell(["K", "AE", "B", "AE", "K"], 4)
    assert len({text for text, _ in found}) == len(found) == 4
    assert [logp for _, logp in found] == sorted((logp for _, logp in found), reverse=True)
    assert all(text for text, _ in found)


def test_phones_that_the_network_does_not_know_are_left_out(path: Path) -> None:
    p2g = P2g(path)
    assert p2g.spell(["K", "ZH", "AE"], 3) == p2g.spell(["K", "AE"], 3)


@pytest.mark.parametrize("fact", FACTS)
def test_a_network_that_does_not_describe_itself_is_refused(tmp_path: Path, fact: str) -> None:
    facts = {key: value for key, value in FACTS.items() if key != fact}
    other = write(tmp_path / "other.onnx", "phones", len(PHONES), facts)
    with pytest.raises(BundleError, match=f"other.onnx: .*{fact}"):
        P2g(other)
