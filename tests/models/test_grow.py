"""A network that grew computes what it computed before, and can learn with all that is new."""

import pytest
import torch

from models.blocks import Shape
from models.grow import depth, grown
from models.network import Transducer

SMALL = {"width": 16, "middle": 16, "heads": 2, "kernel": 3, "joiner": 8, "chunk": 4, "left": 8}


def network(inner: int, context: int = 1) -> Transducer:
    return Transducer(Shape(**SMALL, inner=inner, context=context, dropout=0.0))  # type: ignore[arg-type]


def from_small(inner: int, context: int) -> tuple[Transducer, Transducer]:
    torch.manual_seed(1)
    small, large = network(2), network(inner, context)
    large.load_state_dict(grown(small.state_dict(), large.shape))
    return small, large


def logits(net: Transducer) -> torch.Tensor:
    dice = torch.Generator().manual_seed(2)
    x = torch.randn(2, 32, 80, generator=dice)
    target = torch.tensor([[3, 4, 5], [6, 7, 8]])
    first = torch.tensor([[0, 0, 0, 1, 1, 1, 1, 2]] * 2)
    found: torch.Tensor = net.window_logits(net.project(net.encoder(x)), first, target, 2)
    return found


@pytest.mark.parametrize(("inner", "context"), [(2, 1), (4, 1), (5, 1), (2, 2), (4, 2)])
def test_a_network_that_grew_gives_the_same(inner: int, context: int) -> None:
    small, large = from_small(inner, context)
    assert depth(large.state_dict()) == inner
    torch.testing.assert_close(logits(large), logits(small))


def test_what_is_new_can_learn() -> None:
    _, large = from_small(4, 2)
    logits(large).square().sum().backward()
    named = dict(large.named_parameters())
    for name in ("earlier.weight", "encoder.inner.1.narrow.weight"):
        gradient = named[name].grad
        assert gradient is not None
        assert float(gradient.abs().sum()) > 0


def test_a_network_does_not_shrink() -> None:
    with pytest.raises(ValueError, match="the recipe 1; a network only grows"):
        grown(network(2).state_dict(), Shape(**SMALL, inner=1))  # type: ignore[arg-type]
