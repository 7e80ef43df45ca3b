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

from models.network import Transducer

NEVER = -1e4
FAINT = 0.1  # of the usual first weights, for frames before the one that asks
PAST, TAPS = 16, 5  # encoder frames before the one that asks, and how many of them are looked at


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
        nn.init.eye_(self.key.weight)

    def forward(self, token: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens [E, L], 0 behind the last, to keys and values [E, L, S] each."""
        real = (token > 0)[..., None]
        x = self.embedding(token)
        for near, norm in zip(self.near, self.norms, strict=True):
            y = F.silu(near((x * real).transpose(1, 2))).transpose(1, 2)
            x = norm(x + y)
        return self.key(x), self.value(x) * real


class Attention(nn.Module):
    """Encoded frames, keys and values to frames that know of the names.

    What is asked for is what was heard of late: the tokens that the joiner makes of some frames,
    in the embedding of the names. So a row fits at first where its phone was heard, and what the
    phones around it are worth is learnt.
    """

    silent: Tensor

    def __init__(self, sizes: Sizes, embedding: nn.Embedding) -> None:
        super().__init__()
        self.heads, self.taps = sizes.heads, range(0, PAST + 1, PAST // (TAPS - 1))
        self.scale = (sizes.size / sizes.heads) ** -0.5
        self.embedding = embedding
        self.norm = nn.LayerNorm(sizes.joiner)
        self.heard = nn.Linear(sizes.joiner, sizes.size)
        self.tokens = nn.Linear(sizes.joiner, sizes.tokens)
        self.register_buffer("silent", torch.zeros(sizes.joiner))
        self.query = nn.Linear(TAPS * sizes.size, sizes.size)
        self.none = nn.Parameter(torch.zeros(1, sizes.size))
        self.out = nn.Linear(sizes.size, sizes.joiner, bias=False)
        for weight in (self.heard.weight, self.out.weight):
            nn.init.zeros_(weight)
        with torch.no_grad():
            self.query.weight *= FAINT
            self.query.weight[:, -sizes.size :] += torch.eye(sizes.size)

    def joined(self, network: Transducer) -> None:
        """Take over what the joiner of a network makes of frames after blank."""
        self.tokens.load_state_dict(network.output.state_dict())
        self.tokens.requires_grad_(requires_grad=False)
        self.silent[:] = network.predictor(torch.zeros(1, dtype=torch.int64))[0].detach()

    def asked(self, encoded: Tensor) -> Tensor:
        """Queries [..., H, T, S / H] of frames [..., PAST + T, J]."""
        likely = self.tokens(torch.tanh(encoded + self.silent))[..., 1:].softmax(-1)
        heard = likely @ self.embedding.weight[1:] + self.heard(self.norm(encoded))
        count = encoded.shape[-2] - PAST
        near = torch.cat([heard.narrow(-2, tap, count) for tap in self.taps], -1)
        query: Tensor = self.query(near).unflatten(-1, (self.heads, -1)).transpose(-3, -2)
        return query

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        """How well keys [R, S] fit queries: [..., H, T, R]."""
        found: Tensor = query @ key.unflatten(-1, (self.heads, -1)).permute(1, 2, 0) * self.scale
        return found

    def forward(
        self, encoded: Tensor, key: Tensor, value: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Frames [..., PAST + T, J], rows [R, S] twice and their mask [R] to frames and attention.

        The attention [..., T, R + 1] is the mean of the heads; its last column is that of none.
        """
        score = self.scores(self.asked(encoded), torch.cat([key, self.none]))
        share = (score + F.pad(mask, (0, 1))).softmax(-1)
        rows = value.unflatten(-1, (self.heads, -1)).transpose(0, 1)  # [H, R, S / H]
        found = (share[..., :-1] @ rows).transpose(-3, -2).flatten(-2)
        count = encoded.shape[-2] - PAST
        return encoded.narrow(-2, PAST, count) + self.out(found), share.mean(-3)


class Biasing(nn.Module):
    """Both."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.names = Names(sizes)
        self.attention = Attention(sizes, self.names.embedding)


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
        """Frames [PAST + T, J], rows [E, L, S] and mask [E, L] of `most` names or more.

        Gives frames, the attention [T, `most` + 1] of the chosen names and of none, and which
        names [`most`] were chosen.
        """
        names, longest = mask.shape
        query = self.attention.asked(encoded)
        score = self.attention.scores(query, key.flatten(0, 1)) + mask.flatten()
        best = score.unflatten(-1, (names, longest)).amax((0, 1, 3))
        chosen = best.topk(self.most).indices
        key, value = (part.index_select(0, chosen).flatten(0, 1) for part in (key, value))
        chosen_mask = mask.index_select(0, chosen).flatten()
        biased, share = self.attention(encoded, key, value, chosen_mask)
        of_name = share[:, :-1].unflatten(-1, (self.most, longest)).sum(-1)
        return biased, torch.cat([of_name, share[:, -1:]], -1), chosen
