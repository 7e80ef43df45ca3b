"""What the governor's figures are made of: shares of CPU time by level, and threads by theirs."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from earshot.effort import EFFORTS

from models import efforts, idle
from models.evaluate import Heard

LEVELS = range(len(EFFORTS))
SECONDS = 0.5


def row(errors: int, cpu: float) -> Heard:
    """Ten words of a recording of five seconds."""
    return Heard("a.wav", "a b c d e f g h i j", "", errors, 0, 0, 5.0, cpu)


def test_each_level_is_measured_against_all_effort() -> None:
    """CPU time is that of all sets together; word errors are a set's own."""
    results = {
        "an4": [[row(level, 1.0 / (level + 1))] for level in LEVELS],
        "synthetic": [[row(0, 1.0 / (level + 1))] for level in LEVELS],
    }
    figures = efforts.table(results)
    assert [figures[f"{level}.cpu_ratio"] for level in LEVELS] == [1.0, 0.5, 0.333, 0.25, 0.2]
    assert [figures[f"{level}.an4.wer"] for level in LEVELS] == [0.0, 10.0, 20.0, 30.0, 40.0]
    assert all(figures[f"{level}.synthetic.wer"] == 0.0 for level in LEVELS)


@contextmanager
def busy() -> Iterator[int]:
    """A thread of ours that works all the time; gives its number."""
    stop, numbers = threading.Event(), list[int]()

    def work() -> None:
        numbers.append(threading.get_native_id())
        while not stop.is_set():
            sum(range(1000))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        while not numbers:
            stop.wait(0.01)
        yield numbers[0]
    finally:
        stop.set()
        thread.join()


def test_the_dearest_thread_is_the_one_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a thread spends is its own, and the whole is the sum of them all."""
    monkeypatch.setattr(idle, "SETTLE", 0.0)
    with busy() as number:
        before = idle.threads(os.getpid())[number][0]
        figures = idle.watched({"us": os.getpid()}, SECONDS, "work")
        spent = idle.threads(os.getpid())[number][0] - before
    dearest = figures["us.work_thread_1_cpu_percent"]
    assert 0 < dearest <= figures["us.work_cpu_percent"]
    assert spent >= 0.99 * dearest / 100 * SECONDS
