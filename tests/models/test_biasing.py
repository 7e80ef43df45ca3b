"""How attention moves over names, and what it changes: by brute force, and chunk by chunk."""

from dataclasses import replace
from itertools import product

import pytest
import torch

from models.biasing import Biasing, count, rows_of
from models.phones import SIZE
from tests.models.adapters import SIZES, adapter, in_chunks, lively


def test_nothing_changes_before_training_and_what_is_no_name_does_not_count() -> None:
    frames, token = torch.randn(8, 12), torch.tensor([[5, 6, 45, 0], [7, 50, 0, 0]])
    fresh = Biasing(SIZES).eval()
    biased, share = fresh.attention(frames, token, fresh.names(token))
    assert torch.equal(biased, frames)
    torch.testing.assert_close(share.sum(-1), torch.ones(8))
    assert share[:, :-1][:, (token == 0).flatten()].max() == 0
    trained = adapter()
    alone, beside = token[:1], torch.cat([token[:1], torch.zeros(3, 4, dtype=torch.int64)])
    one, _ = trained.attention(frames, alone, trained.names(alone))
    other, _ = trained.attention(frames, beside, trained.names(beside))
    torch.testing.assert_close(one, other)
    assert not torch.allclose(one, frames)
    none, share = trained.attention(frames, beside[1:], trained.names(beside[1:]))
    torch.testing.assert_close(none, frames)
    torch.testing.assert_close(share[:, -1], torch.ones(8))


@torch.no_grad()
def test_attention_is_what_all_its_ways_through_a_chunk_sum_up_to() -> None:
    """Every row or none in every frame, each way with its weight, against both recursions."""
    attention = lively(replace(SIZES, heads=1)).attention
    token, frames = torch.tensor([[5, 6, 45], [7, 50, 0]]), torch.randn(4, 12)
    rows, none, begins = attention.tokens_fit(frames, count(token))
    rows = rows_of(rows, token)
    move, skip, leave = map(float, attention.ways.exp())
    places = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), None]

    def step(one: tuple[int, int] | None, other: tuple[int, int] | None, t: int) -> float:
        entered, ways = float(begins[0, t]), (1.0, move, skip)
        if other is None:
            return 1.0 if one is None else leave * (one in {(0, 2), (1, 1)})
        if one is None:
            return entered * (move, skip, 0.0)[other[1]]
        far = other[1] - one[1]
        return ways[far] if one[0] == other[0] and 0 <= far < len(ways) else 0.0

    total, weight = 0.0, {(t, place): 0.0 for t in range(4) for place in places}
    for way in product(places, repeat=4):
        of_way = 1.0
        for t, (one, other) in enumerate(zip([None, *way], way, strict=False)):
            heard = none[0, t] if other is None else rows[0, t, other[0], other[1]]
            of_way *= step(one, other, t) * float(heard)
        total += of_way
        for t, place in enumerate(way):
            weight[t, place] += of_way
    found = attention.spread(frames, token)
    for (t, place), expected in weight.items():
        got = found.none[0, t] if place is None else found.rows[0, t, place[0], place[1]]
        assert float(got) == pytest.approx(expected / total, abs=1e-5)


@torch.no_grad()
def test_chunk_by_chunk_is_as_all_at_once_where_all_names_are_looked_at() -> None:
    network, token, frames = lively(), torch.randint(1, SIZE, (9, 5)), torch.randn(16, 12)
    token[4:, 3:] = 0
    whole, share = network.attention(frames, token, network.names(token))
    (biased, shares), _ = in_chunks(network, token, frames, 9)
    torch.testing.assert_close(biased, whole)
    of_names = share[:, :-1].unflatten(-1, (9, 5)).sum(-1)
    torch.testing.assert_close(shares, torch.cat([of_names, share[:, -1:]], -1))


@torch.no_grad()
def test_few_of_many_names_are_looked_at_and_which_may_change() -> None:
    network, token, frames = lively(), torch.randint(1, SIZE, (60, 5)), torch.randn(16, 12)
    (biased, shares), looked = in_chunks(network, token, frames, 6)
    torch.testing.assert_close(shares.sum(-1), torch.ones(16))
    assert all(len(set(some.tolist())) == 6 for some in looked)
    assert len({int(name) for some in looked for name in some}) > 6
    assert not torch.allclose(biased, frames)
