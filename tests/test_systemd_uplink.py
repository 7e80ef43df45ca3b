"""The units and settings of the uplink, as systemd and the uplink read them."""

import dataclasses
import re
from pathlib import Path

import pytest
from earshot.relay import UplinkSettings, load

from tests.test_systemd import (
    FOLDER,
    analyze,
    assert_exposes_next_to_nothing,
    complaints,
    installed,
)

UNITS = ["earshot-uplink.service", "user/earshot-uplink.service"]
AUDIT = ("earshot-audit.service", "earshot-audit.timer")


@analyze
@pytest.mark.parametrize("manager", ["--system", "--user"])
def test_systemd_has_nothing_to_say_against_its_units(manager: str, tmp_path: Path) -> None:
    folder = FOLDER / ("user" if manager == "--user" else "")
    names = ("earshot.service", "earshot-uplink.service", "earshot-uplink.path", *AUDIT)
    units = [installed(folder / name, tmp_path) for name in names]
    for unit in units:
        text = unit.read_text("utf-8")
        unit.write_text(text.replace("bin/earshot-uplink", "bin/earshot"), "utf-8")
    assert complaints(manager, tmp_path, *units) == (0, [])


@analyze
@pytest.mark.parametrize("name", ["earshot-uplink.service", "earshot-audit.service"])
def test_its_system_units_expose_next_to_nothing(name: str, tmp_path: Path) -> None:
    assert_exposes_next_to_nothing(installed(FOLDER / name, tmp_path))


@pytest.mark.parametrize("unit", UNITS)
def test_it_runs_in_mode_assisted_only_and_ends_with_the_daemon(unit: str) -> None:
    text = (FOLDER / unit).read_text("utf-8")
    assert "\nPartOf=earshot.service\n" in text
    sign = re.search(r"^ConditionPathExists=(.+)$", text, re.MULTILINE)
    watched = (FOLDER / unit).with_suffix(".path").read_text("utf-8")
    assert sign is not None
    assert f"\nPathExists={sign[1]}\n" in watched


def test_the_daemon_may_reach_the_uplink_and_the_uplink_not_the_daemon() -> None:
    daemon = (FOLDER / "earshot.service").read_text("utf-8")
    uplink = (FOLDER / "earshot-uplink.service").read_text("utf-8")
    groups = (FOLDER / "earshot.sysusers").read_text("utf-8")
    assert "g earshot-handover -" in groups
    assert "SupplementaryGroups=audio earshot-handover" in daemon
    assert "\nGroup=earshot-handover\n" in uplink
    assert "InaccessiblePaths=-/run/earshot -/var/lib/earshot -/dev/snd" in uplink


def test_the_default_settings_change_nothing_and_name_everything(tmp_path: Path) -> None:
    text = (FOLDER / "uplink.toml").read_text("utf-8")
    assert load(FOLDER / "uplink.toml") == UplinkSettings()
    said = tmp_path / "uplink.toml"
    said.write_text(re.sub(r"^#(\w+ = )", r"\1", text, flags=re.MULTILINE))
    found = load(said)
    assert found.address == "reranker.example.org:7443"
    bare = dataclasses.replace(found, address="", ca=None, certificate=None, key=None)
    assert dataclasses.replace(bare, token=None, socket=None) == UplinkSettings()
    for setting in dataclasses.fields(UplinkSettings):
        assert f"\n#{setting.name} = " in text
