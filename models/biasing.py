"""The adapter that lets the network attend to the owner's names while it hears.

Every phone of every name is a row: its key and value tell of the phones around it. Each encoded
frame asks for the rows that fit what is heard, and what they hold is added to it; a row that stands
for none of the names takes what fits nothing (contextual adapters, Sathyendra et al., 2022; after
CATT, Chang et al., 2021, whose rows are whole phrases: a transducer of phones must be told which
phone comes, not which name). What the network gave is unchanged where all attention goes to none.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NEVER = -1e4


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of the adapter; `joiner` and `tokens` are those of the network."""

    joiner: int
    tokens: int
    size: int = 96
    heads: int = 4
    kernel: int = 5


class Names(nn.Module):
    """Names as tokens to keys and values."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width = sizes.size
        self.embedding = nn.Embedding(sizes.tokens, width, padding_idx=0)
        half = sizes.kernel // 2
        self.near = nn.ModuleList(
            nn.Conv1d(width, width, sizes.kernel, padding=half) for _ in range(2)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.key, self.value = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, token: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens [E, L], 0 behind the last, to keys and values [E, L, S] each."""
        real = (token > 0)[..., None]
        x = self.embedding(token)
        for near, norm in zip(self.near, self.norms, strict=True):
            y = F.silu(near((x * real).transpose(1, 2))).transpose(1, 2)
            x = norm(x + y)
        return self.key(x), self.value(x) * real


class Attention(nn.Module):
    """Encoded frames, keys and values to frames that know of the names."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.heads = sizes.heads
        self.scale = (sizes.size / sizes.heads) ** -0.5
        self.norm = nn.LayerNorm(sizes.joiner)
        self.query = nn.Linear(sizes.joiner, sizes.size)
        self.none = nn.Parameter(torch.zeros(1, sizes.size))
        self.out = nn.Linear(sizes.size, sizes.joiner, bias=False)
        nn.init.zeros_(self.out.weight)

    def scores(self, encoded: Tensor, key: Tensor) -> Tensor:
        """How well keys [R, S] fit frames [..., T, J]: [..., H, T, R]."""
        query = self.query(self.norm(encoded)).unflatten(-1, (self.heads, -1)).transpose(-3, -2)
        rows = key.unflatten(-1, (self.heads, -1)).permute(1, 2, 0)
        found: Tensor = query @ rows * self.scale
        return found

    def forward(
        self, encoded: Tensor, key: Tensor, value: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Frames [..., T, J], rows [R, S] twice and their mask [R] to frames and attention.

        The attention [..., T, R + 1] is the mean of the heads; its last column is that of none.
        """
        keys = torch.cat([key, self.none])
        score = self.scores(encoded, keys) + F.pad(mask, (0, 1))
        share = score.softmax(-1)
        rows = value.unflatten(-1, (self.heads, -1)).transpose(0, 1)  # [H, R, S / H]
        found = (share[..., :-1] @ rows).transpose(-3, -2).flatten(-2)
        return encoded + self.out(found), share.mean(-3)


class Biasing(nn.Module):
    """Both."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.names, self.attention = Names(sizes), Attention(sizes)


def mask_of(token: Tensor) -> Tensor:
    """Scores [E, L] to add: nothing for tokens, much less for what is behind the last."""
    return (token == 0) * NEVER


class Attending(nn.Module):
    """As the daemon attends: only the names that fit best are looked at closely."""

    def __init__(self, attention: Attention, most: int) -> None:
        super().__init__()
        self.attention, self.most = attention, most

    def forward(
        self, encoded: Tensor, key: Tensor, value: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Frames [T, J], rows [E, L, S] twice and their mask [E, L], of `most` names or more.

        Gives frames, the attention [T, `most` + 1] of the chosen names and of none, and which
        names [`most`] were chosen.
        """
        names, longest = mask.shape
        score = self.attention.scores(encoded, key.flatten(0, 1)) + mask.flatten()
        best = score.unflatten(-1, (names, longest)).amax((0, 1, 3))
        chosen = best.topk(self.most).indices
        key, value = (part.index_select(0, chosen).flatten(0, 1) for part in (key, value))
        chosen_mask = mask.index_select(0, chosen).flatten()
        biased, share = self.attention(encoded, key, value, chosen_mask)
        of_name = share[:, :-1].unflatten(-1, (self.most, longest)).sum(-1)
        return biased, torch.cat([of_name, share[:, -1:]], -1), chosen
