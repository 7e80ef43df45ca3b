"""The search over pronunciations against an exhaustive one, on a network of random weights."""

import itertools
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from earshot.errors import BundleError, LimitError, RequestError
from earshot.g2p import G2p
from onnx import TensorProto, helper, numpy_helper

LETTERS = "'abcdefghijklmnopqrstuvwxyz"
CHUNKS = ("_", "A", "B", "A+B")
SAID = {0: (), 1: ("A",), 2: ("B",), 3: ("A", "B")}
SIZES = {"before": 1, "after": 1, "history": 2}
FACTS: dict[str, str | int] = {"letters": LETTERS, "chunks": " ".join(CHUNKS), **SIZES}


def network(path: Path, facts: dict[str, str | int] = FACTS) -> Path:
    """log softmax(sum of a row of weights for every letter and every chunk seen)."""
    dice = np.random.default_rng(1)
    tables = {
        "of_letters": dice.normal(0, 0.4, (len(LETTERS) + 1, len(CHUNKS))),
        "of_chunks": dice.normal(0, 0.7, (len(CHUNKS) + 1, len(CHUNKS))),
        "at": np.array([[[1.0], [2.0], [-1.0]]]),  # what stands where must matter
        "ago": np.array([[[0.5], [1.5]]]),
    }
    nodes = [
        helper.make_node("Gather", ["of_letters", "letters"], ["l"]),
        helper.make_node("Mul", ["l", "at"], ["la"]),
        helper.make_node("ReduceSum", ["la", "axis"], ["ls"], keepdims=0),
        helper.make_node("Gather", ["of_chunks", "chunks"], ["c"]),
        helper.make_node("Mul", ["c", "ago"], ["ca"]),
        helper.make_node("ReduceSum", ["ca", "axis"], ["cs"], keepdims=0),
        helper.make_node("Add", ["ls", "cs"], ["sum"]),
        helper.make_node("LogSoftmax", ["sum"], ["logp"], axis=1),
    ]
    weights = [numpy_helper.from_array(v.astype(np.float32), k) for k, v in tables.items()]
    axis = numpy_helper.from_array(np.array([1]), "axis")
    graph = helper.make_graph(
        nodes,
        "g2p",
        [
            helper.make_tensor_value_info("letters", TensorProto.INT64, ["N", 3]),
            helper.make_tensor_value_info("chunks", TensorProto.INT64, ["N", 2]),
        ],
        [helper.make_tensor_value_info("logp", TensorProto.FLOAT, ["N", len(CHUNKS)])],
        [*weights, axis],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {key: str(value) for key, value in facts.items()})
    onnx.save(model, path)
    return path


def exhaustive(path: Path, word: str) -> dict[tuple[str, ...], float]:
    """Every pronunciation with its log-probability: the sum over all chunks of all letters."""
    session = ort.InferenceSession(str(path))
    row = [0, *(LETTERS.index(c) + 1 for c in word), 0]
    total: dict[tuple[str, ...], float] = {}
    for path_of in itertools.product(range(len(CHUNKS)), repeat=len(word)):
        said = [len(CHUNKS)] * 2 + list(path_of)
        feed = {
            "letters": np.array([row[i : i + 3] for i in range(len(word))]),
            "chunks": np.array([said[i : i + 2] for i in range(len(word))]),
        }
        logp = session.run(None, feed)[0][np.arange(len(word)), path_of].sum()
        phones = tuple(p for chunk in path_of for p in SAID[chunk])
        total[phones] = np.logaddexp(total.get(phones, -np.inf), logp)
    return {phones: logp for phones, logp in total.items() if phones}


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
