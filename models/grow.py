"""A larger network that begins as the smaller one it is made from: what is new adds nothing yet.

Between the inner blocks that are kept stand copies of them whose three branches end in zeros, so
the whole gives the same output at first (Net2Net, Chen et al., 2016; stacking, Gong et al., 2019)
and a finished training carries over. What a predictor of longer context knows of the token before
the last begins as zeros for the same reason.
"""

import re

import torch
from torch import Tensor

from models.blocks import Shape

INNER = re.compile(r"encoder\.inner\.(\d+)\.(.+)")
LAST_OF_BRANCH = ("out.", "point.", "narrow.")  # of attention, convolution and feed-forward
EARLIER = "earlier.weight"
Weights = dict[str, Tensor]


def grown(weights: Weights, shape: Shape) -> Weights:
    """Weights of a network of this shape that computes the same: deeper, or with longer context.

    Raises ValueError for fewer blocks than there are.
    """
    found = deepen(weights, shape.inner)
    if shape.context > 1:
        found.setdefault(EARLIER, torch.zeros(shape.tokens, shape.joiner))
    return found


def depth(weights: Weights) -> int:
    """Inner blocks of a network."""
    return len({found[1] for name in weights if (found := INNER.match(name))})


def deepen(weights: Weights, inner: int) -> Weights:
    """Weights of a network of `inner` inner blocks that computes the same.

    Raises ValueError for fewer blocks than there are.
    """
    before = depth(weights)
    if inner < before:
        message = (
            f"the weights have {before} inner blocks, the recipe {inner}; a network only grows"
        )
        raise ValueError(message)
    # Where each block comes from, and whether it is the block itself: the first one of its copies.
    source = [i * before // inner for i in range(inner)]
    kept = [i == 0 or source[i] != source[i - 1] for i in range(inner)]
    found = {name: value for name, value in weights.items() if not INNER.match(name)}
    for i, (origin, itself) in enumerate(zip(source, kept, strict=True)):
        prefix = f"encoder.inner.{origin}."
        for name in [name for name in weights if name.startswith(prefix)]:
            part = name.removeprefix(prefix)
            silent = not itself and part.startswith(LAST_OF_BRANCH)
            value = weights[name]
            found[f"encoder.inner.{i}.{part}"] = (
                torch.zeros_like(value) if silent else value.clone()
            )
    return found
