"""The feeding thread: outputs that come and go, and what it does when nothing is to be played."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from earshot.errors import DeviceError
from earshot.playback.audio import BLOCK_SECONDS, Frames
from earshot.playback.feeder import Feeder
from earshot.playback.mixer import Mixer
from earshot.playback.output import NullOutput, Output, Written
from earshot.playback.settings import PlaybackSettings
from earshot.playback.stream import Programme

from tests.music import record
from tests.processes import PATIENCE, until

SETTINGS = PlaybackSettings(retry_ms=20, idle_ms=100, buffer_ms=40)


class Tap:
    """Keeps the times of what it is given."""

    def __init__(self) -> None:
        self.times = list[float]()

    def give(self, block: Frames, when: float) -> None:
        del block
        self.times.append(when)


class House:
    """A feeder with outputs that can be taken away."""

    def __init__(self, song: Path) -> None:
        self.mixer, self.tap, self.failed = Mixer(SETTINGS), Tap(), threading.Event()
        self.away: Exception | None = None
        self.opened = self.closed = 0
        self.feeder = Feeder(self.mixer, self.open, self.tap, SETTINGS, self.failed.set)
        self._song = song
        self.feeder.start()

    def play(self) -> None:
        self.mixer.play(Programme((self._song,), loop=True), print)
        self.feeder.wake()

    def open(self) -> Output:
        if self.away:
            raise self.away
        self.opened += 1
        return Breakable(self)

    def close(self) -> None:
        self.feeder.close(PATIENCE)
        self.mixer.close()


class Breakable(NullOutput):
    """A pretended output that goes away with its house."""

    def __init__(self, house: House) -> None:
        super().__init__(SETTINGS.buffer_ms)
        self._house = house

    def write(self, block: Frames) -> Written:
        if self._house.away:
            raise self._house.away
        return super().write(block)

    def close(self) -> None:
        self._house.closed += 1


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(record(tmp_path, "stereo.wav", 2.0))
    yield found
    found.close()


def test_an_output_is_open_only_while_there_is_something_to_play(house: House) -> None:
    assert house.opened == 0
    house.play()
    until(lambda: len(house.tap.times) > 10)
    assert (house.opened, house.closed) == (1, 0)
    house.mixer.stop()
    until(lambda: house.closed == 1)
    heard = len(house.tap.times)
    house.play()
    until(lambda: house.opened == 2 and len(house.tap.times) > heard)


def test_a_pause_keeps_the_output_for_a_while_and_a_wake_goes_on(house: House) -> None:
    house.play()
    until(lambda: len(house.tap.times) > 10)
    house.mixer.pause()
    until(lambda: house.closed == 1)
    assert not house.mixer.idle
    house.mixer.resume()
    house.feeder.wake()
    until(lambda: house.opened == 2)


def test_an_output_that_goes_is_waited_for(house: House) -> None:
    house.play()
    until(lambda: len(house.tap.times) > 10)
    house.away = DeviceError("the cable is out")
    until(lambda: house.feeder.waiting)
    assert house.feeder.output == "the cable is out"
    assert not house.mixer.idle
    heard = len(house.tap.times)
    house.away = None
    until(lambda: len(house.tap.times) > heard + 5)
    assert not house.feeder.waiting
    assert house.opened == house.closed + 1


def test_times_that_it_tells_go_on_block_by_block(house: House) -> None:
    house.play()
    until(lambda: len(house.tap.times) > 50)
    steps = [b - a for a, b in zip(house.tap.times, house.tap.times[1:], strict=False)]
    assert min(steps) > BLOCK_SECONDS - 1e-6
    gaps = sum(step > BLOCK_SECONDS + 1e-6 for step in steps)
    assert gaps <= house.feeder.tally.counts.underruns


def test_whoever_owns_it_is_told_of_a_defect(house: House) -> None:
    house.away = ZeroDivisionError()
    house.play()
    assert house.failed.wait(PATIENCE)
