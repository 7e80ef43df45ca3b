"""Streamed is whole, and numpy is ONNX: every stage gives in pieces what it gives at once."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from earshot.catalog import Catalog
from earshot.encoder import Encoder, Windows
from earshot.features import Features, features
from earshot.grammar import PieceGrammar
from earshot.search import Search, SearchSettings
from earshot.transducer import (
    CachedScorer,
    PredictorTable,
    Scorer,
    TableScorer,
    Transducer,
    greedy,
    log_softmax,
)
from onnx import TensorProto, helper

from tests import contract, networks, small
from tests.recordings import recordings


def in_slices(frames: np.ndarray, seed: int) -> list[np.ndarray]:
    """Rows in random pieces, some of them empty."""
    dice = np.random.default_rng(seed)
    return np.split(frames, np.sort(dice.integers(0, len(frames) + 1, 9)))


def encoded(encoder: Encoder, windows: list[np.ndarray]) -> np.ndarray:
    state, found = encoder.start(), []
    for window in windows:
        rows, state = encoder.step(window, state)
        found.append(rows)
    return np.concatenate(found)


@pytest.mark.parametrize("seed", range(4))
def test_features_in_random_slices_are_those_of_the_whole(seed: int) -> None:
    audio, stream = contract.script(seed, 2), Features()
    found = [stream.accept(piece) for piece in contract.slices(audio, seed)]
    np.testing.assert_array_equal(np.concatenate([*found, stream.finish()]), features(audio))


@pytest.mark.parametrize("kind", networks.KINDS)
def test_encoder_windows_in_random_slices_are_those_of_the_whole(tmp_path: Path, kind: str) -> None:
    encoder = Encoder(networks.write(tmp_path, kind) / "encoder.onnx")
    frames = features(recordings()[0].samples())
    at_once = Windows(encoder.window, encoder.shift)
    whole = encoded(encoder, at_once.finish(frames, 24))
    for seed in range(3):
        windows = Windows(encoder.window, encoder.shift)
        *pieces, last = in_slices(frames, seed)
        found = [window for piece in pieces for window in windows.accept(piece)]
        np.testing.assert_array_equal(encoded(encoder, found + windows.finish(last, 24)), whole)


@pytest.mark.parametrize("length", [0, 1, 19, 20, 21, 100, 117])
@pytest.mark.parametrize(("window", "shift"), [(20, 16), (16, 16), (45, 32), (9, 4)])
def test_windows_hold_every_frame_and_enough_silence_after_the_last(
    length: int, window: int, shift: int
) -> None:
    frames = np.arange(length, dtype=np.float32)[:, None].repeat(80, 1)
    found = Windows(window, shift).finish(frames, 24)
    assert all(one.shape == (window, 80) for one in found)
    heard = np.concatenate([*(one[:shift] for one in found[:-1]), found[-1]])[:, 0]
    assert heard[:length].tolist() == list(range(length))
    assert len(set(heard[length:])) == 1, "only silence follows"
    assert 24 <= len(heard) - length < 24 + window + shift


@pytest.fixture
def transducer(tmp_path: Path) -> Transducer:
    folder = networks.write(tmp_path, "lstm", tuple(small.SYMBOLS), context=1)
    return Transducer(folder / "decoder.onnx", folder / "joiner.onnx")


def some_rows(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, networks.WIDTH)).astype(np.float32)


def test_the_table_the_cache_and_the_joiner_itself_say_the_same(transducer: Transducer) -> None:
    rows, tokens = some_rows(5), np.array([0, 3, 6, 3])
    table, cache = TableScorer(PredictorTable(transducer)), CachedScorer(transducer)
    numbers = cache.advance(np.zeros(len(tokens), np.int64), tokens)
    for scorer in (table, cache):
        scorer.hear(rows)
    for t, row in enumerate(rows):
        direct = np.concatenate(
            [
                transducer.join(row[None], transducer.predict(np.array([[token]])))
                for token in tokens
            ]
        )
        np.testing.assert_allclose(table.logp(t, tokens), direct, atol=1e-5)
        np.testing.assert_allclose(cache.logp(t, numbers), direct, atol=1e-5)
    np.testing.assert_allclose(table.internal(tokens), cache.internal(numbers), atol=1e-5)


def test_tokens_of_the_table_are_those_of_the_cache(transducer: Transducer) -> None:
    rows, table = some_rows(60), PredictorTable(transducer)
    found = greedy(TableScorer(table), rows)
    assert found == greedy(CachedScorer(transducer), rows)
    assert len(found[0]) > 5


def test_log_softmax_of_numpy_is_that_of_onnx() -> None:
    node = helper.make_node("LogSoftmax", ["x"], ["y"], axis=-1)
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", 79]) for n in ("x", "y")]
    graph = helper.make_graph([node], "g", ports[:1], ports[1:])
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    logits = np.random.default_rng(0).normal(0, 8, (50, 79)).astype(np.float32)
    logits[0] *= 100  # far from everything a trained network says
    given = ort.InferenceSession(model.SerializeToString()).run(None, {"x": logits})[0]
    np.testing.assert_allclose(log_softmax(logits), given, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("context", [1, 2, 3])
def test_a_search_over_chunks_is_the_search_over_the_whole(tmp_path: Path, context: int) -> None:
    folder = networks.write(tmp_path, "lstm", context=context)
    made = Transducer(folder / "decoder.onnx", folder / "joiner.onnx")
    rows = some_rows(40)

    def searched(pieces: list[np.ndarray]) -> Search:
        scorer: Scorer = TableScorer(PredictorTable(made)) if context == 1 else CachedScorer(made)
        settings = SearchSettings(beam=6, ilm_scale=0.3)
        grammar, catalog = PieceGrammar(list(networks.PIECES)), Catalog.empty(made.size)
        search = Search(scorer, grammar, catalog, settings)
        for piece in pieces:
            search.accept(piece)
        return search

    whole, parts = searched([rows]), searched(in_slices(rows, 1))
    assert whole.words()
    assert parts.words() == whole.words()
    for one, other in zip(parts.raw().arcs, whole.raw().arcs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
