"""The streaming phone transducer: conformer-like encoder with a slow middle, predictor, joiner.

                80 mel bins, 10 ms
    front       two strided convolutions                    → 40 ms, `width`
    outer       block                                         40 ms
    down        two frames as one                           → 80 ms, `middle`
    inner       blocks                                        80 ms
    up          back, added to what went down               → 40 ms
    outer       block                                         40 ms

Every block: attention (own chunk and `left` before it), causal depthwise convolution, feed-forward.
`forward` takes whole recordings; `step` one chunk and a state, as exported; both agree
(tests/models/test_network.py).
"""

import math
from dataclasses import dataclass

import torch
from earshot.units import FEATURE_BINS, SUBSAMPLING
from torch import Tensor, nn
from torch.nn import functional as F

State = tuple[Tensor, Tensor]
PAIR = 2  # 40 ms frames in one 80 ms frame
NEVER = -1e4  # a masked attention score; finite, so that int8 and fp16 stay sane


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network; times in encoder frames of 40 ms."""

    width: int = 144
    middle: int = 192
    inner: int = 6
    heads: int = 4
    kernel: int = 9
    joiner: int = 192
    chunk: int = 8
    left: int = 64
    tokens: int = 79
    dropout: float = 0.1


def slopes(heads: int) -> Tensor:
    """How fast each head forgets with distance [H] (ALiBi, Press et al., 2022), the first not."""
    return torch.tensor([0.0, *(2.0 ** -(5 - 2 * h) for h in range(heads - 1))])


def _bias(query: Tensor, key: Tensor, heads: int) -> Tensor:
    """Attention bias [H, Q, K] by distance between positions."""
    return -slopes(heads)[:, None, None] * (query[:, None] - key[None]).abs()


def attention_mask(frames: int, chunk: int, left: int, heads: int) -> Tensor:
    """[H, T, T]: own chunk and `left` frames before that chunk."""
    at = torch.arange(frames)
    start = at // chunk * chunk
    seen = (at[None] < start[:, None] + chunk) & (at[None] >= start[:, None] - left)
    return _bias(at, at, heads).masked_fill(~seen, NEVER)


class Block(nn.Module):
    """Attention, causal depthwise convolution, feed-forward; pre-norm residuals."""

    def __init__(self, width: int, chunk: int, left: int, shape: Shape) -> None:
        super().__init__()
        self.width, self.chunk, self.left = width, chunk, left
        self.heads, self.kernel = shape.heads, shape.kernel
        self.norm_attention, self.qkv = nn.LayerNorm(width), nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm_convolution, self.gate = nn.LayerNorm(width), nn.Linear(width, 2 * width)
        self.depthwise = nn.Conv1d(width, width, shape.kernel, groups=width)
        self.norm_depthwise, self.point = nn.LayerNorm(width), nn.Linear(width, width)
        self.norm_forward, self.wide = nn.LayerNorm(width), nn.Linear(width, 4 * width)
        self.narrow, self.drop = nn.Linear(4 * width, width), nn.Dropout(shape.dropout)

    def _heads(self, x: Tensor) -> Tensor:
        parts: Tensor = x.unflatten(-1, (self.heads, -1))
        return parts.transpose(1, 2)

    def _attend(self, x: Tensor, query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        query, key, value = (self._heads(part) for part in (query, key, value))
        y = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        added: Tensor = self.drop(self.out(y.transpose(1, 2).flatten(2)))
        return x + added

    def _after_attention(self, x: Tensor, before: Tensor | None) -> tuple[Tensor, Tensor]:
        y = F.glu(self.gate(self.norm_convolution(x)), -1)
        y = F.pad(y, (0, 0, self.kernel - 1, 0)) if before is None else torch.cat([before, y], 1)
        kept = y[:, -(self.kernel - 1) :]
        y = self.depthwise(y.transpose(1, 2)).transpose(1, 2)
        x = x + self.drop(self.point(F.silu(self.norm_depthwise(y))))
        return x + self.drop(self.narrow(F.silu(self.wide(self.norm_forward(x))))), kept

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Whole recordings [B, T, D]."""
        query, key, value = self.qkv(self.norm_attention(x)).chunk(3, -1)
        return self._after_attention(self._attend(x, query, key, value, mask), None)[0]

    def step(
        self, x: Tensor, past: Tensor, before: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One chunk [N, chunk, D]; past keys, values [N, left, 2 D]; before [N, kernel - 1, D]."""
        query, *fresh = self.qkv(self.norm_attention(x)).split([self.width, 2 * self.width], -1)
        memory = torch.cat([past, *fresh], 1)
        key, value = memory.chunk(2, -1)
        x, before = self._after_attention(self._attend(x, query, key, value, mask), before)
        return x, memory[:, -self.left :], before

    def step_bias(self) -> Tensor:
        """Attention bias [H, chunk, left + chunk] of a chunk against its past and itself."""
        at = torch.arange(-self.left, self.chunk)
        return _bias(at[self.left :], at, self.heads)


class Encoder(nn.Module):
    """Features [B, T, 80] to encoded [B, T / 4, width]."""

    mean: Tensor
    std: Tensor

    def __init__(self, shape: Shape, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        wide, mid = shape.width, shape.middle
        # One frame of look-ahead each: the last output of a chunk sees its last feature frame.
        self.front1 = nn.Conv1d(FEATURE_BINS, wide, 3, stride=2)
        self.front2 = nn.Conv1d(wide, wide, 3, stride=2)
        self.norm_front, self.norm_out = nn.LayerNorm(wide), nn.LayerNorm(wide)
        self.first, self.last = (Block(wide, shape.chunk, shape.left, shape) for _ in range(2))
        half = (shape.chunk // PAIR, shape.left // PAIR)
        self.inner = nn.ModuleList(Block(mid, *half, shape) for _ in range(shape.inner))
        self.down, self.up = nn.Linear(PAIR * wide, mid), nn.Linear(mid, PAIR * wide)
        self.masks: dict[int, tuple[Tensor, Tensor]] = {}

    def _masks(self, frames: int) -> tuple[Tensor, Tensor]:
        if frames not in self.masks:
            s = self.shape
            self.masks[frames] = (
                attention_mask(frames, s.chunk, s.left, s.heads),
                attention_mask(frames // PAIR, s.chunk // PAIR, s.left // PAIR, s.heads),
            )
        return self.masks[frames]

    def forward(self, x: Tensor) -> Tensor:
        """Whole recordings [B, T, 80]; T a multiple of the chunk."""
        x = ((x - self.mean) / self.std).transpose(1, 2)
        x = F.relu(self.front1(F.pad(x, (1, 0))))
        x = self.norm_front(F.relu(self.front2(F.pad(x, (1, 0)))).transpose(1, 2))
        full, half = self._masks(x.shape[1])
        x = self.first(x, full)
        y = self.down(x.unflatten(1, (-1, PAIR)).flatten(2))
        for block in self.inner:
            y = block(y, half)
        x = x + self.up(y).unflatten(2, (PAIR, -1)).flatten(1, 2)
        return self.norm_out(self.last(x, full))  # type: ignore[no-any-return]

    def blocks(self) -> list[Block]:
        """All blocks in the order of the state."""
        return [self.first, *self.inner, self.last]

    def memory_sizes(self) -> list[tuple[int, int]]:
        """Rows and columns of the parts of the first state: keys and values, which are real."""
        return [*((b.left, 2 * b.width) for b in self.blocks()), (self.shape.left, 1)]

    def context_sizes(self) -> list[tuple[int, int]]:
        """Rows and columns of the parts of the second state: the convolutions' last inputs."""
        front = [(1, FEATURE_BINS), (1, self.shape.width)]
        return [*front, *((b.kernel - 1, b.width) for b in self.blocks())]

    def start(self, batch: int = 1) -> State:
        """Zeros, as the sherpa-onnx `lstm` convention begins: [1, N, A] and [1, N, C]."""
        memory, context = (
            sum(rows * columns for rows, columns in sizes)
            for sizes in (self.memory_sizes(), self.context_sizes())
        )
        return torch.zeros(1, batch, memory), torch.zeros(1, batch, context)

    @staticmethod
    def _split(state: Tensor, sizes: list[tuple[int, int]]) -> list[Tensor]:
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
        *memory, real = self._split(state[0], self.memory_sizes())
        context = self._split(state[1], self.context_sizes())
        # The state begins as zeros, so unread memory is told from silence by a row of ones.
        seen = torch.cat([real, torch.ones_like(x[:, : self.shape.chunk, :1])], 1)
        full = self.first.step_bias() + (1 - seen.transpose(1, 2))[:, None] * NEVER
        inner = self.blocks()[1:-1]
        half = inner[0].step_bias() + (1 - seen[:, ::PAIR].transpose(1, 2))[:, None] * NEVER
        z, kept = self._step_front(x, context)
        z, memory[0], tail = self.first.step(z, memory[0], context[2], full)
        kept.append(tail)
        m = self.down(z.unflatten(1, (-1, PAIR)).flatten(2))
        for i, block in enumerate(inner, 1):
            m, memory[i], tail = block.step(m, memory[i], context[2 + i], half)
            kept.append(tail)
        z = z + self.up(m).unflatten(2, (PAIR, -1)).flatten(1, 2)
        z, memory[-1], tail = self.last.step(z, memory[-1], context[-1], full)
        state = (self._join([*memory, seen[:, -self.shape.left :]]), self._join([*kept, tail]))
        return self.norm_out(z), state


class Transducer(nn.Module):
    """Encoder, predictor with one token of context, additive joiner; heads for CTC and frames."""

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

    def predictor(self, token: Tensor) -> Tensor:
        """Last tokens [...] to predictor rows [..., J]."""
        return self.predict(F.relu(self.embedding(token)))  # type: ignore[no-any-return]

    def joiner(self, encoded: Tensor, predicted: Tensor) -> Tensor:
        """Projected rows [..., J] each to logits [..., V]."""
        return self.output(torch.tanh(encoded + predicted))  # type: ignore[no-any-return]

    def window_logits(self, encoded: Tensor, first: Tensor, target: Tensor, width: int) -> Tensor:
        """Joiner logits [B, T, S, V] on the windows that begin at `first` [B, T]."""
        rows = self.predictor(F.pad(target, (1, width)))
        u = first[:, :, None] + torch.arange(width)
        chosen = rows.gather(1, u.flatten(1)[..., None].expand(-1, -1, rows.shape[2]))
        return self.joiner(self.project(encoded)[:, :, None], chosen.unflatten(1, u.shape[1:]))


def feature_frames(shape: Shape) -> int:
    """Feature frames of 10 ms in one chunk."""
    return shape.chunk * SUBSAMPLING
