"""Weights that are kept: a run's averaged ones in 16 bits, or what they differ by from kept ones.

A difference is rounded to halves of its own size (root mean square, a tensor) and packed: 3 bits a
weight instead of 16. Two percent of the power of the change are lost.
"""

import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from models.blocks import Shape
from models.network import Transducer

FINE = 2  # steps of the root mean square of a difference
MOST = 127  # steps, at most


class Kept(NamedTuple):
    """Averaged weights in 32 bits, and the recipe they came of."""

    recipe: dict[str, Any]
    weights: dict[str, Tensor]


def kept(source: Path) -> Kept:
    """Read the averaged weights of a run's folder, or of a file that `keep` wrote."""
    file = source / "run.pt" if source.is_dir() else source
    state = torch.load(file, weights_only=True, map_location="cpu")
    weights = {name: value.float() for name, value in state["average"].items()}
    if "beside" in state:
        weights |= _added(kept(file.with_name(state["beside"])).weights, state)
    return Kept(state["recipe"], weights)


def keep(run: Path, out: Path, beside: Path | None = None) -> None:
    """Write averaged weights in 16 bits, or what they differ by from those of a file there."""
    recipe, weights = kept(run)
    if beside is None:
        average = {name: value.half() for name, value in weights.items()}
        torch.save({"recipe": recipe, "average": average}, out)
        return
    known = kept(out.with_name(beside.name)).weights  # where it is looked for later
    like = {n: v for n, v in weights.items() if n in known and known[n].shape == v.shape}
    found = {name: _steps(value - known[name]) for name, value in like.items()}
    codes = b"".join(code.tobytes() for _, code in found.values())
    torch.save(
        {
            "recipe": recipe,
            "average": {name: weights[name].half() for name in weights.keys() - like.keys()},
            "beside": beside.name,
            "steps": {name: step for name, (step, _) in found.items()},
            "codes": torch.frombuffer(bytearray(zlib.compress(codes, 9)), dtype=torch.uint8),
        },
        out,
    )


def network_of(source: Path) -> Transducer:
    """The network with the averaged weights of a run's folder, or of a file that `keep` wrote."""
    recipe, weights = kept(source)
    network = Transducer(Shape(**recipe["network"]))
    network.load_state_dict(weights)
    return network.eval()


def _steps(difference: Tensor) -> tuple[float, np.ndarray[Any, np.dtype[np.int8]]]:
    """Size of a step, and how many of them a difference is."""
    step = float(difference.square().mean().sqrt()) / FINE or 1.0
    return step, (difference / step).round().clamp(-MOST, MOST).numpy().astype(np.int8)


def _added(known: dict[str, Tensor], state: dict[str, Any]) -> dict[str, Tensor]:
    """Weights of which a file has the difference to known ones."""
    codes = np.frombuffer(zlib.decompress(state["codes"].numpy().tobytes()), np.int8)
    found, at = {}, 0
    for name, step in state["steps"].items():
        value = known[name]
        code = torch.from_numpy(codes[at : at + value.numel()].astype(np.float32))
        found[name] = value + step * code.reshape(value.shape)
        at += value.numel()
    return found
