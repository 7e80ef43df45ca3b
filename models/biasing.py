"""The adapter that lets the network attend to the owner's names while it hears.

Every phone of every name is a row: its key tells of the phones up to it, its value of those around
it. Each encoded frame asks for the rows whose phones are what was heard of late, and what they hold
is added to it; a row that stands for none of the names takes what fits nothing (contextual
adapters, Sathyendra et al., 2022; after CATT, Chang et al., 2021, whose rows are whole phrases: a
transducer of phones must be told which phone comes, not which name). What the network gave is
unchanged where all attention goes to none.

What a frame asks for is what was emitted of late, as in CATT's label queries, and what is heard
now. So that this can be learnt from little, it begins as a comparison: keys are the embeddings of
a row's phone and of those before it, and a frame asks for the embeddings of the tokens that the
frames' own head makes of it and of those that the network, without names, emitted before.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.network import Transducer

NEVER = -1e4
NEAR = (-2, -1, 0, 1, 2)  # phones around a row that its value tells of
SHARP = 2.0  # of the usual scale: what was emitted is mostly right
APART = 7.0  # of embeddings that tell all phones apart; as long as usual ones of 49 dimensions
SURE = 10.0  # natural log, about; a row must fit so well to be attended to at first
BLANK = 0


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of the adapter; `joiner` and `tokens` are those of the network."""

    joiner: int
    tokens: int
    phone: int = 16
    """of the embedding of a phone"""
    last: int = 6
    """phones that a key tells of: its own, and so many less one that were emitted before"""
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
            if sizes.phone >= sizes.tokens:  # there is room to tell all phones apart
                self.embedding.weight[1:] = APART * torch.eye(sizes.tokens, sizes.phone)[1:]

    def forward(self, token: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens [E, L], 0 behind the last, to keys and values [E, L, S] each."""
        x = self.embedding(token)
        before = torch.cat([shifted(x, by) for by in range(self.last)], -1)
        around = torch.cat([shifted(x, by) for by in NEAR], -1)
        return self.key(before), self.value(F.silu(self.wide(around)))


class Attention(nn.Module):
    """Encoded frames, keys and values to frames that know of the names."""

    def __init__(self, sizes: Sizes, embedding: nn.Embedding) -> None:
        super().__init__()
        self.heads, self.scale = sizes.heads, SHARP * (sizes.last * sizes.phone) ** -0.5
        self.embedding = embedding
        self.norm, self.heard = nn.LayerNorm(sizes.joiner), nn.Linear(sizes.joiner, sizes.phone)
        self.tokens = nn.Linear(sizes.joiner, sizes.tokens)
        self.query = nn.Linear(sizes.last * sizes.phone, sizes.size)
        self.none = nn.Parameter(torch.full((1, sizes.heads), SURE))
        self.out = nn.Linear(sizes.size, sizes.joiner, bias=False)
        for weight in (self.heard.weight, self.out.weight):
            nn.init.zeros_(weight)
        with torch.no_grad():
            self.query.weight[:] = repeated_eye(sizes.last * sizes.phone, sizes.heads)

    def knows(self, network: Transducer) -> None:
        """Take over what the frames' own head of a network makes of encoded frames, as it stays."""
        project, head = network.project, network.frame
        back = torch.linalg.pinv(project.weight)
        with torch.no_grad():
            self.tokens.weight[:] = head.weight @ back
            self.tokens.bias[:] = head.bias - self.tokens.weight @ project.bias
        self.tokens.requires_grad_(requires_grad=False)

    def asked(self, encoded: Tensor, history: Tensor) -> Tensor:
        """Queries [..., H, T, S / H] of frames [..., T, J] after tokens [..., T, last - 1]."""
        likely = self.tokens(encoded).softmax(-1)
        heard = likely @ self.embedding.weight + self.heard(self.norm(encoded))
        late = torch.cat([heard, self.embedding(history).flatten(-2)], -1)
        query: Tensor = self.query(late).unflatten(-1, (self.heads, -1)).transpose(-3, -2)
        return query

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        """How well keys [R, S] fit queries: [..., H, T, R]."""
        found: Tensor = query @ key.unflatten(-1, (self.heads, -1)).permute(1, 2, 0) * self.scale
        return found

    def forward(
        self, encoded: Tensor, history: Tensor, key: Tensor, value: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Frames [..., T, J], tokens before each [..., T, last - 1], rows [R, S] twice, mask [R].

        The tokens are what was emitted, the latest first. Gives frames and the attention
        [..., T, R + 1], the mean of the heads, whose last column is that of none.
        """
        score = self.scores(self.asked(encoded, history), key) + mask
        none = self.none.T[..., None].expand(*score.shape[:-1], 1)
        share = torch.cat([score, none], -1).softmax(-1)
        rows = value.unflatten(-1, (self.heads, -1)).transpose(0, 1)  # [H, R, S / H]
        found = (share[..., :-1] @ rows).transpose(-3, -2).flatten(-2)
        return encoded + self.out(found), share.mean(-3)


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
        self, encoded: Tensor, history: Tensor, key: Tensor, value: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Frames [T, J] and tokens before, rows [E, L, S], mask [E, L] of `most` names or more.

        Gives frames, the attention [T, `most` + 1] of the chosen names and of none, and which
        names [`most`] were chosen.
        """
        names, longest = mask.shape
        query = self.attention.asked(encoded, history)
        score = self.attention.scores(query, key.flatten(0, 1)) + mask.flatten()
        best = score.unflatten(-1, (names, longest)).amax((0, 1, 3))
        chosen = best.topk(self.most).indices
        key, value = (part.index_select(0, chosen).flatten(0, 1) for part in (key, value))
        chosen_mask = mask.index_select(0, chosen).flatten()
        biased, share = self.attention(encoded, history, key, value, chosen_mask)
        of_name = share[:, :-1].unflatten(-1, (self.most, longest)).sum(-1)
        return biased, torch.cat([of_name, share[:, -1:]], -1), chosen


@torch.no_grad()
def emitted(network: Transducer, projected: Tensor, last: int) -> Tensor:
    """What a network emits greedily before each projected frame [B, T, J]: [B, T, last].

    The latest first; blank where there was nothing.
    """
    rows = network.predictor(torch.arange(network.shape.tokens))
    history = torch.zeros(len(projected), last, dtype=torch.int64)
    found = []
    for frame in projected.unbind(1):
        found.append(history)
        token = network.joiner(frame, rows[history[:, 0]]).argmax(-1, keepdim=True)
        history = torch.where(token == BLANK, history, torch.cat([token, history[:, :-1]], 1))
    return torch.stack(found, 1)
