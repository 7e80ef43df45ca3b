"""Tiny random networks in sherpa-onnx's streaming conventions, and bundles of them; no torch.

Nothing sensible comes out, but everything that goes in matters: each state is a shift register
whose newest and oldest values are added to the sound, so a state that is swapped, lost or reset
changes the tokens. The context of the predictor and the overlap of the windows count as well.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from earshot.bundle import MANIFEST, checksum
from earshot.units import FEATURE_BINS, SUBSAMPLING
from onnx import TensorProto, helper, numpy_helper

from tests import small

WIDTH = 8  # of the joiner's rows
REGISTER = 4  # values that a state takes up a step
BLANK_BIAS = 1.0
Port = tuple[str, int, list[str | int]]  # name, type, shape
PIECES = ("<blk>", "▁a", "▁the", "▁call", "b", "s", "ing", "▁jo", "hn", "▁light", "on", "er")


@dataclass(frozen=True, slots=True)
class State:
    """An input that comes back: its shape with 1 for the batch, and which axis that is."""

    name: str
    shape: tuple[int, ...]
    batch: int
    counts: bool = False  # int64, a count of frames
    returned: bool = True


@dataclass(frozen=True, slots=True)
class Kind:
    """A convention: what the metadata say and which states there are."""

    window: int
    shift: int
    facts: dict[str, object]
    states: list[State]


def _zipformer2() -> Kind:
    facts = {
        "num_encoder_layers": "1,2", "encoder_dims": "8,12", "query_head_dims": "2,3",
        "value_head_dims": "2,4", "num_heads": "2,1", "cnn_module_kernels": "5,7",
        "left_context_len": "4,2",
    }  # fmt: skip
    columns = [[int(part) for part in text.split(",")] for text in facts.values()]
    states: list[State] = []
    for layers, width, query, value, heads, kernel, left in zip(*columns, strict=True):
        for _ in range(layers):
            i = len(states) // 6
            states += [
                State(f"cached_key_{i}", (left, 1, query * heads), 1),
                State(f"cached_nonlin_attn_{i}", (1, 1, left, 3 * width // 4), 1),
                State(f"cached_val1_{i}", (left, 1, value * heads), 1),
                State(f"cached_val2_{i}", (left, 1, value * heads), 1),
                State(f"cached_conv1_{i}", (1, width, kernel // 2), 0),
                State(f"cached_conv2_{i}", (1, width, kernel // 2), 0),
            ]
    states += [State("embed_states", (1, 128, 3, 19), 0)]
    states += [State("processed_lens", (1,), 0, counts=True)]
    return Kind(45, 32, dict(facts), states)


def _conformer() -> Kind:
    facts: dict[str, object] = {
        "num_encoder_layers": 2, "left_context": 4, "encoder_dim": 6, "pad_length": 7,
        "cnn_module_kernel": 5,
    }  # fmt: skip
    states = [
        State("attn_cache", (2, 4, 1, 6), 2),
        State("cnn_cache", (2, 4, 1, 6), 2),
        State("processed_frames", (1,), 0, counts=True, returned=False),
    ]
    return Kind(39, 32, facts, states)


def _lstm() -> Kind:
    facts: dict[str, object] = {"num_encoder_layers": 1, "d_model": 6, "rnn_hidden_size": 5}
    return Kind(20, 16, facts, [State("state0", (1, 1, 6), 1), State("state1", (1, 1, 5), 1)])


KINDS = {"lstm": _lstm(), "conformer": _conformer(), "zipformer2": _zipformer2()}


@dataclass(slots=True)
class Graph:
    """A graph under construction."""

    seed: int
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def node(self, kind: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        """Add a node; the name of its one output."""
        out = out or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def constant(self, value: npt.ArrayLike, kind: type[np.generic] = np.int64) -> str:
        """Add a constant; its name."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def weights(self, *shape: int, scale: float = 1.0) -> str:
        """Add random weights; their name."""
        dice = np.random.default_rng([self.seed, len(self.constants)])
        return self.constant(dice.normal(0, scale, shape), np.float32)

    def slice(self, x: str, first: int, last: int, axis: int = 1) -> str:
        """Add a slice along an axis."""
        return self.node("Slice", x, *(self.constant([n]) for n in (first, last, axis)))

    def save(self, path: Path, ins: list[Port], outs: list[Port], facts: dict[str, object]) -> None:
        """Check the graph and write it."""
        ports = [[helper.make_tensor_value_info(*port) for port in side] for side in (ins, outs)]
        graph = helper.make_graph(self.nodes, "g", ports[0], ports[1], self.constants)
        opset = [helper.make_opsetid("", 17)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=8)
        helper.set_model_props(model, {key: str(value) for key, value in facts.items()})
        onnx.checker.check_model(model)
        onnx.save(model, path)


def write(
    folder: Path,
    kind: str,
    symbols: tuple[str, ...] = PIECES,
    *,
    context: int = 2,
    seed: int = 0,
) -> Path:
    """Write encoder.onnx, decoder.onnx, joiner.onnx and tokens.txt; the folder again."""
    folder.mkdir(parents=True, exist_ok=True)
    _encoder(folder / "encoder.onnx", kind, seed)
    _decoder(folder / "decoder.onnx", len(symbols), context, seed + 1)
    _joiner(folder / "joiner.onnx", len(symbols), seed + 2)
    lines = (f"{symbol} {i}\n" for i, symbol in enumerate(symbols))
    (folder / "tokens.txt").write_text("".join(lines), encoding="utf8")
    return folder


def _encoder(path: Path, kind: str, seed: int) -> None:
    made, graph = KINDS[kind], Graph(seed)
    rows = made.shift // SUBSAMPLING
    inside = graph.node(
        "Reshape",
        graph.slice("x", 0, made.shift),
        graph.constant([0, rows, SUBSAMPLING * FEATURE_BINS]),
    )
    sound = graph.node(
        "MatMul", inside, graph.weights(SUBSAMPLING * FEATURE_BINS, WIDTH, scale=0.05)
    )
    ahead = graph.slice("x", made.shift, made.window)
    ahead = graph.node("ReduceMean", ahead, axes=[1])
    sound = graph.node(
        "Add", sound, graph.node("MatMul", ahead, graph.weights(FEATURE_BINS, WIDTH, scale=0.1))
    )
    for state in made.states:
        sound = graph.node("Add", sound, _remembered(graph, state))
    encoded = graph.node("Tanh", sound, out="encoder_out")
    last = graph.node("Reshape", graph.slice(encoded, rows - 1, rows), graph.constant([0, WIDTH]))
    for state in made.states:
        _renewed(graph, state, last, made.shift)
    ins: list[Port] = [("x", TensorProto.FLOAT, ["N", made.window, FEATURE_BINS])]
    outs: list[Port] = [("encoder_out", TensorProto.FLOAT, ["N", rows, WIDTH])]
    ins += [_port(state, state.name) for state in made.states]
    outs += [_port(state, f"new_{state.name}") for state in made.states if state.returned]
    facts = {"model_type": kind, "version": 1, "model_author": "earshot", "T": made.window}
    graph.save(path, ins, outs, {**facts, "decode_chunk_len": made.shift, **made.facts})


def _port(state: State, name: str) -> Port:
    shape: list[str | int] = list(state.shape)
    shape[state.batch] = "N"
    return name, TensorProto.INT64 if state.counts else TensorProto.FLOAT, shape


def _turned(state: State) -> list[int]:
    """Axes with the batch first."""
    return [state.batch, *(i for i in range(len(state.shape)) if i != state.batch)]


def _flat(graph: Graph, state: State) -> str:
    """A state as [N, P], newest values first."""
    turned = graph.node("Transpose", state.name, perm=_turned(state))
    return graph.node("Reshape", turned, graph.constant([0, -1]))


def _remembered(graph: Graph, state: State) -> str:
    """What a state adds to the sound [N, 1, WIDTH]."""
    if state.counts:
        count = graph.node("Cast", state.name, to=TensorProto.FLOAT)
        phase = graph.node("Sin", graph.node("Mul", count, graph.constant([0.01], np.float32)))
        column = graph.node("Reshape", phase, graph.constant([-1, 1]))
        row = graph.node("MatMul", column, graph.weights(1, WIDTH))
    else:
        size, flat = int(np.prod(state.shape)), _flat(graph, state)
        ends = graph.slice(flat, 0, REGISTER), graph.slice(flat, size - REGISTER, size)
        both = graph.node("Concat", *ends, axis=1)
        row = graph.node("MatMul", both, graph.weights(2 * REGISTER, WIDTH, scale=0.5))
    return graph.node("Reshape", row, graph.constant([-1, 1, WIDTH]))


def _renewed(graph: Graph, state: State, last: str, shift: int) -> None:
    """The state after a step, of the last encoded frame [N, WIDTH]."""
    out = f"new_{state.name}"
    if state.counts:
        if state.returned:
            graph.node("Add", state.name, graph.constant([shift]), out=out)
        return
    size, axes = int(np.prod(state.shape)), _turned(state)
    fresh = graph.node("Tanh", graph.node("MatMul", last, graph.weights(WIDTH, REGISTER)))
    kept = graph.slice(_flat(graph, state), 0, size - REGISTER)
    flat = graph.node("Concat", fresh, kept, axis=1)
    shape = graph.constant([-1, *(state.shape[i] for i in axes[1:])])
    turned = graph.node("Reshape", flat, shape)
    graph.node("Transpose", turned, out=out, perm=np.argsort(axes).tolist())


def _decoder(path: Path, size: int, context: int, seed: int) -> None:
    """The sum of a row for each place; tokens below 0 give nothing, as icefall's do."""
    graph, rows = Graph(seed), []
    for place in range(context):
        token = graph.node("Reshape", graph.slice("y", place, place + 1), graph.constant([-1]))
        there = graph.node("GreaterOrEqual", token, graph.constant([0]))
        there = graph.node(
            "Reshape", graph.node("Cast", there, to=TensorProto.FLOAT), graph.constant([-1, 1])
        )
        row = graph.node(
            "Gather", graph.weights(size, WIDTH), graph.node("Max", token, graph.constant([0]))
        )
        rows.append(graph.node("Mul", row, there))
    graph.node("Sum", *rows, out="decoder_out")
    ins: list[Port] = [("y", TensorProto.INT64, ["N", context])]
    outs: list[Port] = [("decoder_out", TensorProto.FLOAT, ["N", WIDTH])]
    graph.save(path, ins, outs, {"vocab_size": size, "context_size": context})


def _joiner(path: Path, size: int, seed: int) -> None:
    graph = Graph(seed)
    both = graph.node("Tanh", graph.node("Add", "encoder_out", "decoder_out"))
    logit = graph.node("MatMul", both, graph.weights(WIDTH, size))
    bias = graph.constant([BLANK_BIAS, *[0.0] * (size - 1)], np.float32)
    graph.node("Add", logit, bias, out="logit")
    names = ("encoder_out", "decoder_out")
    ins: list[Port] = [(name, TensorProto.FLOAT, ["N", WIDTH]) for name in names]
    graph.save(path, ins, [("logit", TensorProto.FLOAT, ["N", size])], {"joiner_dim": WIDTH})


def phones(folder: Path, *, seed: int = 0, tuning: str = "") -> Path:
    """A whole phone bundle: the words of tests.small over a random network; the folder again."""
    write(folder, "lstm", tuple(small.SYMBOLS), context=1, seed=seed)
    small.ngram(folder)
    (folder / "small.lm").rename(folder / "words.lm")
    spoken = (
        (word, " ".join(small.SYMBOLS[token].removesuffix("|") for token in tokens))
        for word, tokens in small.SPOKEN.items()
    )
    lexicon = "".join(f"{word}\t0.0\t{sounds}\n" for word, sounds in spoken)
    (folder / "lexicon").write_text(lexicon, encoding="utf8")
    (folder / "g2p.onnx").write_bytes(b"nobody looks into this one")
    return manifest(folder, "phones", tuning)


def manifest(folder: Path, kind: str, tuning: str = "") -> Path:
    """Write bundle.toml for the files that lie there; the folder again."""
    (folder / MANIFEST).unlink(missing_ok=True)
    lines = ['name = "tiny"', 'version = "1"', f'kind = "{kind}"']
    for path in sorted(folder.iterdir()):
        size = path.stat().st_size
        lines += [f'[files."{path.name}"]', f"bytes = {size}", f'sha256 = "{checksum(path)}"']
    (folder / MANIFEST).write_text("\n".join([*lines, tuning, ""]), encoding="utf8")
    return folder
