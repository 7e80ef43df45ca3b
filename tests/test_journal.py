"""What the program says of itself: for people, and for systemd's journal."""

import io
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from earshot import journal

from tests.processes import ROOT

COMPLAINS = [sys.executable, "-m", "earshot", "run", "--source", "/nowhere.wav", "--bundle", "none"]


def complaint(log: Path, *, journalled: bool) -> str:
    """What a daemon that cannot start says, its standard error going into a file."""
    with log.open("wb") as out:
        facts = os.fstat(out.fileno())
        stream = {"JOURNAL_STREAM": f"{facts.st_dev}:{facts.st_ino}"} if journalled else {}
        environment = {**os.environ, **stream}
        subprocess.run(COMPLAINS, cwd=ROOT, env=environment, stderr=out, check=False)
    return log.read_text("utf-8")


def test_an_error_has_its_priority_in_the_journal_and_our_name_elsewhere(tmp_path: Path) -> None:
    assert complaint(tmp_path / "log", journalled=True).startswith("<3>there is no bundle 'none'")
    plain = complaint(tmp_path / "log", journalled=False)
    assert plain.startswith("earshot: there is no bundle 'none'")


@pytest.mark.parametrize(
    ("level", "priority"),
    [(logging.DEBUG, 7), (logging.INFO, 6), (logging.WARNING, 4), (logging.ERROR, 3)],
)
def test_each_line_has_the_priority_of_its_level(level: int, priority: int) -> None:
    record = logging.LogRecord("earshot", level, "", 0, "one\n%s", ("two",), None)
    assert journal._Formatter(journal=True).format(record) == f"<{priority}>one\n<{priority}>two"
    assert journal._Formatter(journal=False).format(record) == "earshot: one\ntwo"


def test_a_stream_in_memory_or_another_is_no_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not journal.journalled(io.StringIO())
    with (tmp_path / "log").open("w") as out:
        facts = os.fstat(out.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{facts.st_dev}:{facts.st_ino + 1}")
        assert not journal.journalled(out)
        monkeypatch.setenv("JOURNAL_STREAM", f"{facts.st_dev}:{facts.st_ino}")
        assert journal.journalled(out)
