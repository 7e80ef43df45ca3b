"""The adapter as the daemon runs it: a chunk at a time, and only names that may be said in it.

Half of those looked at are they that have the most attention, the others they whose first phones
fit best something in this chunk or the one before; the rest costs nothing but that choice. A name
that was not looked at before is followed from the last chunk on, so that none is missed which began
there. With no more names than are looked at, this is what models/biasing.py computes of the whole.
"""

import torch
from torch import Tensor, nn

from models.biasing import Attention, count, rows_of
from models.spread import TINY, Fit, Spread, forward, moves_of, smoothed

FIRST = 6  # phones of a name that tell whether it may be said
KEPT = 10.0  # more than any name gets for its first phones


class Attending(nn.Module):
    """A graph of the adapter without memory; what it needs of the chunks before is given."""

    def __init__(self, attention: Attention, most: int) -> None:
        super().__init__()
        self.attention, self.most = attention, most

    def forward(  # noqa: PLR0913, PLR0917 - a graph's inputs
        self, encoded: Tensor, token: Tensor, value: Tensor,
        past: Tensor, known: Tensor, looked: Tensor, rows: Tensor, none: Tensor,
    ) -> tuple[Tensor, ...]:  # fmt: skip
        """Frames [T, J], names [E, L] of `most` or more, what they hold [E, L, S] in any precision.

        Of before: the last chunk [T, J], whether there was one [1], which names were looked at
        [`most`], and the attention to them [H, `most`, L] and to none [H, 1, 1] before that chunk.
        Gives frames, the attention [T, `most` + 1] to the names that are looked at and to none,
        which they are, and the attention to them before this chunk.
        """
        last, both = past.shape[0], torch.cat([past, encoded])
        score, alone, begin = self.attention.tokens_fit(both)
        heard = torch.cat([score[:, :last] * known, score[:, last:]], 1)
        chosen = self._chosen(heard, token, looked, rows)
        names, held = token.index_select(0, chosen), value.index_select(0, chosen).float()
        same = (chosen[:, None] == looked).to(rows.dtype)
        before = Spread(torch.einsum("cl,hlp->hcp", same, rows), none)
        fit = Fit(rows_of(score, names), alone, begin / count(token))
        gone, coming = fit.part(0, last), fit.part(last, both.shape[0])
        moves = moves_of(self.attention.ways, names, rows.ndim)
        after = forward(gone._replace(begin=gone.begin * known), moves, before)[-1]
        spread = smoothed(coming, moves, forward(coming, moves, after))
        share = spread.rows.sum(-1).mean(0)
        share = torch.cat([share, 1 - share.sum(-1, keepdim=True)], -1)
        return self.attention.hold(encoded, spread.rows, held), share, chosen, *after

    def _chosen(self, score: Tensor, token: Tensor, looked: Tensor, rows: Tensor) -> Tensor:
        """Which names to look at, by how well tokens fitted the frames [H, T, V]."""
        best, first = score.amax(1).clamp(min=TINY).log().mean(0), token[:, :FIRST]
        real = first > 0
        fits = (best[first] * real).sum(-1) / real.sum(-1).clamp(min=1)
        rank = fits.exp() * real[:, 0]
        has = (rank * 0).scatter_add(0, looked, rows.sum(-1).mean(0))
        kept = has >= has.topk(self.most // 2).values[-1:].clamp(min=TINY)
        return (rank + KEPT * kept).topk(self.most).indices
