"""A re-ranker small enough to be checked by hand: bigrams of ten words, of two kinds of text."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from earshot.events import Arc, Lattice
from onnx import TensorProto, helper, numpy_helper

MARKS = ("<s>", "</s>", "$contact", "<unk>", "<blank>")
WORDS = (*MARKS, "turn", "on", "off", "the", "light", "lights", "lamp", "right", "kite", "torn")
COMMON = {"the": -1.0, "on": -2.0, "light": -4.0, "lamp": -6.0, "kite": -9.0}  # natural logs
SHORT = 9  # words in the head; the others are the cluster
CONTEXT = 3
GOOD = (
    "<s> turn",
    "turn on",
    "turn off",
    "on the",
    "off the",
    "the lamp",
    "lamp </s>",
    "the light",
)
Floats = npt.NDArray[np.float32]


def bigrams() -> Floats:
    """Natural log P(word | last word) [2, V, V]: GOOD is likely in one kind, any in the other."""
    tables = np.full((2, len(WORDS), len(WORDS)), 0.01)
    for pair in GOOD:
        last, word = map(WORDS.index, pair.split())
        tables[0, last, word] = 1.0
    return np.asarray(np.log(tables / tables.sum(2, keepdims=True)), np.float32)


def small_rescorer(folder: Path, weights: str = "neural = 1.0\n") -> Path:
    """The folder of a rescorer with that bigram."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = (f"{word}\t{COMMON.get(word, 0.0)}\n" for word in WORDS)
    (folder / "words.txt").write_text("".join(lines), "utf8")
    _write_network(folder / "neural.onnx")
    text = f'name = "small"\nversion = "1"\n[weights]\n{weights}[files]\n'
    for name in ("neural.onnx", "words.txt"):
        data = (folder / name).read_bytes()
        facts = f'bytes = {len(data)}, sha256 = "{hashlib.sha256(data).hexdigest()}"'
        text += f'"{name}" = {{ {facts} }}\n'
    (folder / "rescorer.toml").write_text(text, "utf8")
    return folder


def _write_network(path: Path) -> None:
    whole = np.exp(bigrams())
    rare = whole[..., SHORT:].sum(2, keepdims=True)
    head = np.log(np.concatenate([whole[..., :SHORT], rare], 2)).astype(np.float32)
    tail = np.log(whole[..., SHORT:] / rare).astype(np.float32)
    parts = {"head_rows": head, "tail_rows": tail, "last": np.array(CONTEXT - 1)}
    nodes = [
        helper.make_node("Gather", ["context", "last"], ["before"], axis=1),
        helper.make_node("Gather", ["head_rows", "before"], ["head"], axis=1),
        helper.make_node("Gather", ["before", "rows0"], ["some"]),
        helper.make_node("Gather", ["tail_rows", "some"], ["tail0"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "bigram",
        [_value("context", ["N", CONTEXT]), _value("rows0", ["R"])],
        [_value("head", [2, "N", SHORT + 1]), _value("tail0", [2, "R", len(WORDS) - SHORT])],
        [numpy_helper.from_array(value, name) for name, value in parts.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    facts: dict[str, str | int] = {"context": CONTEXT, "marks": len(MARKS), "kinds": 2}
    facts["borders"] = f"{SHORT},{len(WORDS)}"
    helper.set_model_props(model, {key: str(value) for key, value in facts.items()})
    onnx.save(model, path)


def _value(name: str, shape: Sequence[str | int]) -> onnx.ValueInfoProto:
    kind = TensorProto.FLOAT if name in {"head", "tail0"} else TensorProto.INT64
    return helper.make_tensor_value_info(name, kind, shape)


def sausage(*places: str, seconds: float = 1.0) -> Lattice:
    """A lattice with a node between any two places; "light:0.6 lamp:0.4" are arcs with shares."""
    arcs = []
    for node, place in enumerate(places):
        for one in place.split():
            word, _, share = one.partition(":")
            part = float(share or 1.0)
            logp = float(np.log(part))
            begin, end = (round(16_000 * seconds * n) for n in (node, node + 1))
            arcs.append(Arc(node, node + 1, word, begin, end, logp + 1.0, -1.0, 0.0, part))
    nodes = tuple(round(16_000 * seconds * n) for n in range(len(places) + 1))
    return Lattice(nodes, tuple(arcs))


def texts(lattice: Lattice, arcs: Sequence[int], paths: Sequence[Sequence[int]]) -> list[str]:
    """What paths of a parcel say, whose arcs are these of a lattice."""
    return [" ".join(lattice.arcs[arcs[i]].word for i in path) for path in paths]
