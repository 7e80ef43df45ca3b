"""The adapter that lets the network attend to the owner's names while it hears.

Every phone of every name is a row. Attention moves along the phones of names from frame to frame,
as far as they fit what is heard (models/spread.py), so it takes little data and no token that was
emitted before; frames that come in one chunk also know how the chunk goes on. What the attended
rows hold, the phones around theirs, is added to the encoded frames (contextual adapters, Sathyendra
et al., 2022; after CATT, Chang et al., 2021, whose rows are whole phrases: a transducer of phones
must be told which phone comes, not which name). All attention on none leaves what the network gave
unchanged.

What fits is told by the frames' own head of the network, from the start, and by what is learnt.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.network import Transducer
from models.phones import PHONES
from models.spread import Fit, Spread, forward, in_chunks, moves_of, smoothed

NEAR = (-2, -1, 0, 1, 2)  # phones around a row that its value tells of
FLOOR = math.exp(-6)  # probability below which all phones fit alike
SHARP = (0.4, 0.7)  # power of the probabilities of the frames' head: of the first head and the last
# Natural logs, as the heads begin.
NONE = -0.75  # how well none of the names fits, of what fits best
BEGIN = -4.0  # that any name begins
SKIP = -3.0  # that a phone is swallowed
PAUSE = -1.0  # that it is still behind a word, of how well stillness fits


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of the adapter; `joiner`, `tokens` and `chunk` (encoder frames) are those of the network."""

    joiner: int
    tokens: int
    chunk: int
    phone: int = 32
    """of the embedding of a phone"""
    value: int = 48
    """of what a row holds for a head"""
    heads: int = 2
    wide: int = 256
    """units that make of a frame what fits it"""


def shifted(x: Tensor, by: int) -> Tensor:
    """Rows [E, L, S] of the phone so many places before each; zeros where there is none."""
    whole = F.pad(x, (0, 0, max(by, 0), max(-by, 0)))
    return whole.narrow(1, max(-by, 0), x.shape[1])


def rows_of(score: Tensor, token: Tensor) -> Tensor:
    """Scores [..., V] of tokens as those of the phones of names, [..., E, L]."""
    return score[..., token] * (token > 0)


def count(token: Tensor) -> Tensor:
    """How many of rows [E, L] are names."""
    return (token[:, 0] > 0).sum().clamp(min=1)


class Names(nn.Module):
    """What the rows of names hold."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        size = sizes.heads * sizes.value
        self.embedding = nn.Embedding(sizes.tokens, sizes.phone, padding_idx=0)
        self.wide = nn.Linear(len(NEAR) * sizes.phone, 2 * size)
        self.value = nn.Linear(2 * size, size)

    def forward(self, token: Tensor) -> Tensor:
        """Tokens [E, L], 0 behind the last, to values [E, L, S]."""
        x = self.embedding(token)
        around = torch.cat([shifted(x, by) for by in NEAR], -1)
        return self.value(F.silu(self.wide(around)))  # type: ignore[no-any-return]


class Attention(nn.Module):
    """Encoded frames and rows to frames that know of the names."""

    marked: Tensor

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.heads, self.chunk = sizes.heads, sizes.chunk
        self.tokens = nn.Linear(sizes.joiner, sizes.tokens)
        self.norm, self.wide = nn.LayerNorm(sizes.joiner), nn.Linear(sizes.joiner, sizes.wide)
        self.heard = nn.Linear(sizes.wide, sizes.heads * sizes.tokens)
        self.gates = nn.Linear(sizes.wide, sizes.heads * 2)
        self.sharp = nn.Parameter(torch.linspace(*SHARP, sizes.heads))
        self.ways = nn.Parameter(torch.tensor([0.0, SKIP, 0.0])[:, None].repeat(1, sizes.heads))
        self.pause = nn.Parameter(torch.full((sizes.heads,), PAUSE))
        self.out = nn.Linear(sizes.heads * sizes.value, sizes.joiner, bias=False)
        for weight in (self.heard.weight, self.heard.bias, self.gates.weight, self.out.weight):
            nn.init.zeros_(weight)
        with torch.no_grad():
            self.gates.bias[:] = torch.tensor([NONE, BEGIN]).repeat_interleave(sizes.heads)
        marked = torch.arange(sizes.tokens) > len(PHONES)
        self.register_buffer("marked", marked, persistent=False)

    def knows(self, network: Transducer) -> None:
        """Take over what the frames' own head of a network makes of encoded frames, as it stays."""
        project, head = network.project, network.frame
        back = torch.linalg.pinv(project.weight)
        with torch.no_grad():
            self.tokens.weight[:] = head.weight @ back
            self.tokens.bias[:] = head.bias - self.tokens.weight @ project.bias
        self.tokens.requires_grad_(requires_grad=False)

    def tokens_fit(self, encoded: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """How well tokens fit frames [..., T, J]: [H, ..., T, V], of which the best has 1.

        And how well none of the names, and how likely one begins: [H, ..., T, 1, 1] each.
        """
        x = F.silu(self.wide(self.norm(encoded)))
        heard, gates = (self._by_head(part(x)) for part in (self.heard, self.gates))
        known = self._phones(encoded)
        whole = (-1,) + (1,) * known.ndim
        score = self.sharp.view(whole) * known + heard
        score = (score - score.amax(-1, keepdim=True)).exp()
        still = score[..., :1] * self.pause.exp().view(whole)
        none, begin = gates.exp()[..., None, None].unbind(-3)
        return score + still * self.marked, none, begin

    def _by_head(self, x: Tensor) -> Tensor:
        return torch.stack(x.unflatten(-1, (-1, self.heads)).unbind(-1))

    def _phones(self, encoded: Tensor) -> Tensor:
        """Log-probabilities [..., T, V] of phones, be they the last of their word or not."""
        every = self.tokens(encoded).softmax(-1)
        still, inner, last = every.split([1, len(PHONES), len(PHONES)], -1)
        either = inner + last
        return (torch.cat([still, either, either], -1) + FLOOR).log()

    def spread(self, encoded: Tensor, token: Tensor) -> Spread:
        """Attention of frames [..., T, J] from the first on, whole chunks, to names [E, L]."""
        score, none, begin = self.tokens_fit(encoded)
        fit = Fit(rows_of(score, token), none, begin / count(token))
        nowhere = Spread(
            torch.zeros_like(fit.rows[..., 0, :, :]), torch.ones_like(none[..., 0, :, :])
        )
        found = forward(fit, moves_of(self.ways, token, nowhere.rows.ndim), nowhere)
        rows, alone = (torch.stack(part, -3) for part in zip(*found, strict=True))
        after = zip(
            *(in_chunks(part, self.chunk).unbind(-3) for part in (rows, alone)), strict=True
        )
        chunks, moves = fit.in_chunks(self.chunk), moves_of(self.ways, token, rows.ndim)
        known = smoothed(chunks, moves, [Spread(*one) for one in after])
        return Spread(known.rows.reshape(rows.shape), known.none.reshape(alone.shape))

    def hold(self, encoded: Tensor, rows: Tensor, value: Tensor) -> Tensor:
        """Frames [..., T, J] with what is held [E, L, S] by the rows attended to."""
        held = value.flatten(0, 1).unflatten(-1, (self.heads, -1)).movedim(1, 0)
        found = torch.einsum("h...r,hrs->...hs", rows.flatten(-2), held)
        return encoded + self.out(found.flatten(-2))  # type: ignore[no-any-return]

    def forward(self, encoded: Tensor, token: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Frames [..., T, J] from the first on, names [E, L], what they hold [E, L, S].

        Gives frames and the attention [..., T, E L + 1], the mean of the heads, whose last column
        is that of none.
        """
        found = self.spread(encoded, token)
        share = torch.cat([found.rows.flatten(-2), found.none[..., 0]], -1)
        return self.hold(encoded, found.rows, value), share.mean(0)


class Biasing(nn.Module):
    """Both."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.names = Names(sizes)
        self.attention = Attention(sizes)
