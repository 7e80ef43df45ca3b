"""What was played: where each block belongs, and what stands between the samples."""

import numpy as np
import pytest
from earshot.reference import BLOCK, Played
from earshot.tape import LENGTH, NANOSECONDS, NEVER, Clock, Tape
from earshot.units import SAMPLE_RATE, samples

MS = 1_000_000  # nanoseconds


def block(number: int, time_ms: float, lost: int = 0) -> Played:
    """A block whose samples are all its number."""
    return Played(round(time_ms * MS), np.full(BLOCK, 100 * number, np.int16), lost)


def heard(tape: Tape, first: int, count: int) -> list[int]:
    return [round(float(one) * 327.68) for one in tape.read(first, count)]


def test_blocks_follow_each_other_whatever_their_times_jitter() -> None:
    tape = Tape()
    for number, time in enumerate((1_000.0, 1_013.0, 1_016.5, 1_031.0)):
        tape.write(block(number + 1, time))
    assert tape.end == tape.sounds_until == 4 * BLOCK
    assert heard(tape, BLOCK - 1, BLOCK + 2) == [1, *[2] * BLOCK, 3]
    assert tape.zero is not None
    assert abs(tape.zero - 1_000 * MS) < 4 * MS


def test_before_and_behind_the_tape_there_is_silence() -> None:
    tape = Tape()
    assert tape.zero is None
    assert tape.sounds_until == NEVER
    assert not tape.read(-500, 1_000).any()
    tape.write(block(1, 0))
    assert heard(tape, -1, BLOCK + 2) == [0, *[1] * BLOCK, 0]
    assert not tape.read(10**15, 10).any()
    assert not tape.read(-(10**15), 10).any()


def test_lost_blocks_and_gaps_of_time_are_silence() -> None:
    tape = Tape()
    tape.write(block(1, 0))
    tape.write(block(2, 30, lost=2))  # too short for the times to tell
    assert heard(tape, 0, 4 * BLOCK) == [1] * BLOCK + [0] * 2 * BLOCK + [2] * BLOCK
    tape.write(block(3, 540))
    assert tape.end == samples(550)
    assert not tape.read(4 * BLOCK, 50 * BLOCK).any()
    assert heard(tape, 54 * BLOCK, BLOCK) == [3] * BLOCK


def test_what_is_played_instead_replaces_what_was_to_be_played() -> None:
    tape = Tape()
    for number in range(20):
        tape.write(block(1, 10 * number))
    tape.write(block(2, 100))
    assert tape.end == tape.sounds_until == 11 * BLOCK
    assert heard(tape, 9 * BLOCK, 2 * BLOCK) == [1] * BLOCK + [2] * BLOCK
    assert not tape.read(11 * BLOCK, BLOCK).any()


def test_after_a_long_time_the_tape_goes_on_with_a_clock_of_its_own() -> None:
    tape = Tape()
    tape.write(block(1, 0))
    tape.write(block(2, 3_600_000))
    assert tape.end == 2 * BLOCK + LENGTH
    assert not tape.read(BLOCK, LENGTH).any()
    assert tape.zero == 3_600_000 * MS - (BLOCK + LENGTH) * NANOSECONDS


def test_silence_is_told_from_sound() -> None:
    tape = Tape()
    tape.write(block(1, 0))
    tape.write(block(0, 10))
    assert tape.sounds_until == BLOCK
    assert tape.end == 2 * BLOCK


@pytest.mark.parametrize("part", [0.0, 0.25, 0.5, 0.99])
def test_between_two_samples_there_is_the_wave(part: float) -> None:
    tape, length = Tape(), SAMPLE_RATE // 10
    time = np.arange(length)
    wave = np.round(20_000 * np.sin(2 * np.pi * 0.17 * time)).astype(np.int16)
    for first in range(0, length, BLOCK):
        tape.write(Played(first * NANOSECONDS, wave[first : first + BLOCK]))
    found = tape.read_between(200 + part, 300)
    right = 20_000 / 32_768 * np.sin(2 * np.pi * 0.17 * (np.arange(200, 500) + part))
    assert np.abs(found - right).max() < 0.02


def test_a_clock_tells_the_median_and_the_earliest() -> None:
    clock = Clock()
    clock.note(0, 100)
    clock.forget()
    assert [clock.zero, clock.earliest] == [None, None]
    for position, late in enumerate((5, 1, 9)):
        clock.note(position, position * NANOSECONDS + late)
    assert [clock.zero, clock.earliest] == [5, 1]
