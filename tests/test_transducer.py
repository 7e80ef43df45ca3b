"""Predictors, joiners and scorers."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from earshot.errors import BundleError
from earshot.transducer import (
    BLANK,
    CachedScorer,
    PredictorTable,
    TableScorer,
    Transducer,
    greedy,
    log_softmax,
    scorers,
)
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from tests import networks


def opened(folder: Path, context: int) -> Transducer:
    networks.write(folder, "lstm", context=context)
    return Transducer(folder / "decoder.onnx", folder / "joiner.onnx")


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=9))
def test_log_softmax_sums_to_one_however_large_the_numbers(logits: list[float]) -> None:
    found = log_softmax(np.array([logits], np.float32))
    assert found.dtype == np.float32
    assert np.exp(found.astype(np.float64)).sum() == pytest.approx(1, abs=1e-4)


def test_sizes_are_read_from_the_files(tmp_path: Path) -> None:
    transducer = opened(tmp_path, 3)
    assert (transducer.size, transducer.context) == (len(networks.PIECES), 3)
    assert transducer.width() == networks.WIDTH
    assert transducer.predict(np.zeros((5, 3), np.int64)).shape == (5, networks.WIDTH)


@pytest.mark.parametrize("context", [1, 2, 3])
def test_a_cached_context_is_its_last_tokens_and_begins_with_nothing(
    tmp_path: Path, context: int
) -> None:
    transducer = opened(tmp_path, context)
    scorer, row = CachedScorer(transducer), np.ones((1, networks.WIDTH), np.float32)
    scorer.hear(row)
    history, at = [-1] * (context - 1) + [BLANK], np.array([scorer.start_context])
    for token in (3, 5, 3, 3, 9):
        wanted = transducer.join(row, transducer.predict(np.array([history[-context:]])))
        np.testing.assert_allclose(scorer.logp(0, at), wanted, atol=1e-6)
        history, at = [*history, token], scorer.advance(at, np.array([token]))


def test_contexts_that_agree_in_their_last_tokens_are_one(tmp_path: Path) -> None:
    scorer = CachedScorer(opened(tmp_path, 2))
    start = np.zeros(2, np.int64)
    once = scorer.advance(scorer.advance(start, np.array([3, 4])), np.array([5, 5]))
    assert once[0] != once[1]
    twice = scorer.advance(once, np.array([6, 6]))
    assert twice[0] == twice[1]


def test_the_internal_language_model_leaves_blank_alone_and_sums_to_one(tmp_path: Path) -> None:
    internal = TableScorer(PredictorTable(opened(tmp_path, 1))).internal(np.array([0, 4]))
    assert internal[:, BLANK].tolist() == [0, 0]
    np.testing.assert_allclose(np.exp(internal[:, 1:]).sum(1), 1, rtol=1e-5)


def test_a_chunk_may_be_empty(tmp_path: Path) -> None:
    assert greedy(scorers(opened(tmp_path, 1))(), np.zeros((0, networks.WIDTH), np.float32)) == (
        [],
        [],
    )


def test_a_predictor_with_states_is_refused(tmp_path: Path) -> None:
    networks.write(tmp_path, "lstm")
    path = tmp_path / "decoder.onnx"
    model = onnx.load(path)
    model.graph.node.append(helper.make_node("Identity", ["decoder_out"], ["state"]))
    model.graph.output.append(helper.make_tensor_value_info("state", TensorProto.FLOAT, ["N", 8]))
    onnx.save(model, path)
    with pytest.raises(BundleError, match="2 outputs; only stateless predictors"):
        Transducer(path, tmp_path / "joiner.onnx")


@pytest.mark.parametrize("name", ["decoder.onnx", "joiner.onnx"])
def test_a_file_that_is_no_network_is_refused(tmp_path: Path, name: str) -> None:
    networks.write(tmp_path, "lstm")
    (tmp_path / name).write_bytes(b"not an onnx file")
    with pytest.raises(BundleError, match=f"{name}: not a network that onnxruntime can run"):
        Transducer(tmp_path / "decoder.onnx", tmp_path / "joiner.onnx")
