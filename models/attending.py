"""The adapter as the daemon runs it: a chunk at a time, and only names that may be said in it.

Half of those looked at are they that have the most attention, the others they whose first phones
fit best something in this chunk or the one before; the rest costs nothing but that choice. A name
that was not looked at before is followed from the last chunk on, so that none is missed which began
there. With no more names than are looked at, this is what models/biasing.py computes of the whole.

What it costs is the count of its operations, not their size. So what is known of a catalog is
worked out when that changes (`Ready`), and attention goes forth through the last chunk and back
through this one in the same steps: two ways W beside each other in all arrays, behind the heads.
"""

from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.biasing import Attention, Names, names_fit
from models.spread import (
    TINY,
    Fit,
    Frames,
    Spread,
    Ways,
    follow,
    joined,
    last_of,
    normal,
    step,
    times,
    ways_of,
)

MOST = 64  # names that are looked at in a chunk
LONGEST = 16  # phones of a name that are attended to
FIRST = 6  # phones of a name that tell whether it may be said
Part = TypeVar("Part", Spread, Fit, Frames)
KEPT = 100.0  # more nats than first phones can differ by (TINY)


class Picked(NamedTuple):
    """The names that are looked at."""

    token: Tensor  # [E, L]
    last: Tensor  # [E, L]


class Ready(nn.Module):
    """What the names of a catalog hold, and what tells whether they may be said."""

    def __init__(self, names: Names) -> None:
        super().__init__()
        self.names, self.nobody = names, names.embedding.num_embeddings

    def forward(self, token: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Names [E, L] to what they hold [H, E, L, S], and which phones are their last [E, L].

        And their first phones [E, F] and one over the count of these [E]. The first phone of a row
        without a name is one that nobody says, behind all tokens.
        """
        first = token[:, :FIRST]
        weight = 1 / (first > 0).sum(-1).clamp(min=1)
        begin = first[:, :1] + self.nobody * (first[:, :1] == 0)
        first = torch.cat([begin, first[:, 1:]], 1).int()
        return self.names(token), last_of(token), first, weight


class Attending(nn.Module):
    """A graph of the adapter without memory; what it needs of the chunks before is given."""

    forth: Tensor
    back: Tensor

    def __init__(self, attention: Attention, most: int = MOST, longest: int = LONGEST) -> None:
        super().__init__()
        self.attention, self.most, self.longest = attention, most, longest
        for name, way in zip(("forth", "back"), torch.eye(2), strict=True):
            self.register_buffer(name, way.view(2, 1, 1, 1))

    def forward(  # noqa: PLR0913, PLR0917 - a graph's inputs
        self, encoded: Tensor,
        token: Tensor, value: Tensor, last: Tensor, first: Tensor, weight: Tensor, names: Tensor,
        past: Tensor, known: Tensor, looked: Tensor, rows: Tensor, none: Tensor,
    ) -> tuple[Tensor, ...]:  # fmt: skip
        """Frames [T, J], names [E, L] of `most` or more, what is ready of them, and their count.

        Of before: the last chunk [T, J], whether there was one (known [2, 1, 1, 1], 0 or 1, and 1
        for this one), which names were looked at [`most`], and the attention to them
        [H, 1, 1, `most`, L] and to none [H, 1, 1, 1, 1] before that chunk. Gives frames, the
        attention [H, T, `most`] to the names that are looked at, which they are, and the attention
        to them before this chunk.
        """
        both = torch.cat([past, encoded.flip(0)]).unflatten(0, (2, -1))
        fit = self.attention.tokens_fit(both, names)
        fit = fit._replace(begin=fit.begin * known)
        best = (fit.rows.amax(2, keepdim=True) * known).amax(1)
        chosen = self._chosen(best, first, weight, looked, rows)
        same = (chosen[:, None] == looked).to(rows.dtype)
        picked = Picked(token.index_select(0, chosen), last.index_select(0, chosen))
        after, spread = self._spread(fit, picked, Spread(same @ rows, none))
        held = value.index_select(1, chosen).float()
        held = held.view(self.attention.heads, self.most * self.longest, -1)
        biased = self.attention.hold(encoded, spread.rows, held)
        return biased, spread.rows.sum(-1), chosen, *after

    def _spread(self, fit: Fit, picked: Picked, before: Spread) -> tuple[Spread, Spread]:
        """Attention to picked names [E, L] after the last chunk, and in each frame of this one.

        Of [H, W, T, …]: the last chunk as time goes, and this one from its end on.
        """
        size = self.most, self.longest
        begins = fit.begin * self.forth + self.back, fit.begin.roll(1, 2) * self.back + self.forth
        # A shape that onnxruntime cannot infer: else it turns each frame instead of all at once.
        shape = (*fit.none.shape[:-2], *size)
        both = names_fit(Frames(fit.rows, fit.none, *begins), picked.token, shape)
        ways = ways_of(self.attention.ways, picked.last.view(size), both.rows.ndim)
        first, *others = both.each()
        _, begun = step(_half(first, 0), ways, before)
        ended = _half(Spread(first.rows, first.none), 1)
        now = Spread(*(torch.cat(pair, 1) for pair in zip(begun, ended, strict=True)))
        _, found = follow(others, beside(ways, ways.back()), now)
        after = normal(_half(found[-1], 0))
        coming = _half(Fit(both.rows, fit.none, fit.begin), 1).forth()
        came, _ = follow(coming.each()[::-1], ways, after)
        later = _half(joined([*reversed(found), now]), 1)
        spread = normal(times(joined(came), later))
        return after, Spread(*(part[:, 0] for part in spread))

    def _chosen(
        self, best: Tensor, first: Tensor, weight: Tensor, looked: Tensor, rows: Tensor
    ) -> Tensor:
        """Which names to look at, by how well tokens fitted the best frame [H, 1, 1, V]."""
        fits = best.clamp(min=TINY).log().mean((0, 1, 2)) * self.attention.real
        rank = F.pad(fits, (0, 1), value=-KEPT)[first].sum(-1) * weight
        has, place = rows.sum((0, 1, 2, 4)).topk(self.most // 2)
        kept = KEPT * (has >= TINY).to(rank.dtype)
        found = rank.scatter_add(0, looked[place], kept).topk(self.most).indices
        return found.topk(self.most, largest=False).values  # in order: ranks that are alike tie


def _half(both: Part, way: int) -> Part:
    """What is of one of two ways [H, W, …], still [H, 1, …]."""
    return type(both)(*(part[:, way : way + 1] for part in both))


def beside(one: Ways, other: Ways) -> Ways:
    """Both ways [H, W, T, ·, ·]."""
    pairs = (torch.broadcast_tensors(*pair) for pair in zip(one, other, strict=True))
    return Ways(*(torch.cat(pair, 1) for pair in pairs))
