"""The lexicon's tree against brute force, and damaged files."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from earshot.errors import BundleError
from earshot.lexicon import Pronunciations, Tree, read
from hypothesis import given, settings
from hypothesis import strategies as st

Spoken = list[tuple[int, list[int], float]]  # word, tokens, log share
spoken = st.lists(
    st.tuples(
        st.integers(0, 5), st.lists(st.integers(1, 3), min_size=1, max_size=4), st.just(-0.5)
    ),
    min_size=1,
    max_size=20,
)


def tree_of(rows: Spoken, unigram: np.ndarray) -> Tree:
    tokens = np.zeros((len(rows), max(len(t) for _, t, _ in rows)), np.int64)
    for row, (_, said, _) in zip(tokens, rows, strict=True):
        row[: len(said)] = said
    words, shares = np.array([w for w, _, _ in rows]), np.array([s for _, _, s in rows], np.float32)
    return Tree.build(Pronunciations(words, tokens, shares), unigram)


def walked(
    tree: Tree, node: int = 0, way: tuple[int, ...] = ()
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Every node of the tree with the tokens that lead there."""
    yield node, way
    first, count = int(tree.first[node]), int(tree.count[node])
    arcs = range(first, first + count)
    assert len({int(tree.token[a]) for a in arcs}) == count, "no token twice from one node"
    for a in arcs:
        yield from walked(tree, int(tree.child[a]), (*way, int(tree.token[a])))


@given(spoken)
@settings(deadline=None, max_examples=80)
def test_the_tree_is_every_beginning_of_every_pronunciation_once(rows: Spoken) -> None:
    unigram = np.log(np.array([0.3, 0.2, 0.2, 0.1, 0.15, 0.05], np.float32))
    tree = tree_of(rows, unigram)
    nodes = dict(walked(tree))
    beginnings = {tuple(said[:n]) for _, said, _ in rows for n in range(len(said) + 1)}
    assert len(nodes) == len(tree.first) == len(beginnings)
    assert set(nodes.values()) == beginnings
    for node, way in nodes.items():
        first, count = int(tree.word_first[node]), int(tree.word_count[node])
        ended = sorted(tree.word[first : first + count].tolist())
        assert ended == sorted(word for word, said, _ in rows if tuple(said) == way)
        onward = [unigram[w] + s for w, said, s in rows if tuple(said[: len(way)]) == way]
        assert tree.look[node] == pytest.approx(max(onward) if way else 0.0, abs=1e-6)


WORDS = ["<s>", "</s>", "a", "cab"]
SYMBOLS = ["<blk>", "A", "B", "C", "A|", "B|", "C|"]


def written(folder: Path, text: str) -> Path:
    path = folder / "lexicon"
    path.write_text(text, "utf8")
    return path


def test_a_lexicon_is_read_for_the_words_of_the_language_model(tmp_path: Path) -> None:
    path = written(tmp_path, "a\t-0.1\tA\na\t-2.5\tA B\ncab\t0.0\tC A B\nzebra\t0\tnot looked at\n")
    rows = read(path, WORDS, SYMBOLS, "|")
    assert rows.word.tolist() == [2, 2, 3]
    assert rows.tokens.tolist() == [[4, 0, 0], [1, 5, 0], [3, 1, 5]]
    assert rows.share.tolist() == pytest.approx([-0.1, -2.5, 0.0])


@pytest.mark.parametrize(
    "text",
    [
        "a\tA\n",
        "a\t0\tA\tB\n",
        "a\tnone\tA\n",
        "a\t0\tQ\n",
        "a\t0\t\n",
        "a\t0\tA|\n",
        "",
        "b\t0\tB\n",
    ],
)
def test_a_damaged_lexicon_is_refused(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(BundleError, match=rf"^{path}: .*install the bundle again$"):
        read(path, WORDS, SYMBOLS, "|")


def test_a_lexicon_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="not a lexicon"):
        read(tmp_path / "nowhere", WORDS, SYMBOLS, "|")
    (tmp_path / "lexicon").write_bytes(b"\xff\xfe")
    with pytest.raises(BundleError, match="not a lexicon"):
        read(tmp_path / "lexicon", WORDS, SYMBOLS, "|")
