"""The blocks of the encoder, by kind, and what each keeps of the past from one chunk to the next.

    conformer     attention (own chunk and `left` before it), near convolution, feed-forward
    convolution   the same, but a far convolution over `left` frames hears what attention would
    lstm          a layer of LSTM, which remembers by itself
    mixed         inner blocks of LSTM; the two outer ones are conformers, which see the whole chunk

All are causal but for the attention inside a chunk, and every part is added to what it heard
(pre-norm residuals). A block goes over a chunk with the two tensors that it kept of those before,
and over whole recordings with nothing kept: one way of computing for both.
"""

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NEVER = -1e4  # a masked attention score; finite, so that int8 and fp16 stay sane
Size = tuple[int, int]  # rows and columns
Pair = tuple[Tensor, Tensor]  # what a block keeps, [N, rows, columns] each
Kept = Pair | None  # None before a whole recording
Mask = Tensor | None  # [H, Q, K] or [N, H, Q, K], added to the scores; None where nobody attends


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network; times in encoder frames of 40 ms. Raises ValueError for none."""

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
    kind: str = "conformer"
    stride: int = 2
    """frames in one frame of the inner blocks"""
    context: int = 1
    """tokens that the predictor sees"""

    def __post_init__(self) -> None:
        slow = f"chunk {self.chunk} and left {self.left} must be multiples of stride {self.stride}"
        for wrong, message in (
            (self.kind not in KINDS, f"kind {self.kind!r} is not one of {', '.join(KINDS)}"),
            (self.context not in {1, 2}, f"context is {self.context}, but must be 1 or 2"),
            (self.chunk % self.stride or self.left % self.stride, slow),
        ):
            if wrong:
                raise ValueError(message)


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


def step_bias(chunk: int, left: int, heads: int) -> Tensor:
    """Attention bias [H, chunk, left + chunk] of a chunk against its past and itself."""
    at = torch.arange(-left, chunk)
    return _bias(at[left:], at, heads)


def convolved(depthwise: nn.Conv1d, x: Tensor, before: Tensor | None) -> Pair:
    """Convolve [N, T, D] causally after its last kernel - 1 inputs, or zeros; and those to keep."""
    size = depthwise.kernel_size[0] - 1
    x = F.pad(x, (0, 0, size, 0)) if before is None else torch.cat([before, x], 1)
    return depthwise(x.transpose(1, 2)).transpose(1, 2), x[:, -size:]


class Block(nn.Module):
    """One block, and the sizes of the two tensors it keeps."""

    sizes: tuple[Size, Size]

    @abstractmethod
    def forward(self, x: Tensor, kept: Kept, mask: Mask) -> tuple[Tensor, Pair]:
        """Frames [N, T, D] after what was kept: frames, and what is to be kept."""


class _Mixing(Block):
    """Something that listens far back, causal depthwise convolution, feed-forward."""

    def __init__(self, width: int, left: int, shape: Shape) -> None:
        super().__init__()
        self.width, self.left, self.heads = width, left, shape.heads
        memory = self.listening()  # first, since a saved optimiser knows weights by their order
        self.norm_convolution, self.gate = nn.LayerNorm(width), nn.Linear(width, 2 * width)
        self.depthwise = nn.Conv1d(width, width, shape.kernel, groups=width)
        self.norm_depthwise, self.point = nn.LayerNorm(width), nn.Linear(width, width)
        self.norm_forward, self.wide = nn.LayerNorm(width), nn.Linear(width, 4 * width)
        self.narrow, self.drop = nn.Linear(4 * width, width), nn.Dropout(shape.dropout)
        self.sizes = (memory, (shape.kernel - 1, width))

    @abstractmethod
    def listening(self) -> Size:
        """Make the layers that listen; the size of what they keep."""

    @abstractmethod
    def listen(self, x: Tensor, past: Tensor | None, mask: Mask) -> Pair:
        """What is heard far back [N, T, D], and what is to be kept for it."""

    def forward(self, x: Tensor, kept: Kept, mask: Mask) -> tuple[Tensor, Pair]:
        """Frames [N, T, D] after what was kept: frames, and what is to be kept."""
        past, before = kept or (None, None)
        far, past = self.listen(x, past, mask)
        x = x + self.drop(far)
        y = F.glu(self.gate(self.norm_convolution(x)), -1)
        y, before = convolved(self.depthwise, y, before)
        x = x + self.drop(self.point(F.silu(self.norm_depthwise(y))))
        x = x + self.drop(self.narrow(F.silu(self.wide(self.norm_forward(x)))))
        return x, (past, before)


class Conformer(_Mixing):
    """Listens by attention; keeps keys and values."""

    def listening(self) -> Size:
        """Norm, queries with keys and values, and what comes out."""
        width = self.width
        self.norm_attention, self.qkv = nn.LayerNorm(width), nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        return self.left, 2 * width

    def _heads(self, x: Tensor) -> Tensor:
        parts: Tensor = x.unflatten(-1, (self.heads, -1))
        return parts.transpose(1, 2)

    def listen(self, x: Tensor, past: Tensor | None, mask: Mask) -> Pair:
        """Attend to what the mask [H, T, left + T] lets through."""
        query, memory = self.qkv(self.norm_attention(x)).split([self.width, 2 * self.width], -1)
        if past is not None:
            memory = torch.cat([past, memory], 1)
        query, key, value = (self._heads(part) for part in (query, *memory.chunk(2, -1)))
        y = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.out(y.transpose(1, 2).flatten(2)), memory[:, -self.left :]


class Convolution(_Mixing):
    """Listens by a depthwise convolution as long as attention's past; keeps its last inputs."""

    def listening(self) -> Size:
        """Norm, far convolution, and what comes out."""
        width = self.width
        self.norm_far, self.out = nn.LayerNorm(width), nn.Linear(width, width)
        self.far = nn.Conv1d(width, width, self.left + 1, groups=width)
        return self.left, width

    def listen(self, x: Tensor, past: Tensor | None, mask: Mask) -> Pair:
        """Convolve."""
        del mask
        y, kept = convolved(self.far, self.norm_far(x), past)
        return self.out(F.silu(y)), kept


class Lstm(Block):
    """A layer of LSTM; keeps its output and its cell."""

    def __init__(self, width: int, left: int, shape: Shape) -> None:
        super().__init__()
        del left
        self.norm, self.drop = nn.LayerNorm(width), nn.Dropout(shape.dropout)
        self.lstm = nn.LSTM(width, width, batch_first=True)
        self.sizes = ((1, width), (1, width))

    def forward(self, x: Tensor, kept: Kept, mask: Mask) -> tuple[Tensor, Pair]:
        """Frames [N, T, D] after what was kept: frames, and what is to be kept."""
        del mask
        start = kept and tuple(part.transpose(0, 1).contiguous() for part in kept)
        y, (output, cell) = self.lstm(self.norm(x), start)
        return x + self.drop(y), (output.transpose(0, 1), cell.transpose(0, 1))


Kind = type[Conformer | Convolution | Lstm]
# Of the outer and of the inner blocks.
KINDS: dict[str, tuple[Kind, Kind]] = {
    "conformer": (Conformer, Conformer),
    "convolution": (Convolution, Convolution),
    "lstm": (Lstm, Lstm),
    "mixed": (Conformer, Lstm),
}
