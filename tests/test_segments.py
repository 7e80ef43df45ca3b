"""Names in word pieces."""

from pathlib import Path

import numpy as np
import pytest
from earshot.bundle import open_bundle
from earshot.engine import Engine
from earshot.entries import Alias, Entry, Kind
from earshot.segments import MOST_SEGMENTATIONS, Segmenter, segmented

from tests import networks

PIECES = ["<blk>", "▁", "▁an", "n", "na", "a", "▁anna", "▁b", "ob", "o", "b", "▁a"]


def spelt(name: str, pieces: list[str] = PIECES) -> list[str]:
    return [
        "".join(pieces[token] for token in tokens)
        for tokens in Segmenter(pieces).segmentations(tuple(name.split()))
    ]


def test_those_with_the_fewest_pieces_come_first_and_all_say_the_same() -> None:
    found = Segmenter(PIECES).segmentations(("anna",))
    assert [PIECES[t] for t in found[0]] == ["▁anna"]
    assert [len(one) for one in found] == sorted(len(one) for one in found)
    assert len(found) == len(set(found)) <= MOST_SEGMENTATIONS
    assert set(spelt("anna bob")) == {"▁anna▁bob"}


def test_pieces_in_capitals_are_found_as_well() -> None:
    assert spelt("anna", [piece.upper() for piece in PIECES])[0] == "▁ANNA"


def test_what_no_piece_has_cannot_be_cut() -> None:
    assert spelt("anna zoe") == []


def test_entries_bring_phrases_with_their_weights_and_what_cannot_be_said_is_refused() -> None:
    bob = Entry.of(Kind.CONTACT, "Bob", aliases=[Alias("דנה")], weight=2.0)
    zoe = Entry.of(Kind.CONTACT, "Zoe")
    names = segmented([Entry.of(Kind.CONTACT, "Ánna"), bob, zoe], PIECES)
    weights = dict(zip(names.phrases, names.weights, strict=True))
    assert weights[PIECES.index("▁anna"),] == 1.0
    assert weights[PIECES.index("▁b"), PIECES.index("ob")] == 2.0
    assert [one.name for one in names.refused] == ["דנה", "Zoe"]
    assert names.refused[1].why == "the bundle has no word pieces to write it in"


@pytest.mark.parametrize("name", ["John", "The call"])
def test_a_bundle_of_word_pieces_favours_names(tmp_path: Path, name: str) -> None:
    engine = Engine.open(open_bundle(networks.write(tmp_path, "zipformer2")))
    named, refused = engine.naming([Entry.of(Kind.CONTACT, name)])
    assert refused == ()
    catalog, pieces = named.parts.catalog, engine.bundle.symbols
    (tokens, *_) = Segmenter(pieces).segmentations(tuple(name.casefold().split()))
    state = np.zeros(1, np.int64)
    for token in tokens:
        state, bonus = catalog.step(state, np.array([token]))
        assert bonus[0] > 0
