"""The units and the default configuration, as systemd and earshot read them."""

import dataclasses
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from earshot.config import Settings, load

FOLDER = Path(__file__).parent.parent / "systemd"
EXPOSURE = 15  # tenths, of 100: what `systemd-analyze security` may find at most
EARSHOT = Path(sys.executable).parent / "earshot"

analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def installed(unit: Path, folder: Path) -> Path:
    """A unit that starts the earshot of this environment, for the one of /opt is not there."""
    path = folder / unit.name
    path.write_text(unit.read_text("utf-8").replace("/opt/earshot/bin/earshot", str(EARSHOT)))
    return path


def complaints(manager: str, folder: Path, *units: Path) -> tuple[int, list[str]]:
    """What systemd says against units: its exit code, and the lines about earshot."""
    found = subprocess.run(
        ["systemd-analyze", manager, "--man=no", "verify", *units],
        capture_output=True,
        text=True,
        check=False,
        env={"XDG_RUNTIME_DIR": str(folder), "PATH": "/usr/bin:/bin"},
    )
    return found.returncode, [line for line in found.stderr.splitlines() if "earshot" in line]


def assert_exposes_next_to_nothing(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager"]
    found = subprocess.run(
        [*command, f"--threshold={EXPOSURE}", unit], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr


@analyze
@pytest.mark.parametrize("manager", ["--system", "--user"])
def test_systemd_has_nothing_to_say_against_a_unit(manager: str, tmp_path: Path) -> None:
    unit = FOLDER / ("user" if manager == "--user" else "") / "earshot.service"
    assert complaints(manager, tmp_path, installed(unit, tmp_path)) == (0, [])


@analyze
def test_the_system_unit_exposes_next_to_nothing(tmp_path: Path) -> None:
    assert_exposes_next_to_nothing(installed(FOLDER / "earshot.service", tmp_path))


@pytest.mark.parametrize("unit", ["earshot.service", "user/earshot.service"])
def test_a_unit_waits_for_ready_and_keeps_the_daemon_off_the_network(unit: str) -> None:
    lines = (FOLDER / unit).read_text("utf-8").splitlines()
    for line in ("Type=notify", "RestrictAddressFamilies=AF_UNIX", "MemoryDenyWriteExecute=yes"):
        assert line in lines
    assert {"LimitCORE=0", "UMask=0077"} <= set(lines)


def test_the_default_configuration_changes_nothing() -> None:
    assert load(FOLDER / "earshot.toml") == Settings()


def test_its_lines_are_the_defaults_once_they_are_said(tmp_path: Path) -> None:
    text = (FOLDER / "earshot.toml").read_text("utf-8")
    said = tmp_path / "earshot.toml"
    said.write_text(re.sub(r"^#(\w+ = )", r"\1", text, flags=re.MULTILINE))
    found = load(said)
    assert found.microphone.device == "usb"
    assert found.api.socket == Path("/run/earshot/earshot.sock")
    assert found.catalog == Path("/var/lib/earshot/catalog.db")
    assert found.templates == Path("/etc/earshot/home.toml")
    assert without_examples(found, Settings()) == Settings()


def without_examples(found: Any, usual: Any) -> Any:
    """Settings without those that have no default, and for which the file shows an example."""
    changes: dict[str, object] = {}
    for field in dataclasses.fields(found):
        here, there = (getattr(one, field.name) for one in (found, usual))
        if there is None:
            changes[field.name] = None
        elif dataclasses.is_dataclass(there):
            changes[field.name] = without_examples(here, there)
    return dataclasses.replace(found, **changes)


def test_it_names_every_setting() -> None:
    text = (FOLDER / "earshot.toml").read_text("utf-8")
    for field in dataclasses.fields(Settings):
        part = getattr(Settings(), field.name)
        if not dataclasses.is_dataclass(part):
            assert f"\n#{field.name} = " in text
            continue
        table = text.split(f"\n[{field.name}]\n")[1].split("\n[")[0]
        for setting in dataclasses.fields(part):
            assert f"\n#{setting.name} = " in table
