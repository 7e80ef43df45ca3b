"""An exported bundle through the daemon's own code: the same numbers as torch, or no bundle."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from earshot.bundle import open_bundle
from earshot.encoder import Encoder
from earshot.engine import Engine
from earshot.transducer import Transducer as Exported

from models import export
from models.blocks import Shape
from models.network import Transducer, feature_frames
from models.phones import SYMBOLS
from tests.recordings import recordings

TINY = Shape(width=16, middle=24, inner=1, heads=4, kernel=5, joiner=12, chunk=4, left=8)
FRAMES = feature_frames(TINY)
PIECES = ("<blk>", "▁a", "b", "▁", "c", "▁de")
SHAPES = {
    "conformer": TINY,
    "convolution": replace(TINY, kind="convolution"),
    "lstm": replace(TINY, kind="lstm"),
    "mixed": replace(TINY, kind="mixed"),
    "at 40 ms": replace(TINY, stride=1),
    "lstm at 160 ms": replace(TINY, kind="lstm", stride=4),
}


def network(shape: Shape = TINY) -> Transducer:
    torch.manual_seed(1)
    return Transducer(shape, torch.randn(80), torch.rand(80) + 0.5).eval()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fp32")
    export.export(network(), folder, int8=False)
    return folder


def facts(path: Path) -> dict[str, str]:
    return {p.key: p.value for p in onnx.load(path).metadata_props}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
@torch.no_grad()
def test_the_daemon_steps_the_encoder_as_torch_does(shape: Shape, tmp_path: Path) -> None:
    net = network(shape)
    export.export(net, tmp_path, int8=False)
    encoder = Encoder(tmp_path / "encoder.onnx")
    state, wanted_state = encoder.start(), net.encoder.start()
    assert (encoder.window, encoder.shift) == (FRAMES, FRAMES)
    for _ in range(5):
        x = torch.randn(1, FRAMES, 80) * 3 - 6
        encoded, state = encoder.step(x[0].numpy(), state)
        wanted, wanted_state = net.encoder.step(x, wanted_state)
        np.testing.assert_allclose(encoded, net.project(wanted)[0].numpy(), atol=2e-4)
    for got, want in zip(state, wanted_state, strict=True):
        np.testing.assert_allclose(np.float32(got), want.numpy(), atol=2e-4)


@torch.no_grad()
def test_the_daemon_predicts_and_joins_as_torch_does(bundle: Path) -> None:
    exported, net = Exported(bundle / "decoder.onnx", bundle / "joiner.onnx"), network()
    assert (exported.size, exported.context, exported.width()) == (79, 1, TINY.joiner)
    tokens = torch.arange(TINY.tokens)
    predicted = exported.predict(tokens[:, None].numpy())
    np.testing.assert_allclose(predicted, net.predictor(tokens).numpy(), atol=1e-5)
    encoded = torch.randn(TINY.tokens, TINY.joiner)
    wanted = net.joiner(encoded, net.predictor(tokens)).log_softmax(-1)
    np.testing.assert_allclose(exported.join(encoded.numpy(), predicted), wanted.numpy(), atol=1e-4)


@torch.no_grad()
def test_two_tokens_of_context_are_predicted_by_the_daemon_as_by_torch(tmp_path: Path) -> None:
    net = network(replace(TINY, context=2))
    export.export(net, tmp_path, int8=False)
    exported = Exported(tmp_path / "decoder.onnx", tmp_path / "joiner.onnx")
    assert facts(tmp_path / "decoder.onnx")["context_size"] == "2"
    contexts = torch.tensor([[-1, 0], [0, 5], [5, 7]])  # as an utterance begins, and goes on
    wanted = net.predictor(contexts[:, 1], contexts[:, 0])
    np.testing.assert_allclose(exported.predict(contexts.numpy()), wanted.numpy(), atol=1e-5)


@pytest.mark.parametrize("kind", ["conformer", "convolution", "lstm", "mixed"])
def test_a_network_of_word_pieces_recognises_in_the_daemon(kind: str, tmp_path: Path) -> None:
    shape = replace(TINY, kind=kind, context=2, tokens=len(PIECES))
    export.export(network(shape), tmp_path, int8=True, symbols=PIECES)
    opened = open_bundle(tmp_path)
    assert (opened.kind, opened.symbols) == ("pieces", PIECES)
    recogniser = Engine.open(opened).recogniser()
    speech = recordings()[0].samples()
    events = [*recogniser.accept(speech), *recogniser.finish()]
    assert type(events[0]).__name__ == "SpeechStarted"


def test_symbols_of_another_number_than_tokens_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"has 79 tokens, but there are 6 symbols; .* --tokens"):
        export.export(network(), tmp_path, int8=False, symbols=PIECES)


def test_metadata_and_axes_are_those_that_sherpa_onnx_wants_of_an_lstm(bundle: Path) -> None:
    known = facts(bundle / "encoder.onnx")
    assert known["model_type"] == "lstm"
    assert known["version"] == "1"
    assert known["model_author"]
    assert int(known["T"]) == int(known["decode_chunk_len"]) == FRAMES
    sizes = [part.shape[2] for part in network().encoder.start()]
    assert [int(known[key]) for key in ("d_model", "rnn_hidden_size")] == sizes
    assert known["num_encoder_layers"] == "1"
    assert {k: v for k, v in known.items() if k.startswith("shape_")} == {
        f"shape_{k}": str(v) for k, v in asdict(TINY).items()
    }
    graph = onnx.load(bundle / "encoder.onnx").graph
    axes = {
        part.name: [d.dim_param or d.dim_value for d in part.type.tensor_type.shape.dim]
        for part in graph.input
    }
    assert axes == {
        "x": ["N", FRAMES, 80],
        "state0": [1, "N", sizes[0]],
        "state1": [1, "N", sizes[1]],
    }
    assert [part.name for part in graph.output] == ["encoder_out", "new_state0", "new_state1"]
    assert facts(bundle / "decoder.onnx") == {"vocab_size": "79", "context_size": "1"}
    assert facts(bundle / "joiner.onnx") == {"joiner_dim": str(TINY.joiner)}


def test_tokens_are_written_one_a_line_with_their_numbers(bundle: Path) -> None:
    lines = (bundle / "tokens.txt").read_text(encoding="utf8").splitlines()
    assert lines == [f"{symbol} {i}" for i, symbol in enumerate(SYMBOLS)]


def test_an_encoder_that_differs_from_torch_is_refused_and_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "TOLERANCE", -1)
    with pytest.raises(SystemExit, match=r"^encoder\.onnx: torch and ONNX differ"):
        export.export(network(), tmp_path, int8=False)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["conformer", "convolution", "lstm", "mixed"])
def test_int8_is_smaller_and_still_runs_with_the_same_metadata(kind: str, tmp_path: Path) -> None:
    large, small = tmp_path / "large", tmp_path / "small"
    net = network(replace(TINY, kind=kind, middle=64))
    for folder, int8 in ((large, False), (small, True)):
        export.export(net, folder, int8=int8)
    for name in ("encoder.onnx", "joiner.onnx"):
        assert (small / name).stat().st_size < (large / name).stat().st_size
        assert facts(small / name).items() >= facts(large / name).items()
        # Weights with a sign overflow on some processors (models/export.py, compress).
        graph = onnx.load(small / name).graph
        weights = {node.input[1] for node in graph.node if node.op_type == "MatMulInteger"}
        kinds = [one.data_type for one in graph.initializer if one.name in weights]
        assert kinds == [onnx.TensorProto.UINT8] * len(weights)
        assert weights
    encoder = Encoder(small / "encoder.onnx")
    encoded, _ = encoder.step(np.zeros((FRAMES, 80), np.float32), encoder.start())
    assert np.isfinite(encoded).all()
