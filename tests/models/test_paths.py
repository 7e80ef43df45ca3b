"""Best paths against all paths of small cases."""

import itertools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from models.paths import LEAST, Phones, choose, graph, interpolated, place
from models.phones import PHONES, SIZE, tokens

Scores = npt.NDArray[np.float32]


def text_of(dice: np.random.Generator) -> list[list[Phones]]:
    """One to three words, each said in one or two ways."""
    return [
        [
            tuple(str(dice.choice(PHONES[:4])) for _ in range(dice.integers(1, 3)))
            for _ in range(dice.integers(1, 3))
        ]
        for _ in range(dice.integers(1, 4))
    ]


def likelihood(logp: Scores, said: list[int], at: tuple[int, ...]) -> float:
    """Of tokens that come at these frames, each after the one before it."""
    total, known = 0.0, [0]
    for t in range(len(logp)):
        spoken = said[len(known) - 1] if t in at else 0
        total += float(logp[t, known[-1], spoken])
        known += [spoken] * (t in at)
    return total


@pytest.mark.parametrize("seed", range(40))
def test_the_chosen_path_is_the_best_of_all(seed: int) -> None:
    dice = np.random.default_rng(seed)
    text, frames = text_of(dice), int(dice.integers(3, 7))
    logp = dice.normal(-2, 1, (frames, SIZE, SIZE)).astype(np.float32)
    every = [
        (likelihood(logp, said, at), said, at)
        for ways in itertools.product(*text)
        for said in [[token for phones in ways for token in tokens(list(phones))]]
        for at in itertools.combinations(range(frames), len(said))
    ]
    ways = graph(text)
    found = choose(logp, ways.token, ways)
    if not every:
        assert found is None
        return
    assert found
    best, said, at = max(every)
    assert found.logp == pytest.approx(best, abs=1e-4)
    assert found.token.tolist() == said
    assert tuple(found.frame.tolist()) == at
    assert set(found.word.tolist()) == set(range(len(text)))


def test_where_the_network_gave_no_numbers_there_is_no_path() -> None:
    ways = graph([[("T",)]])
    assert choose(np.full((4, SIZE, SIZE), np.nan, np.float32), ways.token, ways) is None


def spreads(chain: list[tuple[int, int]], frames: int, least: int) -> Iterator[list[int]]:
    """Every way to fill frames with the places (token, number) of a chain, silences or not."""
    if not chain:
        yield from [[]] * (frames == 0)
        return
    (token, number), *rest = chain
    if not token:
        yield from spreads(rest, frames, least)
    for count in range(least, frames + 1):
        for after in spreads(rest, frames - count, least):
            yield [number] * count + after


@pytest.mark.parametrize("seed", range(40))
def test_tokens_are_placed_where_they_score_best(seed: int) -> None:
    dice = np.random.default_rng(seed)
    count = int(dice.integers(1, 4))
    token = dice.integers(1, SIZE, count)
    word = np.cumsum(dice.integers(0, 2, count))
    score = dice.normal(-2, 1, (int(dice.integers(count, 14)), SIZE)).astype(np.float32)
    chain = [(0, -1)]
    for u in range(count):
        chain.append((int(token[u]), u))
        if u + 1 == count or word[u] != word[u + 1]:
            chain.append((0, -1))
    least = min(LEAST, len(score) // count)
    every = [
        (sum(float(score[t, token[u] if u >= 0 else 0]) for t, u in enumerate(spread)), spread)
        for spread in spreads(chain, len(score), least)
    ]
    found = place(score, token, word)
    assert found
    _, spread = max(every)
    assert found[0].tolist() == [spread.index(u) for u in range(count)]
    assert found[1].tolist() == [len(spread) - spread[::-1].index(u) for u in range(count)]


def test_more_tokens_than_frames_have_no_place() -> None:
    score = np.zeros((2, SIZE), np.float32)
    assert place(score, np.array([1, 2, 3]), np.array([0, 0, 0])) is None


def test_scores_between_encoder_frames_lie_on_a_line() -> None:
    logp = np.array([[0.0], [4.0], [0.0]], np.float32)
    wanted = [3, 4, 3, 2, 1, 0, 0, 0]
    assert interpolated(logp, -3, 8)[:, 0].tolist() == wanted
