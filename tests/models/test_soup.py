"""The mean of several trainings is a network that the next steps take."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from models import soup
from models.blocks import Shape
from models.kept import keep, network_of
from models.network import Transducer

TINY = Shape(width=16, middle=24, inner=1, heads=4, kernel=5, joiner=12, chunk=4, left=8)


def trained(path: Path, seed: int, shape: Shape = TINY) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    weights = Transducer(shape, torch.randn(80), torch.rand(80) + 0.5).state_dict()
    torch.save({"recipe": {"network": asdict(shape)}, "average": weights}, path)
    return weights


def test_weights_are_averaged_by_their_shares(tmp_path: Path) -> None:
    one, other = (trained(tmp_path / f"{seed}.pt", seed) for seed in (1, 2))
    mean = soup.soup([tmp_path / "1.pt", tmp_path / "2.pt"], [1.0, 3.0]).weights
    for name, value in mean.items():
        torch.testing.assert_close(value, 0.25 * one[name] + 0.75 * other[name])


def test_a_soup_of_one_network_in_16_bits_is_that_network(tmp_path: Path) -> None:
    weights = trained(tmp_path / "run.pt", 1)
    keep(tmp_path, tmp_path / "kept.pt")
    mean = soup.soup([tmp_path / "run.pt", tmp_path / "kept.pt"], [1.0, 1.0]).weights
    for name, value in mean.items():
        torch.testing.assert_close(value, weights[name], atol=1e-3, rtol=1e-3)


def test_export_takes_what_comes_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(tmp_path / "1.pt", 1)
    trained(tmp_path / "2.pt", 2)
    files = [str(tmp_path / "1.pt"), str(tmp_path / "2.pt")]
    monkeypatch.setattr("sys.argv", ["soup", "--of", *files, "--out", str(tmp_path / "mean")])
    soup.main()
    assert network_of(tmp_path / "mean").shape == TINY


def test_other_networks_are_refused(tmp_path: Path) -> None:
    trained(tmp_path / "1.pt", 1)
    trained(tmp_path / "2.pt", 2, replace(TINY, width=20))
    with pytest.raises(SystemExit, match="another network"):
        soup.soup([tmp_path / "1.pt", tmp_path / "2.pt"], [1.0, 1.0])
