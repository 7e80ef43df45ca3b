"""Who goes first: the thread that recognises steps back, the one that reads the source does not."""

import os
import threading
from pathlib import Path

import pytest
from earshot import scheduling
from earshot.errors import SettingsError
from earshot.feed import FeedSettings
from earshot.governor import LoadSettings

from tests.fake_recogniser import loud
from tests.processes import process


def niceness(process: int) -> list[int]:
    """Of all threads (proc(5): the 19th field, and the second may hold anything)."""
    found = []
    for task in Path(f"/proc/{process}/task").iterdir():
        fields = (task / "stat").read_text("ascii").rpartition(")")[2].split()
        found.append(int(fields[16]))
    return found


def in_a_thread(nice: int) -> int:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(scheduling.renice(nice)))
    thread.start()
    thread.join()
    return found[0]


def test_a_thread_steps_back_and_the_others_stay() -> None:
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert in_a_thread(19) == 19
    assert in_a_thread(scheduling.UNCHANGED) == before
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


def test_a_thread_goes_before_others_as_far_as_it_may() -> None:
    usual, least = in_a_thread(0), scheduling.least_nice()
    assert in_a_thread(-11) == max(-11, min(usual, least))


@pytest.mark.parametrize(
    ("limit", "least"), [(0, 20), (20, 0), (31, -11), (40, -20), (-1, -20), (100, -20)]
)
def test_what_is_allowed_follows_from_the_limit(
    limit: int, least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1_000)
    monkeypatch.setattr("resource.getrlimit", lambda _: (limit, limit))
    assert scheduling.least_nice() == least
    found, mend = scheduling.outlook(-11)
    assert ("LimitNICE=-11" in mend) == (least > -11)
    assert "nice" in found


@pytest.mark.parametrize("settings", [FeedSettings, LoadSettings])
def test_what_is_no_niceness_is_refused(settings: type[FeedSettings] | type[LoadSettings]) -> None:
    with pytest.raises(SettingsError, match="nice is 20, but must be -20"):
        settings(nice=20)


def test_the_threads_of_the_daemon_have_the_niceness_of_its_settings(tmp_path: Path) -> None:
    config = tmp_path / "earshot.toml"
    config.write_text("[load]\nnice = 17\n[feed]\nnice = 18\n", encoding="utf-8")
    options = ("tests.fake_daemon", "0", "--source", "-", "--config", str(config))
    with process(*options) as house:
        house.until(lambda _: True)
        house.hear(loud(0.5))
        house.until(lambda answer: answer.counters.utterances == 1)
        found = niceness(house.process.pid)
    assert found.count(17) == 1
    assert found.count(18) == 1
