"""An int8 network with the same weights, computed in 32 bits: no rounding that feeds on itself."""

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper


def in_floats(source: Path, target: Path) -> None:
    """Write a network whose dynamically quantised products are products of 32-bit floats.

    onnxruntime wrote each as DynamicQuantizeLinear → MatMulInteger → Cast → Mul by the scales.
    """
    model = onnx.load(source)
    graph = model.graph
    maker = {output: node for node in graph.node for output in node.output}
    reader = {name: node for node in graph.node for name in node.input}
    weights = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    for product in [node for node in graph.node if node.op_type == "MatMulInteger"]:
        cast = reader[product.output[0]]
        scaled = reader[cast.output[0]]
        scale = weights[maker[scaled.input[1]].input[1]]
        whole = weights[product.input[1]].astype(np.float32) - weights[product.input[3]]
        name = f"{product.input[1]}_float"
        graph.initializer.append(numpy_helper.from_array((whole * scale).astype(np.float32), name))
        rounded = maker[product.input[0]]
        plain = onnx.helper.make_node("MatMul", [rounded.input[0], name], [scaled.output[0]])
        graph.node[list(graph.node).index(scaled)].CopyFrom(plain)
    _unused_removed(model)
    onnx.checker.check_model(model)
    onnx.save(model, target)


def _unused_removed(model: onnx.ModelProto) -> None:
    """Take out what nothing reads any more, and the whole numbers it came from."""
    graph, found = model.graph, True
    while found:
        read = {name for node in graph.node for name in node.input}
        read |= {output.name for output in graph.output}
        unread = [node for node in graph.node if not read & set(node.output)]
        for node in unread:
            graph.node.remove(node)
        found = bool(unread)
    kept = [one for one in graph.initializer if one.name in read]
    del graph.initializer[:]
    graph.initializer.extend(kept)
