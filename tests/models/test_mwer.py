"""Expected errors against sums over everything, and exact resuming."""

import itertools
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from models import mwer, train
from models.blocks import Shape
from models.data import Batch
from models.nbest import Hypothesis, Lister
from models.network import Transducer
from tests.models import six_words, small_cache
from tests.models.six_words import WORDS, Floats, said

TINY: dict[str, Any] = {"width": 16, "middle": 16, "inner": 1, "heads": 2, "kernel": 3, "joiner": 8}
SHAPE = Shape(**TINY, chunk=4, left=8, dropout=0.0)
STAGE = {"frames": 0.1, "transducer": 0.5, "ctc": 0.1, "emit": 0.01, "errors": 1.0}
RECIPE: dict[str, Any] = {
    "data": {"longest": 160, "frames": 640, "others": 0.3, "window": 5, "seed": 3},
    "list": {"count": 4, "beam": 30, "scale": 0.7},
    "optimiser": {"kind": "adamw", "decay": 0.01, "average": 0.99, "clip": 1.0},
    "stage": [{**STAGE, "name": "errors", "steps": 6, "rate": [1e-3, 1e-4]}],
}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def lister(tmp_path_factory: pytest.TempPathFactory) -> Lister:
    return Lister(six_words.bundle(tmp_path_factory.mktemp("bundle")), 4, 30)


def test_the_gradient_of_expected_errors_is_what_each_text_has_above_the_mean() -> None:
    errors, score = [[0.0, 2.0, 1.0], [3.0], [1.0, 0.0]], torch.randn(6, requires_grad=True)
    each = mwer.expected_errors(score, errors)
    each.sum().backward()
    assert score.grad is not None
    for part, grad, e, got in zip(
        score.detach().split([3, 1, 2]), score.grad.split([3, 1, 2]), errors, each, strict=True
    ):
        share = (part.exp() / part.exp().sum()).numpy()
        mean = float((share * e).sum())
        assert float(got.detach()) == pytest.approx(mean, abs=1e-5)
        np.testing.assert_allclose(grad.numpy(), share * (np.array(e) - mean), atol=1e-6)


class Listed:
    """The same lists whatever was heard."""

    def __init__(self, lists: list[list[Hypothesis]], lister: Lister) -> None:
        self._lists, self.search = iter(lists), lister.search
        self.wanted = lister.wanted

    def __call__(self, _logp: Floats, _internal: Floats) -> list[Hypothesis]:
        return next(self._lists)


def hypothesis(text: str, language: float) -> Hypothesis:
    token = np.array(said(text), np.int64)
    words = tuple(WORDS.index(w) for w in text.split())
    return Hypothesis(words, token, np.arange(1, 1 + len(token)), language)


LISTS = [[("a way", -1.0), ("reed", -2.0), ("", -3.0)], [("red", -1.5), ("a", 0.0)]]


def spoken(*wanted: str) -> Batch:
    """Random sounds of 320 ms that are told to hold some texts."""
    dice = torch.Generator().manual_seed(4)
    rows, counts = [said(text) for text in wanted], [len(said(text)) for text in wanted]
    target = torch.tensor([row + [0] * (max(counts) - len(row)) for row in rows])
    frames, first = torch.zeros(2, 8, dtype=torch.int64), torch.zeros(2, 8, dtype=torch.int64)
    return Batch(torch.randn(2, 32, 80, generator=dice), frames, target, counts, first, target)


def score_by_hand(network: Transducer, hidden: Tensor, one: Hypothesis, ilm: float) -> Tensor:
    """Log of the sum over all walks, less what the predictor expects, and the language score."""
    token = one.token.tolist()
    walks = []
    for walked in itertools.combinations(range(len(hidden)), len(token)):
        total, u = torch.zeros(()), 0
        for t in range(len(hidden)):
            row = network.predictor(torch.tensor([0, *token][u]))
            logp = network.joiner(network.project(hidden[t]), row).log_softmax(-1)
            total = total + logp[token[u] if t in walked else 0]
            u += t in walked
        walks.append(total)
    score = torch.logsumexp(torch.stack(walks), 0) + one.language
    for before, after in itertools.pairwise([0, *token]):
        row = network.predictor(torch.tensor(before))
        score = score - ilm * network.joiner(torch.zeros(8), row)[1:].log_softmax(-1)[after - 1]
    return score


def test_loss_and_gradients_are_those_of_a_sum_over_all_walks(lister: Lister) -> None:
    torch.manual_seed(5)
    network, data = Transducer(SHAPE).eval(), spoken("a way", "red")
    lists = [[hypothesis(*one) for one in each] for each in LISTS]
    errors = [[0.0, 2.0, 2.0], [0.0, 1.0]]
    recipe = {**RECIPE, "data": {**RECIPE["data"], "window": 8}}  # no walk is left out
    losses = mwer.Losses(network, recipe, Listed(lists, lister))  # type: ignore[arg-type]
    loss, parts = losses(data, dict.fromkeys(STAGE, 0.0) | {"errors": 1.0})
    loss.backward()
    ours = {n: p.grad.clone() for n, p in network.named_parameters() if p.grad is not None}
    network.zero_grad()
    hidden, wanted = network.encoder(data.x), torch.zeros(())
    for row, each, wrong in zip(hidden, lists, errors, strict=True):
        score = torch.stack([score_by_hand(network, row, one, 0.3) for one in each])
        wanted = wanted + ((0.7 * score).softmax(0) * torch.tensor(wrong)).sum()
    torch.testing.assert_close(loss, wanted / 6, atol=1e-5, rtol=1e-5)
    assert parts[3:].tolist() == pytest.approx([float(wanted.detach()) / 3, 0.0, 2.5])
    (wanted / 6).backward()
    for name, parameter in network.named_parameters():
        if parameter.grad is not None and name.split(".")[0] not in {"ctc", "frame"}:
            torch.testing.assert_close(ours[name], parameter.grad, atol=1e-6, rtol=1e-3)


def test_lists_of_nothing_but_the_empty_text_teach_nothing(lister: Lister) -> None:
    network, lists = Transducer(SHAPE), [[hypothesis("", -1.0)], [hypothesis("", 0.0)]]
    losses = mwer.Losses(network, RECIPE, Listed(lists, lister))  # type: ignore[arg-type]
    loss, parts = losses(spoken("a way", "red"), dict.fromkeys(STAGE, 0.0) | {"errors": 1.0})
    loss.backward()
    assert parts[3:].tolist() == [1.0, 1.0, 1.0]
    assert all(not p.grad.any() for p in network.parameters() if p.grad is not None)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    few = {"speech_commands": 4, "an4": 8, "synthetic": 6}
    return small_cache.write(tmp_path_factory.mktemp("cache"), few, 12)


def begun(cache: Path, out: Path, dropout: float = 0.1) -> train.Run:
    """A run from weights that were kept, by a recipe on disk."""
    out.mkdir(exist_ok=True)
    torch.manual_seed(7)
    shape: dict[str, Any] = {**TINY, "chunk": 4, "left": 8, "dropout": dropout}
    network = Transducer(Shape(**shape))
    state = {"recipe": {"network": shape}, "average": network.state_dict()}
    torch.save(state, out / "weights.pt")
    (out / "recipe.toml").write_text(toml(RECIPE), encoding="utf8")
    return mwer.begun(out / "recipe.toml", cache, out / "weights.pt", out)


def toml(recipe: dict[str, Any]) -> str:
    """A recipe as a file: numbers, texts and lists are written as in Python."""
    lines = []
    for name, table in recipe.items():
        for one in table if isinstance(table, list) else [table]:
            lines.append(f"[[{name}]]" if isinstance(table, list) else f"[{name}]")
            lines += [f"{key} = {value!r}" for key, value in one.items()]
    return "\n".join(lines)


def go(cache: Path, out: Path, lister: Lister | None, limit: int = 0) -> train.Run:
    run = begun(cache, out)
    mwer.refine(run, lister, limit)
    return run


def same(one: train.Run, other: train.Run) -> bool:
    pairs = zip(one.network.parameters(), other.network.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_a_run_stopped_and_resumed_ends_as_one_that_was_not(
    cache: Path, tmp_path: Path, lister: Lister
) -> None:
    whole = go(cache, tmp_path / "whole", lister)
    for limit in (2, 5, 0):
        parts = go(cache, tmp_path / "parts", lister, limit)
    assert parts.progress == whole.progress
    assert whole.progress.step == 6
    assert same(parts, whole)
    assert all(torch.equal(whole.average[name], parts.average[name]) for name in whole.average)


def test_the_control_goes_over_the_same_utterances_to_other_weights(
    cache: Path, tmp_path: Path, lister: Lister
) -> None:
    control, lists = go(cache, tmp_path / "c", None), go(cache, tmp_path / "l", lister)
    assert control.progress == lists.progress
    assert not same(control, lists)


def test_two_ranks_hear_different_utterances_of_one_step(cache: Path, tmp_path: Path) -> None:
    run = begun(cache, tmp_path)
    first = [next(mwer.coming(run, rank, 2)) for rank in (0, 1)]
    run.progress.position = 0
    again = next(mwer.coming(run, 0, 2))
    assert torch.equal(first[0].x, again.x)
    assert first[0].x.shape != first[1].x.shape or not torch.equal(first[0].x, first[1].x)


def test_a_network_that_sees_more_than_one_token_back_is_refused(
    cache: Path, tmp_path: Path
) -> None:
    shape = {**TINY, "chunk": 4, "left": 8, "context": 2}
    average = Transducer(Shape(**shape)).state_dict()
    torch.save({"recipe": {"network": shape}, "average": average}, tmp_path / "w.pt")
    (tmp_path / "r.toml").write_text(toml(RECIPE), encoding="utf8")
    with pytest.raises(SystemExit, match="sees one token back"):
        mwer.begun(tmp_path / "r.toml", cache, tmp_path / "w.pt", tmp_path)


def test_the_command_trains_and_tells(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(cache, tmp_path)
    monkeypatch.setattr(train, "LINE_EVERY", 0)
    files = {"config": "recipe.toml", "weights": "weights.pt", "out": "run"}
    options = [part for name, file in files.items() for part in (f"--{name}", str(tmp_path / file))]
    monkeypatch.setattr(sys, "argv", ["mwer", *options, "--cache", str(cache), "--control"])
    mwer.main()
    told = capsys.readouterr().out
    assert "step 1 epoch 0 errors rate" in told
    assert "done after 6 steps" in told
    assert (tmp_path / "run" / "run.pt").exists()
