"""Weights are kept small, also as what they differ by from others, and read again."""

from dataclasses import asdict
from pathlib import Path

import torch

from models.blocks import Shape
from models.kept import keep, kept, network_of
from models.network import Transducer

TINY = Shape(width=16, middle=24, inner=1, heads=4, kernel=5, joiner=12, chunk=4, left=8)


def a_run(out: Path, weights: dict[str, torch.Tensor], shape: Shape = TINY) -> Path:
    out.mkdir()
    state = {"recipe": {"network": asdict(shape)}, "network": {}, "average": weights}
    torch.save(state, out / "run.pt")
    return out


def trained(seed: int, shape: Shape = TINY) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return Transducer(shape, torch.randn(80), torch.rand(80) + 0.5).state_dict()


def moved(weights: dict[str, torch.Tensor], by: float) -> dict[str, torch.Tensor]:
    torch.manual_seed(3)
    return {name: value + by * torch.randn(value.shape) for name, value in weights.items()}


def test_what_is_kept_are_the_averaged_weights_in_sixteen_bits(tmp_path: Path) -> None:
    weights = trained(1)
    keep(a_run(tmp_path / "run", weights), tmp_path / "kept.pt")
    read = network_of(tmp_path / "kept.pt").state_dict()
    for name, value in weights.items():
        assert torch.equal(value.half().float(), read[name]), name


def test_a_difference_is_small_and_nearly_the_whole_of_it(tmp_path: Path) -> None:
    first = trained(1)
    keep(a_run(tmp_path / "first", first), tmp_path / "first.pt")
    second = a_run(tmp_path / "second", moved(first, 0.01))
    keep(second, tmp_path / "second.pt", beside=tmp_path / "first.pt")
    read, known = (kept(tmp_path / f"{name}.pt").weights for name in ("second", "first"))
    wanted = kept(second).weights
    lost = sum((read[name] - value).square().sum() for name, value in wanted.items())
    assert lost <= 0.025 * sum((v - known[name]).square().sum() for name, v in wanted.items())
    codes = torch.load(tmp_path / "second.pt", weights_only=True)["codes"]
    assert len(codes) < 0.5 * sum(value.numel() for value in first.values())


def test_weights_that_do_not_change_stay_to_the_bit(tmp_path: Path) -> None:
    run = a_run(tmp_path / "run", trained(1))
    keep(run, tmp_path / "first.pt")
    keep(tmp_path / "first.pt", tmp_path / "same.pt", beside=tmp_path / "first.pt")
    read, known = (kept(tmp_path / f"{name}.pt").weights for name in ("same", "first"))
    assert all(torch.equal(value, read[name]) for name, value in known.items())


def test_weights_of_another_shape_are_kept_whole(tmp_path: Path) -> None:
    keep(a_run(tmp_path / "first", trained(1)), tmp_path / "first.pt")
    wide = Shape(**{**asdict(TINY), "joiner": 20})
    second = a_run(tmp_path / "second", trained(2, wide), wide)
    keep(second, tmp_path / "second.pt", beside=tmp_path / "first.pt")
    read = network_of(tmp_path / "second.pt")
    project = kept(second).weights["project.weight"]
    assert torch.equal(read.project.weight.detach(), project.half().float())
