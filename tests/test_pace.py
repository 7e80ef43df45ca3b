"""How far behind a stream is, and which streams can be behind at all."""

import pytest
from earshot.pace import Pace

PIECE = 1_280  # samples: 80 ms


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Listener:
    """Recognises pieces of a stream by a clock of its own."""

    def __init__(self, *, live: bool) -> None:
        self.clock = Clock()
        self.pace = Pace(live=live, clock=self.clock)
        self.began, self.sent = self.clock.now, 0.0

    def hear(self, pieces: int, takes: float, speed: float = 1.0) -> None:
        """Pieces that come `speed` times as fast as they are spoken; each takes so long."""
        for _ in range(pieces):
            self.sent += 0.08
            self.clock.now = max(self.clock.now, self.began + self.sent / speed)
            with self.pace.hearing():
                assert self.pace.busy
                self.clock.now += takes
                self.pace.recognised(PIECE)
        assert not self.pace.busy


def test_a_live_stream_is_behind_by_what_it_was_slower_than_real_time() -> None:
    one = Listener(live=True)
    one.hear(50, 0.02)
    assert one.pace.queue_ms == pytest.approx(0, abs=0.01)
    assert one.pace.share == pytest.approx(0.25, abs=0.01)
    one.hear(50, 0.12)
    assert one.pace.queue_ms == pytest.approx(50 * 40, abs=100)
    assert one.pace.share == pytest.approx(1.5, abs=0.03)
    one.hear(60, 0.04)
    assert one.pace.queue_ms == pytest.approx(0, abs=0.01)
    assert one.pace.share == pytest.approx(0.5, abs=0.03)


def test_a_live_stream_that_was_never_waited_for_is_behind_from_the_start() -> None:
    one = Listener(live=True)
    one.hear(20, 0.2)
    assert one.pace.queue_ms == pytest.approx(20 * 120, abs=100)


def test_a_client_that_sends_as_it_is_spoken_counts_once_that_shows() -> None:
    one = Listener(live=False)
    one.hear(10, 0.01)
    assert not one.pace.paced
    one.hear(10, 0.01)
    assert one.pace.paced
    one.hear(20, 0.2)
    assert one.pace.queue_ms > 2_000


def test_a_client_that_sends_a_recording_as_fast_as_it_can_is_never_behind() -> None:
    one = Listener(live=False)
    one.hear(200, 0.01, speed=1_000)
    assert not one.pace.paced
    one.hear(200, 0.01, speed=4)  # waited for, but far ahead of who speaks
    assert not one.pace.paced


def test_a_client_whose_audio_trickles_in_is_not_behind_for_that() -> None:
    one = Listener(live=False)
    one.hear(100, 0.5, speed=0.1)
    assert not one.pace.paced


def test_a_client_that_paused_is_known_by_its_pace() -> None:
    one = Listener(live=False)
    for _ in range(3):
        one.hear(20, 0.01)
        one.began += 10  # it sends nothing
    one.hear(1, 0.01)
    assert one.pace.paced


def test_who_pauses_and_goes_on_is_not_behind() -> None:
    one = Listener(live=True)
    one.hear(20, 0.02)
    one.clock.now += 30
    one.hear(1, 0.02)
    assert one.pace.queue_ms == 0
