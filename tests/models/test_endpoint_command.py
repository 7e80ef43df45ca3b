"""The benchmark of end-pointing as people run it: its tables, its object, its picture."""

import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from models import endpoint, endpoint_plot
from models.endpoint_trial import POINT
from models.rivals import FINAL
from tests import networks
from tests.models.test_streams import kit as kit  # noqa: PLC0414 - a fixture

SVG = "{http://www.w3.org/2000/svg}"


def figures() -> dict[str, float]:
    """As of a measurement: two thresholds an end-pointer, and those in use."""
    found = dict[str, float]()
    keys = [POINT(name, mark) for name in endpoint_plot.TOLD for mark in (500, 800, 1_200)]
    for number, key in enumerate([*keys, FINAL, "early"]):
        values = {"ep50": 300 + 20 * number, "ep90": 700 + 20 * number, "cut": number, "never": 2}
        for group in endpoint_plot.GROUPS:
            found |= {f"{group}.{key}.{name}": value for name, value in values.items()}
    return found


def test_the_plot_has_all_curves_in_all_panels_and_the_aim() -> None:
    text = endpoint_plot.picture(figures(), "<made> & up")
    root = ET.fromstring(text)  # noqa: S314 - ours
    said = ["".join(one.itertext()) for one in root.iter(f"{SVG}text")]
    assert "<made> & up" in said
    for told in endpoint_plot.TOLD.values():
        assert any(one.startswith(told) and "never ends in noise: 2" in one for one in said)
    curves = [one for one in root.iter(f"{SVG}path") if "curve" in one.get("class", "")]
    assert len(curves) == 5 * len(endpoint_plot.TOLD)  # four panels and the legend
    aims = [one for one in root.iter(f"{SVG}rect") if one.get("class") == "aim"]
    assert [float(one.get("height", 0)) for one in aims] == pytest.approx(
        [endpoint_plot.HEIGHT * share for share in (480 / 1_600, 800 / 1_600)] * 2, abs=0.1
    )
    titles = ["".join(one.itertext()) for one in root.iter(f"{SVG}title")]
    assert "earshot, final: 600 ms, 15.0 % cut off, 2.0 % never ended" in titles


def test_what_never_ended_anything_is_in_no_curve() -> None:
    bare = {key: value for key, value in figures().items() if ".ep" not in key}
    ET.fromstring(endpoint_plot.picture(bare, ""))  # noqa: S314 - ours


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    networks.phones(folder)
    return folder


def test_it_prints_one_object_or_tables_and_draws(
    kit: Path, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    common = ["endpoint", "--kit", str(kit), "--bundle", str(bundle), "--count", "2"]
    some = ["--conditions", "quiet", "cut off"]
    monkeypatch.setattr(sys, "argv", [*common, *some, "--json"])
    endpoint.main()
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"bench", "data", "machine", "date", "figures"}
    assert found["bench"] == "endpoint"
    assert found["figures"]["all.streams"] == 2
    assert all(isinstance(value, int | float) for value in found["figures"].values())
    plot, file = tmp_path / "plot.svg", tmp_path / "f.json"
    given = ["--plot", str(plot), "--json", str(file), "--preset", "quick"]
    monkeypatch.setattr(sys, "argv", [*common, *some, *given])
    endpoint.main()
    assert "| end-pointer, all |" in capsys.readouterr().out
    assert json.loads(file.read_text(encoding="utf8"))["figures"]["quiet.streams"] == 2
    ET.parse(plot)  # noqa: S314 - ours


def test_a_kit_without_such_recordings_is_told(
    kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "noise").symlink_to(kit / "noise")
    monkeypatch.setattr(sys, "argv", ["endpoint", "--kit", str(tmp_path)])
    with pytest.raises(SystemExit, match="no aligned dev recordings"):
        endpoint.main()
