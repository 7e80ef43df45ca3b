"""Adapters that attend to names, as tests have them."""

import torch

from models.attending import Attending, Ready
from models.biasing import Biasing, Sizes, count
from models.phones import SIZE

SIZES = Sizes(joiner=12, tokens=SIZE, chunk=4, phone=4, value=3, heads=2)


def adapter(sizes: Sizes = SIZES) -> Biasing:
    """One that changes something; before it is trained, it does not."""
    torch.manual_seed(0)
    found = Biasing(sizes)
    torch.nn.init.normal_(found.attention.out.weight, std=0.5)
    return found.eval()


def lively(sizes: Sizes = SIZES) -> Biasing:
    """One whose attention moves in all ways."""
    network = adapter(sizes)
    for name, part in network.attention.named_parameters():
        if name.startswith(("heard", "ways", "gates", "pause")):
            torch.nn.init.normal_(part, std=0.7)
    return network


Tensors = tuple[torch.Tensor, ...]


def start(sizes: Sizes, most: int, longest: int) -> Tensors:
    """Of models.attending: nothing was heard before."""
    past, known = torch.randn(sizes.chunk, sizes.joiner), torch.tensor([0.0, 1.0])
    return (
        past, known.view(2, 1, 1, 1), torch.arange(most),
        torch.zeros(sizes.heads, 1, 1, most, longest), torch.ones(sizes.heads, 1, 1, 1, 1),
    )  # fmt: skip


def in_chunks(
    network: Biasing, token: torch.Tensor, frames: torch.Tensor, most: int, sizes: Sizes = SIZES
) -> tuple[Tensors, Tensors]:
    """Chunk by chunk: frames and attention to all names and none, and to which was looked."""
    graph = Attending(network.attention, most, token.shape[1])
    state, ready = start(sizes, most, token.shape[1]), Ready(network.names)(token)
    biased: Tensors = ()
    shares, looked = biased, biased
    for chunk in frames.split(sizes.chunk):
        frame, share, chosen, *after = graph(chunk, token, *ready, count(token), *state)
        state = (chunk, torch.ones(2, 1, 1, 1), chosen, *after)
        every = torch.zeros(len(chunk), len(token) + 1)
        every[:, chosen], every[:, -1] = share.mean(0), 1 - share.mean(0).sum(-1)
        biased, shares, looked = (*biased, frame), (*shares, every), (*looked, chosen)
    return (torch.cat(biased), torch.cat(shares)), looked
