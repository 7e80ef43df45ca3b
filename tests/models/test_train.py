"""A tiny run: stopped and resumed it ends with the very weights of one that was not stopped."""

from pathlib import Path
from typing import Any

import pytest
import torch

from models import feed, train
from models.data import Corpus, rows
from models.kept import keep
from tests.models import small_cache

STAGE = {"rate": [0.0, 1e-3], "frames": 1.0, "transducer": 0.0, "ctc": 0.0, "emit": 0.0}
BOTH = {**STAGE, "rate": [1e-3, 1e-4], "transducer": 1.0, "ctc": 0.1, "emit": 0.01}
RECIPE: dict[str, Any] = {
    "network": {
        "width": 16,
        "middle": 16,
        "inner": 1,
        "heads": 2,
        "kernel": 3,
        "joiner": 8,
        "chunk": 4,
        "left": 8,
        "dropout": 0.1,
    },
    "data": {"length": 320, "rows": 3, "window": 4, "seed": 3},
    "optimiser": {"kind": "adamw", "decay": 0.01, "average": 0.99, "clip": 1.0},
    "stage": [{**STAGE, "name": "frames", "steps": 2}, {**BOTH, "name": "both", "steps": 8}],
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    few = {"speech_commands": 2, "an4": 12}  # an epoch is over after a few steps
    return Corpus(small_cache.write(tmp_path_factory.mktemp("cache"), few, 8))


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def go(corpus: Corpus, out: Path, limit: int, recipe: dict[str, Any] = RECIPE) -> train.Run:
    """Start or resume a run, as the command does."""
    out.mkdir(exist_ok=True)
    run = train.Run(recipe, corpus, out)
    run.resume()
    train.train(run, limit)
    return run


def assert_same(one: train.Run, other: train.Run) -> None:
    assert one.progress == other.progress
    for name, value in one.network.state_dict().items():
        assert torch.equal(value, other.network.state_dict()[name]), name
        assert torch.equal(one.average[name], other.average[name]), name


@pytest.mark.parametrize(
    ("kind", "encoder"),
    [("adamw", "conformer"), ("muon", "conformer"), ("adamw", "convolution"), ("adamw", "lstm")],
)
def test_a_run_stopped_and_resumed_ends_as_one_that_was_not(
    corpus: Corpus, tmp_path: Path, kind: str, encoder: str
) -> None:
    recipe = {
        **RECIPE,
        "network": {**RECIPE["network"], "kind": encoder, "context": 2},
        "optimiser": {**RECIPE["optimiser"], "kind": kind},
        "stage": [RECIPE["stage"][0], {**RECIPE["stage"][1], "steps": 18}],
    }
    whole = go(corpus, tmp_path / "whole", 0, recipe)
    for limit in (1, 11, 0):
        parts = go(corpus, tmp_path / "parts", limit, recipe)
    assert whole.progress.step == 20
    assert whole.progress.epoch > 0
    assert whole.progress.cpu > 0
    assert_same(whole, parts)


def test_a_run_killed_between_two_checkpoints_ends_as_one_that_was_not(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = go(corpus, tmp_path / "whole", 0)
    take, steps = train.step, iter(range(100))

    def killed(run: train.Run, loss: torch.Tensor, rate: float) -> None:
        if next(steps) == 4:
            raise KeyboardInterrupt
        take(run, loss, rate)

    with monkeypatch.context() as patch:
        patch.setattr(train, "SAVE_EVERY", -1)
        patch.setattr(train, "step", killed)
        with pytest.raises(KeyboardInterrupt):
            go(corpus, tmp_path / "killed", 0)
    assert_same(whole, go(corpus, tmp_path / "killed", 0))


def test_the_loss_falls(corpus: Corpus, tmp_path: Path) -> None:
    stage = {**STAGE, "rate": [3e-3, 3e-3], "name": "frames", "steps": 40}
    run = train.Run({**RECIPE, "stage": [stage]}, corpus, tmp_path)
    losses, data = train.Losses(run.network, 4), next(train.batches(run, 0, 1))
    each = []
    for _ in range(40):
        loss, _ = losses(data, stage)
        train.step(run, loss, 3e-3)
        each.append(float(loss.detach()))
    assert each[-1] < each[0] - 1


def test_the_rate_goes_through_the_stages_and_ends() -> None:
    found = [train.stage_at(step, RECIPE["stage"]) for step in (0, 1, 2, 9)]
    known = [now for now in found if now]
    assert [stage["name"] for stage, _ in known] == ["frames", "frames", "both", "both"]
    rates = [rate for _, rate in known]
    assert rates == pytest.approx([5e-4, 1e-3, 1e-3 - 9e-4 / 8, 1e-4])
    assert train.stage_at(10, RECIPE["stage"]) is None


def test_ranks_hear_different_rows(corpus: Corpus, tmp_path: Path) -> None:
    recipe = {**RECIPE, "data": {**RECIPE["data"], "rows": 1}}
    first, second = (
        next(train.batches(train.Run(recipe, corpus, tmp_path), rank, 2)) for rank in (0, 1)
    )
    assert first.target.tolist() != second.target.tolist()


@pytest.mark.parametrize(("size", "world"), [(1, 1), (3, 1), (2, 2)])
def test_an_epoch_holds_every_row_and_begins_again_to_fill_its_last_step(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, world: int
) -> None:
    given: list[list[Any]] = []
    plans: list[list[Any]] = []

    def planned(*of: Any) -> list[list[Any]]:
        plans.append(rows(*of)[:7])
        return list(plans[-1])

    monkeypatch.setattr(feed, "rows", planned)
    monkeypatch.setattr(feed, "batch", lambda _, pieces, *__: given.extend(pieces))
    recipe = {**RECIPE, "data": {**RECIPE["data"], "rows": size}}
    ranks = [train.batches(train.Run(recipe, corpus, tmp_path), r, world) for r in range(world)]
    for _ in range(-(-7 // (size * world))):
        for coming in ranks:
            next(coming)
    heard = [str(row) for row in given]
    assert set(heard) == {str(row) for row in plans[0]}
    assert len(heard) == -(-7 // (size * world)) * size * world


def test_an_epoch_shorter_than_a_step_is_told(corpus: Corpus, tmp_path: Path) -> None:
    recipe = {**RECIPE, "data": {**RECIPE["data"], "rows": 1000}}
    run = train.Run(recipe, corpus, tmp_path)
    with pytest.raises(ValueError, match=r"an epoch has \d+ rows of 320 frames, .* takes 1000: "):
        next(train.batches(run, 0, 1))


def test_tokens_that_the_network_does_not_have_are_told(corpus: Corpus, tmp_path: Path) -> None:
    recipe = {**RECIPE, "network": {**RECIPE["network"], "tokens": 10}}
    with pytest.raises(ValueError, match=r"the cache has token \d+, but \[network\] tokens is 10"):
        train.Run(recipe, corpus, tmp_path)


def test_a_run_begins_with_the_weights_that_another_kept(corpus: Corpus, tmp_path: Path) -> None:
    first = go(corpus, tmp_path, 3)
    keep(tmp_path, tmp_path / "kept.pt")
    second = train.Run(RECIPE, corpus, tmp_path / "second")
    second.begin_with(tmp_path / "kept.pt")
    for name, value in second.network.state_dict().items():
        assert torch.allclose(value, first.average[name], atol=1e-3, rtol=1e-3), name
        assert torch.equal(value, second.average[name])
    assert second.progress.step == 0
