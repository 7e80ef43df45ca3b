"""earshot bench music --faults: the clock that is stepped, and what is counted."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path

import pytest

from models import music_faults, music_speech, stepped_clock
from models.music_faults import Faults
from models.music_speech import Track, songs
from models.music_trial import Load
from models.stepped_clock import ABSENT, NoSteppedClock, SteppedClock
from tests.processes import ROOT
from tests.sound_server import NoSoundServer

NOTHING = Load(Track((), ()), [], 1, "en", 0.5)
SLEEPS = """
from models import stepped
stepped.install()
import time
began = time.monotonic()
time.sleep(0.05)
assert time.monotonic() - began >= 0.05
"""


@pytest.fixture
def clock() -> Iterator[SteppedClock]:
    try:
        with stepped_clock.stepped_clock() as found:
            yield found
    except NoSteppedClock as reason:
        pytest.skip(str(reason))


def unseen(folder: Path) -> AbstractContextManager[SteppedClock]:
    """A clock of which no process sees anything: nothing stands before the C library."""
    return closing(SteppedClock("", folder))


def begun(_: object, __: object, ___: object, faults_of: Callable[[int, int], Faults]) -> object:
    """Stand for the processes: every fault begins and ends."""
    found = dict[str, float]()
    for name, (begin, end) in faults_of(1, 2).items():
        begin()
        end()
        found[f"{name}.recovered"] = 1.0
    return found


def test_a_process_sees_the_clock_stepped_ahead_and_back(clock: SteppedClock) -> None:
    for ahead in (3_600.0, -3_600.0, 0.0):
        clock.step(ahead)


def test_a_process_sleeps_as_ever_while_the_clock_is_stepped(clock: SteppedClock) -> None:
    clock.step(-3_600.0)
    command = [sys.executable, "-c", SLEEPS]
    subprocess.run(command, cwd=ROOT, env=clock.environment, check=True, timeout=60)


def test_a_step_that_no_process_sees_is_told(tmp_path: Path) -> None:
    with unseen(tmp_path) as clock:
        clock.check()
        with pytest.raises(NoSteppedClock, match="sees the clock 0 s ahead instead of 3600 s"):
            clock.step(3_600.0)
        clock._witness.kill()
        with pytest.raises(NoSteppedClock, match="is gone"):
            clock.check()


def test_a_step_that_is_not_taken_is_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(music_faults, "stepped_clock", lambda: unseen(tmp_path))
    monkeypatch.setattr(music_faults, "sound_server", nullcontext)
    monkeypatch.setattr(music_faults, "_broken", begun)
    assert music_faults._stepped(NOTHING) == {}
    assert "the clock is not stepped: a process sees" in capsys.readouterr().err


def test_without_libfaketime_the_clock_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert music_faults._stepped(NOTHING) == {}
    assert capsys.readouterr().err == f"the clock is not stepped: {ABSENT}\n"


def test_faults_are_counted_over_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> dict[str, float]:
        return {"a.recovered": 1.0, "a.seconds": 1.5, "b.recovered": 0.0}

    monkeypatch.setattr(music_faults, "sound_server", nullcontext)
    monkeypatch.setattr(music_faults, "_broken", broken)
    monkeypatch.setattr(music_faults, "_stepped", lambda _: {"clock_back.recovered": 1.0})
    found = music_faults.faults(NOTHING)
    assert (found["faults"], found["faults_recovered"]) == (3.0, 2.0)
    assert found["a.seconds"] == 1.5


@pytest.mark.microphone
def test_music_and_recognition_go_on_when_the_clock_is_stepped(
    clock: SteppedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(music_speech, "SONG_SECONDS", 1.0)
    monkeypatch.setattr(music_faults, "AWAY", 0.2)
    monkeypatch.setattr(music_faults, "stepped_clock", lambda: nullcontext(clock))
    try:
        found = music_faults._stepped(Load(NOTHING.track, songs(tmp_path), 1, "en", 0.5))
    except NoSoundServer as reason:
        pytest.skip(str(reason))
    assert found["clock_ahead.recovered"] == found["clock_back.recovered"] == 1.0
