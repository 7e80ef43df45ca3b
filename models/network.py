"""The streaming transducer: an encoder with a slow middle, predictor, joiner.

                80 mel bins, 10 ms
    front       two strided convolutions                    → 40 ms, `width`
    outer       block                                         40 ms
    down        `stride` frames as one                      → 80 ms, `middle`
    inner       blocks                                        80 ms
    up          back, added to what went down               → 40 ms
    outer       block                                         40 ms

The blocks are of one kind, or of two (models/blocks.py). `forward` takes whole recordings; `step`
one chunk and a state, as exported; both agree (tests/models/test_network.py).
"""

import math

import torch
from earshot.units import FEATURE_BINS, SUBSAMPLING
from torch import Tensor, nn
from torch.nn import functional as F

from models.blocks import (
    KINDS,
    NEVER,
    Block,
    Conformer,
    Kept,
    Mask,
    Pair,
    Shape,
    Size,
    attention_mask,
    step_bias,
)

State = tuple[Tensor, Tensor]
NOTHING = -1  # before the first token, as icefall and sherpa-onnx have it


class Encoder(nn.Module):
    """Features [B, T, 80] to encoded [B, T / 4, width]."""

    mean: Tensor
    std: Tensor

    def __init__(self, shape: Shape, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        wide, mid, (outer, inner) = shape.width, shape.middle, KINDS[shape.kind]
        # One frame of look-ahead each: the last output of a chunk sees its last feature frame.
        self.front1 = nn.Conv1d(FEATURE_BINS, wide, 3, stride=2)
        self.front2 = nn.Conv1d(wide, wide, 3, stride=2)
        self.norm_front, self.norm_out = nn.LayerNorm(wide), nn.LayerNorm(wide)
        self.first, self.last = (outer(wide, shape.left, shape) for _ in range(2))
        left = shape.left // shape.stride
        self.inner = nn.ModuleList(inner(mid, left, shape) for _ in range(shape.inner))
        self.down = nn.Linear(shape.stride * wide, mid)
        self.up = nn.Linear(mid, shape.stride * wide)
        self.attends = outer is Conformer
        self.masks: dict[tuple[int, torch.device], tuple[Mask, Mask]] = {}

    def _masks(self, frames: int, device: torch.device) -> tuple[Mask, Mask]:
        """Of whole recordings of so many frames, for outer and inner blocks."""
        if not self.attends:
            return None, None
        if (frames, device) not in self.masks:
            s, slow = self.shape, self.shape.stride
            full = attention_mask(frames, s.chunk, s.left, s.heads)
            half = attention_mask(frames // slow, s.chunk // slow, s.left // slow, s.heads)
            self.masks[frames, device] = full.to(device), half.to(device)
        return self.masks[frames, device]

    def _step_masks(self, real: list[Tensor], x: Tensor) -> tuple[tuple[Mask, Mask], list[Tensor]]:
        """Of a chunk, for outer and inner blocks; and which rows of memory are real after it."""
        if not self.attends:
            return (None, None), []
        s, slow = self.shape, self.shape.stride
        # The state begins as zeros, so unread memory is told from silence by a row of ones.
        seen = torch.cat([*real, torch.ones_like(x[:, : s.chunk, :1])], 1)
        unread = (1 - seen.transpose(1, 2))[:, None] * NEVER
        half = step_bias(s.chunk // slow, s.left // slow, s.heads)
        masks = step_bias(s.chunk, s.left, s.heads) + unread, half + unread[..., ::slow]
        return masks, [seen[:, -s.left :]]

    def forward(self, x: Tensor) -> Tensor:
        """Whole recordings [B, T, 80]; T a multiple of the chunk."""
        x = ((x - self.mean) / self.std).transpose(1, 2)
        x = F.relu(self.front1(F.pad(x, (1, 0))))
        x = self.norm_front(F.relu(self.front2(F.pad(x, (1, 0)))).transpose(1, 2))
        masks = self._masks(x.shape[1], x.device)
        return self._through(x, [None] * len(self.blocks()), masks)[0]

    def _through(
        self, x: Tensor, kept: list[Kept], masks: tuple[Mask, Mask]
    ) -> tuple[Tensor, list[Pair]]:
        """Go through all blocks after what each kept; and what each is to keep."""
        full, half = masks
        following: list[Pair] = []
        x, pair = self.first(x, kept[0], full)
        following.append(pair)
        y = self.down(x.unflatten(1, (-1, self.shape.stride)).flatten(2))
        for block, before in zip(self.inner, kept[1:-1], strict=True):
            y, pair = block(y, before, half)
            following.append(pair)
        x = x + self.up(y).unflatten(2, (self.shape.stride, -1)).flatten(1, 2)
        x, pair = self.last(x, kept[-1], full)
        return self.norm_out(x), [*following, pair]

    def blocks(self) -> list[Block]:
        """All blocks in the order of the state."""
        return [self.first, *self.inner, self.last]

    def memory_sizes(self) -> list[Size]:
        """Rows and columns of the parts of the first state: far pasts, and which rows are real."""
        return [*(b.sizes[0] for b in self.blocks()), *[(self.shape.left, 1)] * self.attends]

    def context_sizes(self) -> list[Size]:
        """Rows and columns of the parts of the second state: the convolutions' last inputs."""
        front = [(1, FEATURE_BINS), (1, self.shape.width)]
        return [*front, *(b.sizes[1] for b in self.blocks())]

    def start(self, batch: int = 1) -> State:
        """Zeros, as the sherpa-onnx `lstm` convention begins: [1, N, A] and [1, N, C]."""
        memory, context = (
            sum(rows * columns for rows, columns in sizes)
            for sizes in (self.memory_sizes(), self.context_sizes())
        )
        return torch.zeros(1, batch, memory), torch.zeros(1, batch, context)

    @staticmethod
    def _split(state: Tensor, sizes: list[Size]) -> list[Tensor]:
        parts = state[0].split([r * c for r, c in sizes], 1)
        return [part.unflatten(1, size) for part, size in zip(parts, sizes, strict=True)]

    @staticmethod
    def _join(parts: list[Tensor]) -> Tensor:
        return torch.cat([part.flatten(1) for part in parts], 1)[None]

    def _step_front(self, x: Tensor, context: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        x = (x - self.mean) / self.std
        y = F.relu(self.front1(torch.cat([context[0], x], 1).transpose(1, 2)))
        y1 = torch.cat([context[1].transpose(1, 2), y], 2)
        z = self.norm_front(F.relu(self.front2(y1)).transpose(1, 2))
        return z, [x[:, -1:], y[:, :, -1:].transpose(1, 2)]

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """One chunk of features [N, 4 chunk, 80]."""
        count = len(self.blocks())
        memory = self._split(state[0], self.memory_sizes())
        context = self._split(state[1], self.context_sizes())
        kept: list[Kept] = list(zip(memory[:count], context[2:], strict=True))
        masks, real = self._step_masks(memory[count:], x)
        z, front = self._step_front(x, context[:2])
        z, pairs = self._through(z, kept, masks)
        far, near = zip(*pairs, strict=True)
        return z, (self._join([*far, *real]), self._join([*front, *near]))


class Transducer(nn.Module):
    """Encoder, stateless predictor, additive joiner; heads for CTC and frames."""

    def __init__(self, shape: Shape, mean: Tensor | None = None, std: Tensor | None = None) -> None:
        super().__init__()
        self.shape = shape
        mean = torch.zeros(FEATURE_BINS) if mean is None else mean
        self.encoder = Encoder(shape, mean, torch.ones(FEATURE_BINS) if std is None else std)
        self.project = nn.Linear(shape.width, shape.joiner)
        self.embedding = nn.Embedding(shape.tokens, shape.joiner)
        self.predict = nn.Linear(shape.joiner, shape.joiner)
        self.output = nn.Linear(shape.joiner, shape.tokens)
        self.ctc = nn.Linear(shape.width, shape.tokens)
        self.frame = nn.Linear(shape.width, shape.tokens)
        nn.init.normal_(self.embedding.weight, std=1 / math.sqrt(shape.joiner))
        self.earlier: nn.Embedding | None = None
        if shape.context > 1:
            self.earlier = nn.Embedding(shape.tokens, shape.joiner)
            nn.init.normal_(self.earlier.weight, std=1 / math.sqrt(shape.joiner))

    def predictor(self, token: Tensor, before: Tensor | None = None) -> Tensor:
        """Last tokens [...], with two of context those before as well, to rows [..., J]."""
        row = self.embedding(token)
        if self.earlier is not None and before is not None:
            row = row + self.earlier(before.clamp(min=0)) * (before > NOTHING)[..., None]
        return self.predict(F.relu(row))  # type: ignore[no-any-return]

    def joiner(self, encoded: Tensor, predicted: Tensor) -> Tensor:
        """Projected rows [..., J] each to logits [..., V]."""
        return self.output(torch.tanh(encoded + predicted))  # type: ignore[no-any-return]

    def window_logits(self, projected: Tensor, first: Tensor, target: Tensor, width: int) -> Tensor:
        """Joiner logits [B, T, S, V] of projected frames [B, T, J] on the windows from `first`."""
        token = F.pad(target, (1, width))
        rows = self.predictor(token, F.pad(token, (1, -1), value=NOTHING))
        u = first[:, :, None] + torch.arange(width, device=first.device)
        chosen = rows.gather(1, u.flatten(1)[..., None].expand(-1, -1, rows.shape[2]))
        return self.joiner(projected[:, :, None], chosen.unflatten(1, u.shape[1:]))


def feature_frames(shape: Shape) -> int:
    """Feature frames of 10 ms in one chunk."""
    return shape.chunk * SUBSAMPLING
