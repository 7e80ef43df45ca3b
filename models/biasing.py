"""The adapter that lets the network attend to the owner's names while it hears.

Every phone of every name is a row: its key tells of the phones up to it, its value of those around
it. Each encoded frame asks for the rows whose phones are what was heard of late, and what they hold
is added to it; a row that stands for none of the names takes what fits nothing (contextual
adapters, Sathyendra et al., 2022; after CATT, Chang et al., 2021, whose rows are whole phrases: a
transducer of phones must be told which phone comes, not which name). What the network gave is
unchanged where all attention goes to none.

So that this can be learnt from little, it begins as a comparison: keys are the embeddings of the
last phones of a row one after the other, and a frame asks for the embeddings of the tokens that
the frames' own head made of the last frames, as far back as phones usually are.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.network import Transducer

NEVER = -1e4
PAST = 16  # encoder frames before the one that asks
PHONE = 2  # frames of a usual one
NEAR = (-2, -1, 0, 1, 2)  # phones around a row that its value tells of
FAINT = 0.05  # of the usual first weights
SHARP = 5.0  # of the usual scale: what was heard is not sure, and rows are many
SURE = 8.0  # natural log, about; a row must fit so well to be attended to at first


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of the adapter; `joiner` and `tokens` are those of the network."""

    joiner: int
    tokens: int
    phone: int = 16
    """of the embedding of a phone"""
    last: int = 6
    """phones that a key tells of"""
    heads: int = 2

    @property
    def size(self) -> int:
        """Of keys and values."""
        return self.heads * self.last * self.phone


def shifted(x: Tensor, by: int) -> Tensor:
    """Rows [E, L, S] of the phone so many places before each; zeros where there is none."""
    whole = F.pad(x, (0, 0, max(by, 0), max(-by, 0)))
    return whole.narrow(1, max(-by, 0), x.shape[1])


def repeated_eye(size: int, heads: int) -> Tensor:
    """Weights [heads size, size] that give the same to each head."""
    return torch.eye(size).repeat(heads, 1)


class Names(nn.Module):
    """Names as tokens to keys and values."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.last = sizes.last
        self.embedding = nn.Embedding(sizes.tokens, sizes.phone, padding_idx=0)
        self.key = nn.Linear(sizes.last * sizes.phone, sizes.size, bias=False)
        self.wide = nn.Linear(len(NEAR) * sizes.phone, 2 * sizes.size)
        self.value = nn.Linear(2 * sizes.size, sizes.size)
        with torch.no_grad():
            self.key.weight[:] = repeated_eye(sizes.last * sizes.phone, sizes.heads)

    def forward(self, token: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens [E, L], 0 behind the last, to keys and values [E, L, S] each."""
        x = self.embedding(token)
        before = torch.cat([shifted(x, by) for by in range(self.last)], -1)
        around = torch.cat([shifted(x, by) for by in NEAR], -1)
        return self.key(before), self.value(F.silu(self.wide(around)))


def usual_times(last: int, phone: int) -> Tensor:
    """Weights [last phone, (PAST + 1) phone]: where the last phones usually are in the frames."""
    where = torch.zeros(last, PAST + 1)
    for place in range(last):
        middle, half = PAST - PHONE * place, 1 + place // 2
        where[place, max(0, middle - half) : middle + half] = 1.0
    where /= where.sum(1, keepdim=True)
    return torch.kron(where, torch.eye(phone))


class Attention(nn.Module):
    """Encoded frames, keys and values to frames that know of the names."""

    def __init__(self, sizes: Sizes, embedding: nn.Embedding) -> None:
        super().__init__()
        self.heads, self.scale = sizes.heads, SHARP * (sizes.last * sizes.phone) ** -0.5
        self.embedding = embedding
        self.norm, self.heard = nn.LayerNorm(sizes.joiner), nn.Linear(sizes.joiner, sizes.phone)
        self.tokens = nn.Linear(sizes.joiner, sizes.tokens)
        self.query = nn.Linear((PAST + 1) * sizes.phone, sizes.size)
        self.none = nn.Parameter(torch.full((1, sizes.heads), SURE))
        self.out = nn.Linear(sizes.size, sizes.joiner, bias=False)
        for weight in (self.heard.weight, self.out.weight):
            nn.init.zeros_(weight)
        with torch.no_grad():
            usual = usual_times(sizes.last, sizes.phone)
            self.query.weight.mul_(FAINT).add_(usual.repeat(sizes.heads, 1))

    def knows(self, network: Transducer) -> None:
        """Take over what the frames' own head of a network makes of encoded frames, as it stays."""
        project, head = network.project, network.frame
        back = torch.linalg.pinv(project.weight)
        with torch.no_grad():
            self.tokens.weight[:] = head.weight @ back
            self.tokens.bias[:] = head.bias - self.tokens.weight @ project.bias
        self.tokens.requires_grad_(requires_grad=False)

    def asked(self, encoded: Tensor) -> Tensor:
        """Queries [..., H, T, S / H] of frames [..., PAST + T, J]."""
        likely = self.tokens(encoded).softmax(-1)
        heard = likely @ self.embedding.weight + self.heard(self.norm(encoded))
        count = encoded.shape[-2] - PAST
        late = torch.cat([heard.narrow(-2, first, count) for first in range(PAST + 1)], -1)
        query: Tensor = self.query(late).unflatten(-1, (self.heads, -1)).transpose(-3, -2)
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
        score = self.scores(self.asked(encoded), key) + mask
        none = self.none.T[..., None].expand(*score.shape[:-1], 1)
        share = torch.cat([score, none], -1).softmax(-1)
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
