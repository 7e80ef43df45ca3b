"""The network of the re-ranker's language model.

models.neural_lm trains it, models.rescorer writes it.

A feed-forward network (Bengio et al., 2003) from the last words to the next one, with an adaptive
softmax (Grave et al., 2017): rare words share clusters, which are looked into only where such a
word is asked for. Books, sentences read aloud and requests speak differently, and six words often
do not tell which of them goes on: so the network knows kinds of text. A kind scales and shifts what
the words before have come to (Perez et al., 2018), in one place far back, so that another kind
costs the end of the network alone.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

DROPOUT = 0.1


@dataclass(frozen=True)
class Shape:
    """Sizes of the network."""

    words: int
    kinds: int
    context: int = 6
    embedding: int = 128
    hidden: int = 1024
    output: int = 256
    borders: tuple[int, ...] = (2_000, 12_000)
    """first words of the clusters"""
    sizes: tuple[int, ...] = (96, 32)
    """of what a cluster looks at"""

    def cut(self) -> list[tuple[int, int, int]]:
        """First word, end and size of each cluster that this vocabulary has."""
        ends = (*self.borders[1:], self.words)
        rows = zip(self.borders, ends, self.sizes, strict=True)
        return [
            (first, min(end, self.words), size) for first, end, size in rows if first < self.words
        ]


class NeuralLm(nn.Module):
    """The network."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embed = nn.Embedding(shape.words, shape.embedding, sparse=True)
        self.first = nn.Linear(shape.context * shape.embedding, shape.hidden)
        self.second = nn.Linear(shape.hidden, shape.hidden)
        self.scale = nn.Parameter(torch.ones(shape.kinds, shape.hidden))
        self.shift = nn.Parameter(torch.zeros(shape.kinds, shape.hidden))
        self.last = nn.Linear(shape.hidden, shape.output)
        self.short = min(shape.borders[0], shape.words)
        self.head = nn.Linear(shape.output, self.short + len(shape.cut()))
        self.tails = nn.ModuleList(
            nn.Sequential(nn.Linear(shape.output, size), nn.Linear(size, end - first))
            for first, end, size in shape.cut()
        )
        nn.init.normal_(self.embed.weight, 0, 0.3)

    def before(self, embedded: Tensor) -> Tensor:
        """Embedded contexts [N, C * E] to what is the same for all kinds [N, H]."""
        x = functional.dropout(functional.relu(self.first(embedded)), DROPOUT, self.training)
        x = x + functional.relu(self.second(x))
        return functional.dropout(x, DROPOUT, self.training)

    def of_kind(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """What is the same for all kinds [N, H] to what the softmax of a kind looks at [N, D]."""
        return functional.relu(self.last(x * scale + shift))

    def loss(self, context: Tensor, kind: Tensor, wanted: Tensor) -> Tensor:
        """Negative natural log-probability [N] of words [N] after contexts [N, C] of kinds [N]."""
        x = self.before(self.embed(context).flatten(1))
        x = self.of_kind(x, self.scale[kind], self.shift[kind])
        place = wanted.clone()
        for i, (first, end, _) in enumerate(self.shape.cut()):
            place[(wanted >= first) & (wanted < end)] = self.short + i
        found = functional.cross_entropy(self.head(x).float(), place, reduction="none")
        for tail, (first, end, _) in zip(self.tails, self.shape.cut(), strict=True):
            rows = ((wanted >= first) & (wanted < end)).nonzero()[:, 0]
            if len(rows):
                logits = tail(x[rows]).float()
                more = functional.cross_entropy(logits, wanted[rows] - first, reduction="none")
                found = found.index_add(0, rows, more)
        return found
