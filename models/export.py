"""Checkpoint -> encoder.onnx, decoder.onnx, joiner.onnx as sherpa-onnx wants an `lstm`; int8.

    python -m models.export --run build/run --out DIR [--fp32] [--tokens FILE]
        [--keep FILE [--beside models/checkpoints/en.pt]]

The two states of that convention carry all that the blocks keep: with attention, state0 its keys
and values, state1 the last inputs of the convolutions. Refuses to write if torch and ONNX disagree.
"""

import argparse
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
import torch
from earshot.bundle import read_symbols
from earshot.units import FEATURE_BINS
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from models.kept import keep, network_of
from models.network import State, Transducer, feature_frames
from models.phones import SYMBOLS

Facts = dict[str, str | int | float]
Floats = npt.NDArray[np.float32]
TOLERANCE = 2e-4  # largest difference between torch and ONNX in fp32; of a value above 1, per 1
OPSET = 17


class EncoderStep(nn.Module):
    """One chunk through the encoder and the joiner's projection."""

    def __init__(self, network: Transducer) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, state0: Tensor, state1: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features [N, T, 80] and states to [N, T / 4, J] and states."""
        encoded, state = self.network.encoder.step(x, (state0, state1))
        return self.network.project(encoded), *state


class Predictor(nn.Module):
    """Last tokens to a predictor row."""

    def __init__(self, network: Transducer) -> None:
        super().__init__()
        self.network = network

    def forward(self, y: Tensor) -> Tensor:
        """Tokens [N, C] to rows [N, J]."""
        size = self.network.shape.context
        return self.network.predictor(*(y[:, i] for i in reversed(range(size))))


class Joiner(nn.Module):
    """Rows of both sides to logits."""

    def __init__(self, network: Transducer) -> None:
        super().__init__()
        self.network = network

    def forward(self, encoder_out: Tensor, decoder_out: Tensor) -> Tensor:
        """Rows [N, J] twice to logits [N, V]."""
        return self.network.joiner(encoder_out, decoder_out)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings of the exporter that are known and mean nothing."""
    with warnings.catch_warnings():
        # This exporter is called old from within and without; the newer one needs onnxscript.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", "torch.tensor results are registered as constants")
        # Of an LSTM: its states are inputs, and the sizes it looks at are fixed.
        warnings.filterwarnings("ignore", "Exporting a model to ONNX with a batch_size other")
        warnings.filterwarnings("ignore", "Converting a tensor to a Python boolean")
        # Of the adapter that attends: slices stay slices.
        warnings.filterwarnings("ignore", "Constant folding")
        yield


def convert(  # noqa: PLR0913, PLR0917 - all that a graph is
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    ins: list[str],
    outs: list[str],
    path: Path,
    axes: Mapping[str, dict[int, str]] | None = None,
) -> None:
    """Write one graph and compare it with torch on its inputs.

    `axes` names those that vary; else it is the batch.
    """
    module.eval()
    axes = axes or {name: {1 if "state" in name else 0: "N"} for name in (*ins, *outs)}
    axes = {name: known for name, known in axes.items() if name in {*ins, *outs}}
    with _quiet():
        torch.onnx.export(
            module,
            inputs,
            str(path),
            input_names=ins,
            output_names=outs,
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    with torch.no_grad():
        wanted = module(*inputs)
    given = {name: x.numpy() for name, x in zip(ins, inputs, strict=True)}
    got = ort.InferenceSession(str(path)).run(None, given)
    compare(dict(zip(outs, got, strict=True)), wanted if len(outs) > 1 else (wanted,), path)


def compare(got: dict[str, Floats], wanted: tuple[Tensor, ...], path: Path) -> None:
    """Refuse a graph whose outputs are not torch's, and take it away."""
    for (name, output), want in zip(got.items(), wanted, strict=True):
        known = want.numpy()
        difference = float((np.abs(known - output) / np.maximum(np.abs(known), 1)).max())
        if not difference <= TOLERANCE:  # not a number is refused as well
            path.unlink()
            message = (
                f"{path.name}: torch and ONNX differ by {difference:.2g} in {name}, "
                f"more than {TOLERANCE}"
            )
            raise SystemExit(message)


def annotate(path: Path, facts: Facts) -> None:
    """Put sherpa-onnx's metadata into a graph."""
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {k: str(v) for k, v in facts.items()})
    onnx.save(model, path)


def a_state(network: Transducer, x: Tensor) -> State:
    """Make a state in the middle of a stream, so that the comparison reaches every cache."""
    state = network.encoder.start(x.shape[0])
    with torch.no_grad():
        for _ in range(3):
            _, state = network.encoder.step(torch.randn_like(x) * 3 - 6, state)
    return state


def export(network: Transducer, out: Path, *, int8: bool, symbols: Sequence[str] = SYMBOLS) -> None:
    """Write the three networks and tokens.txt. Raises SystemExit if there are other tokens."""
    if len(symbols) != network.shape.tokens:
        message = (
            f"the network has {network.shape.tokens} tokens, but there are {len(symbols)} symbols; "
            "give those it was trained with as --tokens"
        )
        raise SystemExit(message)
    out.mkdir(parents=True, exist_ok=True)
    paths = [out / f"{name}.onnx" for name in ("encoder", "decoder", "joiner")]
    facts = [f(network, p) for f, p in zip((_encoder, _decoder, _joiner), paths, strict=True)]
    if int8:
        compress(paths[0])
        compress(paths[2])
    for path, known in zip(paths, facts, strict=True):
        annotate(path, known)
    lines = [f"{symbol} {i}\n" for i, symbol in enumerate(symbols)]
    (out / "tokens.txt").write_text("".join(lines), encoding="utf8")


def _encoder(network: Transducer, path: Path) -> Facts:
    frames = feature_frames(network.shape)
    x = torch.randn(2, frames, FEATURE_BINS) * 3 - 6
    state = a_state(network, x)
    outs = ["encoder_out", "new_state0", "new_state1"]
    convert(EncoderStep(network), (x, *state), ["x", "state0", "state1"], outs, path)
    return {
        "model_type": "lstm",
        "version": 1,
        "model_author": "earshot",
        "T": frames,
        "decode_chunk_len": frames,
        "num_encoder_layers": 1,
        "d_model": state[0].shape[2],
        "rnn_hidden_size": state[1].shape[2],
        **{f"shape_{name}": size for name, size in asdict(network.shape).items()},
    }


def _decoder(network: Transducer, path: Path) -> Facts:
    size = network.shape.context
    contexts = torch.arange(5)[:, None] + torch.arange(1 - size, 1)  # the first begins with nothing
    convert(Predictor(network), (contexts,), ["y"], ["decoder_out"], path)
    return {"vocab_size": network.shape.tokens, "context_size": size}


def _joiner(network: Transducer, path: Path) -> Facts:
    rows = torch.randn(2, 7, network.shape.joiner)
    convert(Joiner(network), (rows[0], rows[1]), ["encoder_out", "decoder_out"], ["logit"], path)
    return {"joiner_dim": network.shape.joiner}


def compress(path: Path) -> None:
    """Weights of matrix products in eight bits, activations quantised as they come (dynamic).

    Without a sign: products of activations without and weights with one are added in 16 bits on
    processors that know AVX2 but no VNNI, and overflow there (models/LOG.md has the figures).
    """
    kinds = ["MatMul", "LSTM"]
    quantize_dynamic(
        path, path, op_types_to_quantize=kinds, weight_type=QuantType.QUInt8, per_channel=True
    )


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True, help="folder of models.train")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--fp32", action="store_true", help="do not quantise")
    parser.add_argument("--keep", type=Path, help="file for the weights in 16 bits, to train on")
    parser.add_argument(
        "--beside", type=Path, help="weights in the folder of --keep, of which it is to be a change"
    )
    parser.add_argument("--tokens", type=Path, help="tokens.txt, where they are not phones")
    options = parser.parse_args()
    symbols = read_symbols(options.tokens) if options.tokens else SYMBOLS
    network = network_of(options.run)
    export(network, options.out, int8=not options.fp32, symbols=symbols)
    if options.keep:
        keep(options.run, options.keep, options.beside)


if __name__ == "__main__":
    main()
