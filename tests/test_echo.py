"""Hearing over our own music: the echo goes, speech and positions stay, and nothing breaks it."""

from dataclasses import replace

import numpy as np
import pytest
from earshot.echo import EchoRemover, EchoSettings, cancelled_by_server
from earshot.errors import SettingsError
from earshot.reference import BLOCK, Played
from earshot.sources import Chunk
from earshot.tape import NANOSECONDS
from earshot.units import SAMPLE_RATE
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.echo_path import Samples, blocks_of, decibel, echo_of, joined, music, removed, weaker

MS = 1_000_000  # nanoseconds
PLAYED = music(8)
ECHO = echo_of(PLAYED)


def voice(seconds: float, level: float = 0.7) -> Samples:
    """Syllables of noise."""
    sound = music(seconds, seed=7)
    gate = np.sin(np.arange(len(sound)) / 1_500) > 0
    return (level * gate * sound).astype(np.float32)


def test_an_echo_is_taken_out() -> None:
    left = removed(ECHO, blocks_of(PLAYED))
    assert weaker(ECHO, left, 1, 2) > 15
    assert weaker(ECHO, left, 4, 8) > 25


def test_who_speaks_over_the_music_stays() -> None:
    speech = np.concatenate([np.zeros(4 * SAMPLE_RATE, np.float32), voice(4)])
    left = removed(ECHO + speech, blocks_of(PLAYED))
    assert weaker(ECHO, left - speech, 5, 8) > 15
    span = slice(5 * SAMPLE_RATE, None)
    assert abs(decibel(left[span]) - decibel(speech[span])) < 1


@pytest.mark.parametrize("late_ms", [-40, 60, 200, 350])
def test_an_echo_is_found_when_the_times_are_out(late_ms: int) -> None:
    left = removed(ECHO, blocks_of(PLAYED, -late_ms * MS))
    assert weaker(ECHO, left, 4, 7) > 20


def test_an_echo_that_comes_through_slow_loudspeakers_is_found() -> None:
    echo = echo_of(PLAYED, late_ms=300)
    assert weaker(echo, removed(echo, blocks_of(PLAYED)), 4, 8) > 20


def test_times_that_jitter_do_no_harm() -> None:
    dice = np.random.default_rng(0)
    blocks = [
        replace(block, time=block.time + int(dice.normal(0, 4 * MS))) for block in blocks_of(PLAYED)
    ]
    assert weaker(ECHO, removed(ECHO, blocks), 4, 8) > 22


@pytest.mark.parametrize("millionths", [-100, 100])
def test_clocks_that_drift_apart_are_followed(millionths: int) -> None:
    played = music(14)
    place = np.arange(len(played)) * (1 + millionths * 1e-6)
    # From eight times as many samples, a straight line between two is near enough.
    finer = np.fft.irfft(np.fft.rfft(echo_of(played)), 8 * len(played)) * 8
    echo = np.interp(place, np.arange(len(finer)) / 8, finer).astype(np.float32)
    left = removed(echo, blocks_of(played))
    assert weaker(echo, left, 10, 13.9) > 20


def test_without_music_everything_passes_bit_for_bit() -> None:
    remover, heard = EchoRemover(), voice(1)
    chunk = Chunk(0, heard)
    assert remover.heard(chunk, 0)[0] is chunk
    assert not remover.cleaned
    remover = EchoRemover()
    remover.played(blocks_of(np.zeros(SAMPLE_RATE, np.float32)))
    assert remover.heard(chunk, SAMPLE_RATE * NANOSECONDS)[0] is chunk


def test_a_pause_of_the_music_passes_bit_for_bit_and_nothing_is_forgotten() -> None:
    played = np.concatenate([music(4), np.zeros(3 * SAMPLE_RATE, np.float32), music(2, seed=3)])
    echo = echo_of(played)
    for told in (played[: 4 * SAMPLE_RATE], played):  # none tells of silence, the other does
        blocks = blocks_of(told)
        if len(told) < len(played):
            later = 7 * SAMPLE_RATE
            blocks += blocks_of(played[later:], later * NANOSECONDS)
        left = removed(echo, blocks)
        pause = slice(5 * SAMPLE_RATE, 6 * SAMPLE_RATE)
        assert np.array_equal(left[pause], echo[pause])
        assert weaker(echo, left, 7.2, 7.5) > 18
        assert weaker(echo, left, 8, 9) > 20


def test_a_player_that_begins_anew_is_followed() -> None:
    """The clock of its times may be the same; what it played before has no echo any more."""
    first, second = music(4), music(4, seed=5)
    echo = np.concatenate([echo_of(first), echo_of(second)])
    off = 30 * MS + 4 * SAMPLE_RATE * NANOSECONDS
    heard = np.concatenate([echo[: 4 * SAMPLE_RATE], echo[:480] * 0, echo[4 * SAMPLE_RATE :]])
    left = removed(heard, [*blocks_of(first), *blocks_of(second, off)])
    assert weaker(heard, left, 5, 8) > 20


def test_a_slip_that_no_time_tells_is_found_in_the_sound() -> None:
    slipped = np.concatenate([ECHO[: 4 * SAMPLE_RATE], ECHO[4 * SAMPLE_RATE + 300 :]])
    left = removed(slipped, blocks_of(PLAYED))
    assert weaker(slipped, left, 3, 4) > 25
    assert weaker(slipped, left, 7, 7.9) > 20


def test_blocks_that_were_lost_are_missed_but_followed() -> None:
    blocks = blocks_of(PLAYED)
    gone = 30
    blocks[400 : 400 + gone + 1] = [replace(blocks[400 + gone], lost=gone)]
    left = removed(ECHO, blocks)
    assert weaker(ECHO, left, 5.5, 8) > 20


def test_a_reference_that_comes_too_late_does_no_harm() -> None:
    left = removed(ECHO, blocks_of(PLAYED), ahead=-BLOCK * 40)
    assert weaker(ECHO, left, 0, 8) > -0.5


def test_a_reference_that_comes_late_is_enough_for_an_echo_that_comes_later() -> None:
    echo = echo_of(PLAYED, late_ms=300)
    left = removed(echo, blocks_of(PLAYED), ahead=-200 * SAMPLE_RATE // 1_000)
    assert weaker(echo, left, 5, 8) > 15


def test_a_gap_in_what_is_heard_keeps_its_place() -> None:
    gone = slice(4 * SAMPLE_RATE + 77, 5 * SAMPLE_RATE + 1_234)
    remover = EchoRemover()
    remover.played(blocks_of(PLAYED[: 7 * SAMPLE_RATE]))
    before = remover.heard(Chunk(0, ECHO[: gone.start]), gone.start * NANOSECONDS)
    end = 7 * SAMPLE_RATE
    after = remover.heard(Chunk(gone.stop, ECHO[gone.stop : end]), end * NANOSECONDS)
    rest = after[0]
    assert rest.first + len(rest.samples) == gone.start
    assert joined([*before, rest]).shape == (gone.start,)
    left = joined([*after[1:], *remover.flush()])
    assert after[1].first == gone.stop
    assert len(left) == end - gone.stop
    assert decibel(ECHO[gone.stop : end]) - decibel(left) > 20


@given(sizes=st.lists(st.integers(1, 5_000), min_size=1, max_size=30))
@settings(max_examples=10, deadline=None)
def test_any_slicing_gives_the_same_samples(sizes: list[int]) -> None:
    """The player tells everything before, for what it tells is sliced by its own blocks."""
    heard = ECHO[: 2 * SAMPLE_RATE]
    blocks = blocks_of(PLAYED[: 2 * SAMPLE_RATE])
    whole = removed(heard, blocks, ahead=len(heard), block=len(heard))
    remover, found, first = EchoRemover(), list[Chunk](), 0
    remover.played(blocks)
    for size in (*sizes, len(heard)):
        piece = heard[first : first + size]
        found += remover.heard(Chunk(first, piece), (first + len(piece)) * NANOSECONDS)
        first += len(piece)
    assert np.array_equal(joined([*found, *remover.flush()]), whole)


@given(
    times=st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=20),
    lost=st.integers(0, 2**32 - 1),
    level=st.sampled_from([0, 1, -32_768, 32_767]),
)
@settings(max_examples=30, deadline=None)
def test_no_times_and_no_samples_break_it(times: list[int], lost: int, level: int) -> None:
    remover, heard = EchoRemover(), ECHO[:4_000].copy()
    heard[100:3_000:7] = (np.nan, np.inf, -np.inf, 1e30) * 103 + (0.0, 0.0, 0.0)
    found, first = list[Chunk](), 0
    for time in times:
        remover.played([Played(time, np.full(BLOCK, level, np.int16), lost)])
        found += remover.heard(Chunk(first, heard), time)
        first += len(heard)
    left = joined([*found, *remover.flush()])
    assert len(left) == first
    clean = ECHO[:SAMPLE_RATE]
    after = joined([*remover.heard(Chunk(first, clean), times[-1]), *remover.flush()])
    assert np.isfinite(after).all()
    assert np.abs(after).max() < 100


def test_another_microphone_has_times_of_its_own() -> None:
    remover = EchoRemover()
    left = removed(ECHO, blocks_of(PLAYED), remover)
    assert weaker(ECHO, left, 4, 8) > 25
    remover.moved()
    zero = 20 * SAMPLE_RATE * NANOSECONDS
    left = removed(ECHO, blocks_of(PLAYED, zero), remover, zero=zero, first=len(ECHO))
    assert weaker(ECHO, left, 3, 8) > 20


@pytest.mark.parametrize("remove", ["", "on", "Auto"])
def test_a_setting_that_is_none_is_refused(remove: str) -> None:
    with pytest.raises(SettingsError, match="auto or off"):
        EchoSettings(remove)


@pytest.mark.parametrize(
    ("remove", "device", "wanted"),
    [
        ("auto", None, True),
        ("auto", "USB Audio", True),
        ("off", None, False),
        ("auto", "Echo-Cancel Source", False),
    ],
)
def test_what_the_sound_server_has_done_is_not_done_again(
    remove: str, device: str | None, *, wanted: bool
) -> None:
    assert EchoSettings(remove).wanted(device) == wanted
    assert cancelled_by_server("echo-cancel (default)")
