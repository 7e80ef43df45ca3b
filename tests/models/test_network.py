"""The network as it is trained against the network as it streams."""

import pytest
import torch

from models.network import Shape, Transducer, feature_frames

SMALL = Shape(width=16, middle=24, inner=2, heads=4, kernel=5, joiner=12, chunk=4, left=8)
FRAMES = feature_frames(SMALL)


def network(seed: int, shape: Shape = SMALL) -> Transducer:
    torch.manual_seed(seed)
    return Transducer(shape, torch.randn(80), torch.rand(80) + 0.5).eval()


@pytest.mark.parametrize("chunks", [1, 2, 3, 9])
@pytest.mark.parametrize("seed", range(4))
@torch.no_grad()
def test_a_whole_recording_and_its_chunks_are_encoded_alike(seed: int, chunks: int) -> None:
    encoder = network(seed).encoder
    x = torch.randn(2, chunks * FRAMES, 80) * 3
    state, parts = encoder.start(2), []
    for part in x.split(FRAMES, 1):
        encoded, state = encoder.step(part, state)
        parts.append(encoded)
    streamed = torch.cat(parts, 1)
    assert streamed.shape == (2, chunks * SMALL.chunk, SMALL.width)
    assert (encoder(x) - streamed).abs().max() <= 1e-4


@torch.no_grad()
def test_streams_of_a_batch_do_not_hear_each_other() -> None:
    encoder = network(5).encoder
    x = torch.randn(2, 3 * FRAMES, 80)
    alone = torch.cat([encoder(x[:1]), encoder(x[1:])])
    torch.testing.assert_close(encoder(x), alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("heard", [1, 2, 5])
@torch.no_grad()
def test_what_comes_later_never_changes_what_was_encoded(heard: int) -> None:
    encoder = network(6).encoder
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


def test_the_state_starts_as_zeros_of_the_sizes_it_keeps() -> None:
    encoder = network(8).encoder
    start = encoder.start(3)
    assert not any(part.any() for part in start)
    with torch.no_grad():
        _, after = encoder.step(torch.randn(3, FRAMES, 80), start)
    assert [part.shape for part in after] == [part.shape for part in start]
    assert [part.shape[:2] for part in start] == [(1, 3)] * 2


def test_window_logits_are_those_of_the_joiner_after_each_count_of_tokens() -> None:
    net = network(9)
    encoded, target = torch.randn(1, 4, SMALL.width), torch.tensor([[5, 7, 9]])
    first = torch.tensor([[0, 0, 1, 2]])
    logits = net.window_logits(encoded, first, target, 2)
    history = [0, 5, 7, 9]
    for t in range(4):
        for k in range(2):
            token = torch.tensor(history[int(first[0, t]) + k])
            wanted = net.joiner(net.project(encoded[0, t]), net.predictor(token))
            torch.testing.assert_close(logits[0, t, k], wanted)
