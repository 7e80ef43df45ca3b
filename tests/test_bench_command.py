"""earshot bench: what is passed on to the scripts that measure, and what is said without them."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import earshot
import pytest
from earshot.__main__ import main
from earshot.commands import bench

from tests.processes import ROOT


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Commands that were run; each ends with 3."""
    found = list[Any]()

    def run(command: list[str], **settings: object) -> SimpleNamespace:
        found.append((command, settings))
        return SimpleNamespace(returncode=3)

    monkeypatch.setattr(subprocess, "run", run)
    return found


@pytest.fixture
def kit(tmp_path: Path) -> str:
    (tmp_path / "speech").mkdir()
    return str(tmp_path)


@pytest.mark.parametrize(
    ("name", "given", "passed"),
    [
        ("endpoint", ["--json", "--count", "3"], ["--json", "--count", "3"]),
        ("endpoint", ["--plot", "a.svg"], ["--plot", "a.svg"]),
        ("engine", ["--json", "--sets", "an4"], ["--sets", "an4"]),  # it prints JSON anyway
        ("bias", ["--only", "gain"], ["--only", "gain"]),
    ],
)
def test_arguments_are_passed_on(
    name: str, given: list[str], passed: list[str], kit: str, ran: list[Any]
) -> None:
    assert main(["bench", name, "--kit", kit, *given]) == 3
    ((command, settings),) = ran
    module = bench.BENCHES[name].module
    assert command == [sys.executable, "-m", module, "--kit", kit, *passed]
    assert settings["env"]["PYTHONPATH"].split(":")[0] == str(ROOT)
    assert (ROOT / f"{module.replace('.', '/')}.py").exists()


def test_help_is_that_of_the_script(ran: list[Any]) -> None:
    assert main(["bench", "endpoint", "--help"]) == 3
    assert ran[0][0][2:] == ["models.endpoint", "--help"]


@pytest.mark.parametrize(
    ("given", "message"),
    [([], "give --kit FOLDER"), (["--kit", "/nowhere"], "/nowhere has no folder speech")],
)
def test_without_the_data_kit_one_line_says_what_to_do(
    given: list[str], message: str, ran: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "endpoint", *given]) == 1
    caught = capsys.readouterr()
    assert message in caught.err
    assert not caught.out
    assert not ran


def test_without_the_repository_one_line_says_what_to_do(
    kit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ran: list[Any],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    installed = str(tmp_path / "lib" / "site-packages" / "earshot" / "__init__.py")
    monkeypatch.setattr(earshot, "__file__", installed)
    assert main(["bench", "engine", "--kit", kit]) == 1
    assert "takes a working copy of the repository" in capsys.readouterr().err
    assert not ran


def test_an_unknown_name_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", "speed"])
    assert ended.value.code == 2
    assert "invalid choice: 'speed'" in capsys.readouterr().err


def test_the_script_runs_from_anywhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "earshot", "bench", "endpoint", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert "python -m models.endpoint --kit KIT" in done.stdout
    assert not done.stderr
