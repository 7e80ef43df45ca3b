"""What is played, for others: the records, those who read them, and those who do not."""

import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from earshot.playback.audio import BLOCK, BLOCK_SECONDS, RATE, Frames, silence
from earshot.playback.tap import MOST_READERS, Sampler, Tap
from earshot.reference import BLOCK as SHORT
from earshot.reference import BLOCK_MS, RECORD, Played, Reference, packed, unpacked
from earshot.units import SAMPLE_RATE

from tests.processes import until

GAP = 0.5  # seconds


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="e") as folder:
        yield Path(folder) / "r.sock"


@pytest.fixture
def tap(place: Path) -> Iterator[Tap]:
    with closing(Tap(place, 0o660)) as found:
        yield found


def chirp(seconds: float) -> Frames:
    """A tone that is another one every moment, so that a shift shows [N, 2]."""
    t = np.arange(round(seconds * RATE)) / RATE
    wave = 0.5 * np.sin(2 * np.pi * (200 + 400 * t) * t)
    return np.repeat(wave[:, np.newaxis], 2, axis=1).astype(np.float32)


def test_a_record_is_read_as_it_was_written() -> None:
    block = Played(123_456_789_012_345, np.arange(SHORT, dtype=np.int16) - 80, 7)
    record = packed(block)
    found = unpacked(record)
    assert len(record) == RECORD
    assert found is not None
    assert (found.time, found.lost) == (block.time, block.lost)
    assert np.array_equal(found.samples, block.samples)
    assert unpacked(b"RIFF" + record[4:]) is None


def test_every_sample_has_the_time_at_which_it_is_played() -> None:
    sampler, audio, found = Sampler(), chirp(2.0), list[Played]()
    for i in range(0, len(audio), BLOCK):
        # The device stands still for a while in the middle.
        when = 50.0 + i / RATE + (GAP if i >= RATE else 0.0)
        found += sampler.accept(audio[i : i + BLOCK], when)
    assert len(found) > 190
    for block in (found[3], found[50], found[-1]):
        played = block.time / 1e9 - 50.0
        frame = round((played - (GAP if played > 1.0 else 0.0)) * RATE)
        expected = audio[frame : frame + 3 * SHORT : 3, 0] * 32_767
        assert np.corrcoef(expected, block.samples)[0, 1] > 0.999
        assert np.abs(expected - block.samples).max() < 600
    steps = np.diff([block.time for block in found]) / 1e6
    assert np.sum(np.abs(steps - BLOCK_MS) > 1e-3) == 1


class Listener:
    """Reads, and keeps what it read."""

    def __init__(self, place: Path) -> None:
        self.reader, self.blocks = Reference(place, 0.0), list[Played]()

    def has(self, count: int) -> bool:
        self.blocks += self.reader.take()
        return len(self.blocks) >= count

    @property
    def told(self) -> int:
        return sum(block.lost for block in self.blocks)


Listens = Callable[[], Listener]


@pytest.fixture
def listening(place: Path) -> Iterator[Listens]:
    """Makes listeners."""
    made = list[Listener]()

    def make() -> Listener:
        made.append(Listener(place))
        return made[-1]

    yield make
    for one in made:
        one.reader.close()


def give(tap: Tap, blocks: int) -> None:
    """Give as fast as the tap takes."""
    for i in range(blocks):
        until(lambda: len(tap._queue) < 10)
        tap.give(silence(BLOCK), 1.0 + i * BLOCK_SECONDS)


def test_whoever_reads_gets_all_blocks(tap: Tap, listening: Listens) -> None:
    listeners = [listening() for _ in range(3)]
    assert not any(one.has(1) for one in listeners)
    until(lambda: tap.readers == 3)
    for i in range(60):
        tap.give(silence(BLOCK), 1.0 + i * BLOCK_SECONDS)
        until(lambda: not tap._queue)
        for one in listeners:
            one.has(0)
    for one in listeners:
        until(partial(one.has, 100))
        assert one.reader.connected
        assert not one.told
        assert one.blocks[0].time == 1_000_000_000
    assert tap.lost == 0


def test_who_does_not_read_loses_blocks_is_told_and_holds_nobody_up(
    tap: Tap, listening: Listens
) -> None:
    slow, eager = listening(), listening()
    assert not any(one.has(1) for one in (slow, eager))
    until(lambda: tap.readers == 2)
    for i in range(400):
        tap.give(silence(BLOCK), 1.0 + i * BLOCK_SECONDS)
        until(lambda: not tap._queue)
        eager.has(0)
    until(lambda: eager.has(780))
    lost = tap.lost
    assert lost > 0
    slow.has(0)
    tap.give(silence(BLOCK), 1.0 + 400 * BLOCK_SECONDS)
    until(lambda: slow.has(0) and slow.told > 0)
    assert (eager.told, slow.told) == (0, lost)
    steps = np.diff([block.time for block in slow.blocks]) / 1e6 / BLOCK_MS
    missing = np.array([block.lost for block in slow.blocks[1:]])
    assert np.allclose(steps, 1 + missing, atol=1e-3)


def test_without_a_player_there_is_just_nothing_and_one_that_comes_is_found(
    place: Path, listening: Listens
) -> None:
    one = listening()
    assert not one.has(1)
    assert not one.reader.connected
    for life in range(2):
        with closing(Tap(place, 0o660)) as tap:
            until(lambda: one.has(0) and one.reader.connected)
            until(lambda tap=tap: tap.readers == 1)  # type: ignore[misc]
            give(tap, 10)
            until(partial(one.has, 10 * life + 10))
        until(lambda: one.has(0) and not one.reader.connected)


def test_a_stranger_in_its_place_is_left_alone(place: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stranger:
        stranger.bind(str(place))
        stranger.listen()
        reader = Reference(place, 1000.0)
        reader.take()
        connection, _ = stranger.accept()
        connection.sendall(b"HTTP/1.1 200 OK\r\n" * 40)
        until(lambda: reader.take() == [] and not reader.connected)
        connection.close()


def test_readers_are_few_and_one_that_went_makes_room(tap: Tap, place: Path) -> None:
    readers = [Reference(place, 0.0) for _ in range(MOST_READERS)]
    for reader in readers:
        reader.take()
    until(lambda: tap.readers == MOST_READERS)
    extra = Reference(place, 1000.0)
    extra.take()
    until(lambda: extra.take() == [] and not extra.connected)
    readers[0].close()
    give(tap, 10)
    until(lambda: tap.readers == MOST_READERS - 1)
    for reader in readers:
        reader.close()


def test_the_rate_of_the_reference_divides_that_of_the_player() -> None:
    assert RATE % SAMPLE_RATE == 0
