"""Networks of random weights that rewrite symbols, as g2p.onnx and p2g.onnx do; no torch."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from earshot.bundle import SPELLER
from earshot.rewriter import NOTHING
from onnx import TensorProto, helper, numpy_helper

from tests import networks

SIZES = {"before": 1, "after": 1, "history": 2}
Rows = dict[tuple[str, ...], float]


def write(path: Path, given: str, symbols: int, facts: dict[str, object]) -> Path:
    """log softmax(sum of a row of weights for every symbol and every chunk seen)."""
    dice, size = np.random.default_rng(1), len(str(facts.get("chunks", "_ A B")).split())
    tables = {
        "of_symbols": dice.normal(0, 0.4, (symbols + 1, size)),
        "of_chunks": dice.normal(0, 0.7, (size + 1, size)),
        "at": np.array([[[1.0], [2.0], [-1.0]]]),  # what stands where must matter
        "ago": np.array([[[0.5], [1.5]]]),
    }
    nodes = [
        helper.make_node("Gather", ["of_symbols", given], ["l"]),
        helper.make_node("Mul", ["l", "at"], ["la"]),
        helper.make_node("ReduceSum", ["la", "axis"], ["ls"], keepdims=0),
        helper.make_node("Gather", ["of_chunks", "chunks"], ["c"]),
        helper.make_node("Mul", ["c", "ago"], ["ca"]),
        helper.make_node("ReduceSum", ["ca", "axis"], ["cs"], keepdims=0),
        helper.make_node("Add", ["ls", "cs"], ["sum"]),
        helper.make_node("LogSoftmax", ["sum"], ["logp"], axis=1),
    ]
    weights = [numpy_helper.from_array(v.astype(np.float32), k) for k, v in tables.items()]
    graph = helper.make_graph(
        nodes,
        "rewriter",
        [
            helper.make_tensor_value_info(given, TensorProto.INT64, ["N", 3]),
            helper.make_tensor_value_info("chunks", TensorProto.INT64, ["N", 2]),
        ],
        [helper.make_tensor_value_info("logp", TensorProto.FLOAT, ["N", size])],
        [*weights, numpy_helper.from_array(np.array([1]), "axis")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {key: str(value) for key, value in facts.items()})
    onnx.save(model, path)
    return path


def bundle(folder: Path, tuning: str = "") -> Path:
    """A phone bundle with a speller, and words of whose sounds others can be made: B A B, C A C."""
    networks.phones(folder)
    lexicon = "ab\t0.0\tA B\nbee\t0.0\tB A C\ncab\t0.0\tC A B\n"
    (folder / "lexicon").write_text(lexicon, encoding="utf8")
    write(folder / SPELLER, "phones", 3, {"phones": "A B C", "chunks": "_ x y+z", **SIZES})
    return networks.manifest(folder, "phones", tuning)


def exhaustive(path: Path, numbers: Sequence[int], chunks: Sequence[str]) -> Rows:
    """Every row for symbols numbered from 1 on: its log-probability over all chunks of all."""
    session = ort.InferenceSession(str(path))
    row, total = [0, *numbers, 0], Rows()
    for way in itertools.product(range(len(chunks)), repeat=len(numbers)):
        said = [len(chunks)] * 2 + list(way)
        windows = (
            np.array([row[i : i + 3] for i in range(len(numbers))]),
            np.array([said[i : i + 2] for i in range(len(numbers))]),
        )
        names = [one.name for one in session.get_inputs()]
        found = session.run(None, dict(zip(names, windows, strict=True)))[0]
        names = [chunks[chunk] for chunk in way if chunks[chunk] != NOTHING]
        written = tuple(symbol for name in names for symbol in name.split("+"))
        logp = found[np.arange(len(numbers)), way].sum()
        total[written] = float(np.logaddexp(total.get(written, -np.inf), logp))
    return {written: logp for written, logp in total.items() if written}
