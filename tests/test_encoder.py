"""Encoders: what is no streaming encoder is refused in one sentence."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from earshot.encoder import Encoder
from earshot.errors import BundleError

from tests import networks


def described(path: Path, **facts: str | None) -> Path:
    """The file with other metadata; None takes one away."""
    model = onnx.load(path)
    kept = {p.key: p.value for p in model.metadata_props} | facts
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {k: v for k, v in kept.items() if v is not None})
    onnx.save(model, path)
    return path


REFUSED: dict[str, tuple[str, dict[str, str | None], str]] = {
    "no type": ("lstm", {"model_type": None}, "model_type '' is not one of conformer, lstm, zipf"),
    "unknown type": ("lstm", {"model_type": "zipformer"}, "model_type 'zipformer' is not one of"),
    "no window": ("lstm", {"T": None}, "metadata T is missing"),
    "no number": ("lstm", {"T": "long"}, "metadata T is 'long', not a whole number"),
    "another convention": ("lstm", {"model_type": "zipformer2"}, "num_encoder_layers|encoder_dims"),
    "other states": ("zipformer2", {"num_encoder_layers": "1,1"}, "21 inputs, .* and 14 states"),
    "stacks that differ": ("zipformer2", {"num_heads": "2"}, "differ in length"),
    "a stack that is none": ("zipformer2", {"num_heads": "2,x"}, "num_heads is 'x', not a whole"),
    "no progress": ("lstm", {"decode_chunk_len": "0"}, "windows of 20 frames cannot go on by 0"),
    "gaps": ("lstm", {"decode_chunk_len": "21"}, "windows of 20 frames cannot go on by 21"),
    "whisper": ("zipformer2", {"feature": "whisper"}, "hears whisper features"),
}


@pytest.mark.parametrize(("kind", "facts", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_streaming_encoder_is_refused(
    tmp_path: Path, kind: str, facts: dict[str, str | None], reason: str
) -> None:
    path = described(networks.write(tmp_path, kind) / "encoder.onnx", **facts)
    with pytest.raises(BundleError, match=reason) as refused:
        Encoder(path)
    assert str(refused.value).startswith(f"{path}: ")


@pytest.mark.parametrize("kind", networks.KINDS)
def test_a_state_is_a_value(tmp_path: Path, kind: str) -> None:
    encoder = Encoder(networks.write(tmp_path, kind) / "encoder.onnx")
    window = np.random.default_rng(0).normal(-6, 3, (encoder.window, 80)).astype(np.float32)
    _, state = encoder.step(window, encoder.start())
    kept = [one.copy() for one in state]
    first, _ = encoder.step(window, state)
    again, _ = encoder.step(window, state)
    np.testing.assert_array_equal(first, again)
    for one, copy in zip(state, kept, strict=True):
        np.testing.assert_array_equal(one, copy)
    assert not any(one.any() for one in encoder.start())


def test_the_conformer_is_told_how_many_frames_came_before(tmp_path: Path) -> None:
    encoder = Encoder(networks.write(tmp_path, "conformer") / "encoder.onnx")
    state, counts = encoder.start(), []
    for _ in range(3):
        counts.append(state[-1].tolist())
        _, state = encoder.step(np.zeros((encoder.window, 80), np.float32), state)
    assert counts == [[0], [32], [64]]
    assert state[-1].dtype == np.int64
