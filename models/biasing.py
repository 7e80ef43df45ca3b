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
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.network import Transducer
from models.phones import PHONES
from models.spread import (
    Fit,
    Frames,
    Spread,
    backward,
    follow,
    joined,
    last_of,
    normal,
    times,
    ways_of,
)

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


def rows_of(score: Tensor, token: Tensor, shape: Sequence[int] = ()) -> Tensor:
    """Scores [..., 1, V] of tokens as those of the phones of names, [..., E, L] or another shape.

    Rows of a table are picked, and turned: onnxruntime takes three times as long for numbers.
    """
    picked = score.flatten(0, -2).t().index_select(0, token.reshape(-1)).t()
    return picked.reshape(shape or (*score.shape[:-2], *token.shape))


def names_fit(frames: Frames, token: Tensor, shape: Sequence[int] = ()) -> Frames:
    """Of frames that tokens fit [..., T, 1, V], how names [E, L] do."""
    return frames._replace(rows=rows_of(frames.rows, token, shape))


def count(token: Tensor) -> Tensor:
    """How many of rows [E, L] are names."""
    return (token[:, 0] > 0).sum().clamp(min=1)


class Names(nn.Module):
    """What the rows of names hold."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.heads, size = sizes.heads, sizes.heads * sizes.value
        self.embedding = nn.Embedding(sizes.tokens, sizes.phone, padding_idx=0)
        self.wide = nn.Linear(len(NEAR) * sizes.phone, 2 * size)
        self.value = nn.Linear(2 * size, size)

    def forward(self, token: Tensor) -> Tensor:
        """Tokens [E, L], 0 behind the last, to values [H, E, L, S]."""
        x = self.embedding(token)
        around = torch.cat([shifted(x, by) for by in NEAR], -1)
        value = self.value(F.silu(self.wide(around)))
        return value.unflatten(-1, (self.heads, -1)).movedim(2, 0)  # type: ignore[no-any-return]


class Attention(nn.Module):
    """Encoded frames and rows to frames that know of the names."""

    marked: Tensor
    real: Tensor

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
        token = torch.arange(sizes.tokens)
        self.register_buffer("marked", token > len(PHONES), persistent=False)
        self.register_buffer("real", token > 0, persistent=False)

    def knows(self, network: Transducer) -> None:
        """Take over what the frames' own head of a network makes of encoded frames, as it stays."""
        project, head = network.project, network.frame
        back = torch.linalg.pinv(project.weight)
        with torch.no_grad():
            self.tokens.weight[:] = head.weight @ back
            self.tokens.bias[:] = head.bias - self.tokens.weight @ project.bias
        self.tokens.requires_grad_(requires_grad=False)

    def tokens_fit(self, encoded: Tensor, names: Tensor) -> Fit:
        """How well tokens fit frames [..., T, J]: rows [H, ..., T, 1, V], of which the best has 1.

        Blank, which is behind the last phone of a name, fits nothing. `names`: how many there are.
        """
        x = F.silu(self.wide(self.norm(encoded)))
        heard, gates = (self._by_head(part(x)) for part in (self.heard, self.gates))
        known = self._phones(encoded)
        whole = (-1,) + (1,) * known.ndim
        score = self.sharp.view(whole) * known + heard
        score = (score - score.amax(-1, keepdim=True)).exp()
        still = score[..., :1] * self.pause.exp().view(whole)
        rows = ((score + still * self.marked) * self.real)[..., None, :]
        none, begin = gates.exp()[..., None].split(1, -2)
        return Fit(rows, none, begin / names)

    def _by_head(self, x: Tensor) -> Tensor:
        """[..., V H] to [H, ..., V]."""
        return x.unflatten(-1, (-1, self.heads)).movedim(x.ndim, 0)  # type: ignore[no-any-return]

    def _phones(self, encoded: Tensor) -> Tensor:
        """Log-probabilities [..., T, V] of phones, be they the last of their word or not."""
        every = self.tokens(encoded).softmax(-1)
        still, inner, last = every.split([1, len(PHONES), len(PHONES)], -1)
        either = inner + last
        return (torch.cat([still, either, either], -1) + FLOOR).log()

    def spread(self, encoded: Tensor, token: Tensor) -> Spread:
        """Attention of frames [..., T, J] from the first on, whole chunks, to names [E, L]."""
        fit = self.tokens_fit(encoded, count(token))
        shape = (*fit.none.shape[:-3], 1, 1, 1)
        nowhere = Spread(fit.none.new_zeros(*shape[:-2], *token.shape), fit.none.new_ones(shape))
        last = last_of(token)
        ways, within = (ways_of(self.ways, last, len(shape) + more) for more in (0, 1))
        came, _ = follow(names_fit(fit.forth(), token).each(), ways, nowhere)
        chunks = Fit(*(part.unflatten(-3, (-1, self.chunk)) for part in fit))
        later = backward(names_fit(chunks.back(), token), within)
        return normal(times(joined(came), Spread(*(part.flatten(-4, -3) for part in later))))

    def hold(self, encoded: Tensor, rows: Tensor, held: Tensor) -> Tensor:
        """Frames [..., T, J] with what is held [H, E L, S] by the rows attended to."""
        between = (slice(None), *[None] * (encoded.ndim - 2))
        found = rows.flatten(-2) @ held[between]
        found = found.movedim(0, encoded.ndim - 1).reshape(*encoded.shape[:-1], -1)
        return encoded + self.out(found)  # type: ignore[no-any-return]

    def forward(self, encoded: Tensor, token: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Frames [..., T, J] from the first on, names [E, L], what they hold [H, E, L, S].

        Gives frames and the attention [..., T, E L + 1], the mean of the heads, whose last column
        is that of none.
        """
        found = self.spread(encoded, token)
        share = torch.cat([found.rows.flatten(-2), found.none[..., 0]], -1)
        return self.hold(encoded, found.rows, value.flatten(1, 2)), share.mean(0)


class Biasing(nn.Module):
    """Both."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.names = Names(sizes)
        self.attention = Attention(sizes)
