"""Checkpoint -> encoder.onnx, decoder.onnx, joiner.onnx in sherpa-onnx's `lstm` convention; int8 by default.

    python -m models.export --run build/run --out DIR [--fp32] [--last]

The two states of that convention carry all caches: state0 the keys and values of attention, state1
the last inputs of the convolutions. Refuses to write if torch and ONNX disagree.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from models.network import Shape, State, Transducer, feature_frames
from models.phones import SYMBOLS

TOLERANCE = 2e-4  # largest difference between torch and ONNX in fp32
OPSET = 17


class EncoderStep(nn.Module):
    """One chunk through the encoder and the joiner's projection."""

    def __init__(self, network: Transducer) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, state0: Tensor, state1: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """[N, T, 80] and states to [N, T / 4, J] and states."""
        encoded, state = self.network.encoder.step(x, (state0, state1))
        return self.network.project(encoded), *state


class Predictor(nn.Module):
    """Last token to a predictor row."""

    def __init__(self, network: Transducer) -> None:
        super().__init__()
        self.network = network

    def forward(self, y: Tensor) -> Tensor:
        """[N, 1] to [N, J]"""
        return self.network.predictor(y[:, 0])


class Joiner(nn.Module):
    """Rows of both sides to logits."""

    def __init__(self, network: Transducer) -> None:
        super().__init__()
        self.network = network

    def forward(self, encoder_out: Tensor, decoder_out: Tensor) -> Tensor:
        """[N, J] twice to [N, V]"""
        return self.network.joiner(encoder_out, decoder_out)


def load(run: Path, *, last: bool = False) -> Transducer:
    """The averaged (or the last) weights of a checkpoint."""
    state = torch.load(run / "run.pt", weights_only=True)
    network = Transducer(Shape(**state["recipe"]["network"]))
    network.load_state_dict(state["network" if last else "average"])
    return network.eval()


def convert(module: nn.Module, inputs: tuple[Tensor, ...], names: tuple[list[str], list[str]], axes: dict[str, dict[int, str]], path: Path) -> None:
    """Write one graph and compare it with torch on its inputs."""
    ins, outs = names
    module.eval()
    torch.onnx.export(
        module, inputs, str(path), input_names=ins, output_names=outs, dynamic_axes=axes, opset_version=OPSET, dynamo=False
    )
    with torch.no_grad():
        wanted = module(*inputs)
    given = ort.InferenceSession(str(path)).run(None, {n: x.numpy() for n, x in zip(ins, inputs, strict=True)})
    for name, want, got in zip(outs, wanted if isinstance(wanted, tuple) else (wanted,), given, strict=True):
        difference = float(np.abs(want.numpy() - got).max())
        if difference > TOLERANCE:
            message = f"{path.name}: torch and ONNX differ by {difference:.2g} in {name}, more than {TOLERANCE}"
            raise SystemExit(message)


def annotate(path: Path, facts: dict[str, str | int]) -> None:
    """Put sherpa-onnx's metadata into a graph."""
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {k: str(v) for k, v in facts.items()})
    onnx.save(model, path)


def a_state(network: Transducer, x: Tensor) -> State:
    """A state in the middle of a stream, so that the comparison reaches every cache."""
    state = network.encoder.start(x.shape[0])
    with torch.no_grad():
        for _ in range(3):
            _, state = network.encoder.step(torch.randn_like(x) * 3 - 6, state)
    return state


def export(network: Transducer, out: Path, *, int8: bool) -> None:
    """Write the three networks and tokens.txt."""
    out.mkdir(parents=True, exist_ok=True)
    shape, frames = network.shape, feature_frames(network.shape)
    x = torch.randn(2, frames, 80) * 3 - 6
    state = a_state(network, x)
    batch = {0: "N"}
    convert(
        EncoderStep(network), (x, *state),
        (["x", "state0", "state1"], ["encoder_out", "new_state0", "new_state1"]),
        {"x": batch, "encoder_out": batch, **{n: {1: "N"} for n in ("state0", "state1", "new_state0", "new_state1")}},
        out / "encoder.onnx",
    )
    convert(Predictor(network), (torch.arange(5)[:, None],), (["y"], ["decoder_out"]), {"y": batch, "decoder_out": batch}, out / "decoder.onnx")
    rows = torch.randn(2, 7, shape.joiner)
    convert(Joiner(network), (rows[0], rows[1]), (["encoder_out", "decoder_out"], ["logit"]), dict.fromkeys(("encoder_out", "decoder_out", "logit"), batch), out / "joiner.onnx")
    facts = {"model_type": "lstm", "version": 1, "model_author": "earshot", "T": frames, "decode_chunk_len": frames}
    sizes = {"num_encoder_layers": 1, "d_model": state[0].shape[2], "rnn_hidden_size": state[1].shape[2]}
    if int8:
        for name in ("encoder", "joiner"):
            compress(out / f"{name}.onnx")
    annotate(out / "encoder.onnx", {**facts, **sizes, **{f"shape_{k}": v for k, v in asdict(shape).items()}})
    annotate(out / "decoder.onnx", {"vocab_size": shape.tokens, "context_size": 1})
    annotate(out / "joiner.onnx", {"joiner_dim": shape.joiner})
    (out / "tokens.txt").write_text("".join(f"{s} {i}\n" for i, s in enumerate(SYMBOLS)), encoding="utf8")


def compress(path: Path) -> None:
    """Weights of matrix products in int8, activations quantised as they come (dynamic quantisation)."""
    quantize_dynamic(path, path, op_types_to_quantize=["MatMul"], weight_type=QuantType.QInt8, per_channel=True)


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder of models.train")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--fp32", action="store_true", help="do not quantise")
    parser.add_argument("--last", action="store_true", help="the last weights instead of their average")
    options = parser.parse_args()
    export(load(options.run, last=options.last), options.out, int8=not options.fp32)


if __name__ == "__main__":
    main()
