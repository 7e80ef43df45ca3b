"""The network as it is trained against the network as it streams."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from models.blocks import Shape
from models.network import Transducer, feature_frames

SMALL = Shape(width=16, middle=24, inner=2, heads=4, kernel=5, joiner=12, chunk=4, left=8)
FRAMES = feature_frames(SMALL)
SHAPES = {
    "conformer": SMALL,
    "convolution": replace(SMALL, kind="convolution"),
    "lstm": replace(SMALL, kind="lstm"),
    "at 40 ms": replace(SMALL, stride=1),
    "at 160 ms": replace(SMALL, stride=4),
    "lstm at 160 ms": replace(SMALL, kind="lstm", stride=4),
    "convolution at 40 ms": replace(SMALL, kind="convolution", stride=1),
}
CHECKPOINT = Path(__file__).parents[2] / "models" / "checkpoints" / "en.pt"
every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())


def network(seed: int, shape: Shape = SMALL) -> Transducer:
    torch.manual_seed(seed)
    return Transducer(shape, torch.randn(80), torch.rand(80) + 0.5).eval()


@pytest.mark.parametrize("chunks", [1, 2, 3, 9])
@pytest.mark.parametrize("seed", range(2))
@every_shape
@torch.no_grad()
def test_a_whole_recording_and_its_chunks_are_encoded_alike(
    shape: Shape, seed: int, chunks: int
) -> None:
    encoder = network(seed, shape).encoder
    x = torch.randn(2, chunks * FRAMES, 80) * 3
    state, parts = encoder.start(2), []
    for part in x.split(FRAMES, 1):
        encoded, state = encoder.step(part, state)
        parts.append(encoded)
    streamed = torch.cat(parts, 1)
    assert streamed.shape == (2, chunks * SMALL.chunk, SMALL.width)
    assert (encoder(x) - streamed).abs().max() <= 1e-4


@every_shape
@torch.no_grad()
def test_streams_of_a_batch_do_not_hear_each_other(shape: Shape) -> None:
    encoder = network(5, shape).encoder
    x = torch.randn(2, 3 * FRAMES, 80)
    alone = torch.cat([encoder(x[:1]), encoder(x[1:])])
    torch.testing.assert_close(encoder(x), alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("heard", [1, 2, 5])
@every_shape
@torch.no_grad()
def test_what_comes_later_never_changes_what_was_encoded(shape: Shape, heard: int) -> None:
    encoder = network(6, shape).encoder
    x = torch.randn(1, 6 * FRAMES, 80)
    other = x.clone()
    other[:, heard * FRAMES :] = 50.0
    before, after = (encoder(y).split(heard * SMALL.chunk, 1)[0] for y in (x, other))
    torch.testing.assert_close(before, after, atol=1e-5, rtol=0)


@torch.no_grad()
def test_what_is_further_back_than_the_memory_of_all_blocks_is_forgotten() -> None:
    encoder = network(7).encoder
    # Each block remembers `left` in attention, up to a chunk more, and the convolution's kernel.
    blocks = SMALL.inner * 2 + 2  # inner frames are twice as long
    memory = -(-blocks * (SMALL.left + SMALL.kernel - 1) // SMALL.chunk) + 1
    x = torch.randn(1, (memory + 3) * FRAMES, 80)
    other = x.clone()
    other[:, :FRAMES] += 5.0
    last = (encoder(y)[:, -SMALL.chunk :] for y in (x, other))
    torch.testing.assert_close(*last, atol=1e-5, rtol=0)


@every_shape
def test_the_state_starts_as_zeros_of_the_sizes_it_keeps(shape: Shape) -> None:
    encoder = network(8, shape).encoder
    start = encoder.start(3)
    assert not any(part.any() for part in start)
    with torch.no_grad():
        _, after = encoder.step(torch.randn(3, FRAMES, 80), start)
    assert [part.shape for part in after] == [part.shape for part in start]
    assert [part.shape[:2] for part in start] == [(1, 3)] * 2


@pytest.mark.parametrize("context", [1, 2])
def test_window_logits_are_those_of_the_joiner_after_each_count_of_tokens(context: int) -> None:
    net = network(9, replace(SMALL, context=context))
    encoded, target = torch.randn(1, 4, SMALL.width), torch.tensor([[5, 7, 9]])
    first = torch.tensor([[0, 0, 1, 2]])
    logits = net.window_logits(net.project(encoded), first, target, 2)
    history = [-1, 0, 5, 7, 9]
    for t in range(4):
        for k in range(2):
            at = int(first[0, t]) + k
            before, token = torch.tensor(history[at : at + 2])
            wanted = net.joiner(net.project(encoded[0, t]), net.predictor(token, before))
            torch.testing.assert_close(logits[0, t, k], wanted)


@torch.no_grad()
def test_the_token_before_the_last_counts_only_with_two_of_context_and_if_there_is_one() -> None:
    token, other = torch.tensor([3, 3, 3]), torch.tensor([-1, 4, 5])
    one, two = (network(10, replace(SMALL, context=size)) for size in (1, 2))
    assert torch.equal(one.predictor(token, other), one.predictor(token))
    rows = two.predictor(token, other)
    torch.testing.assert_close(rows[0], two.predictor(token)[0])
    assert not torch.allclose(rows[1], rows[2])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"kind": "transformer"}, "kind 'transformer' is not one of conformer, convolution, lstm"),
        ({"context": 3}, "context is 3"),
        ({"stride": 3}, "chunk 4 and left 8 must be multiples of stride 3"),
    ],
)
def test_a_shape_that_is_none_is_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        replace(SMALL, **change)


def test_the_weights_that_ship_still_fit() -> None:
    kept = torch.load(CHECKPOINT, weights_only=True)
    shipped = Transducer(Shape(**kept["recipe"]["network"]))
    assert list(shipped.state_dict()) == list(kept["average"])
    shipped.load_state_dict(kept["average"])
