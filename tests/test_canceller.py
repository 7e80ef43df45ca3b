"""The filter that learns a room, what finds an echo far away, and what follows clocks."""

import numpy as np
import pytest
from earshot.canceller import HOP, PARTS, TAPS, Canceller, Samples, spectrum
from earshot.delay import SECTION, SPAN, DelayFinder
from earshot.drift import FASTEST, LOOKS, Drift

from tests.echo_path import decibel, echo_of, music


def through(canceller: Canceller, heard: Samples, played: Samples) -> Samples:
    """All hops of what is heard, one after the other; what is left of them."""
    before = np.concatenate([np.zeros(HOP, np.float32), played])
    hops = range(0, len(heard) - HOP + 1, HOP)
    return np.concatenate(
        [canceller.step(heard[at : at + HOP], before[at : at + 2 * HOP], learn=True) for at in hops]
    )


def test_the_response_of_the_room_is_learnt() -> None:
    played = music(6)
    heard = np.convolve(played, [0, 0, 0, 0.5, 0, -0.25])[: len(played)].astype(np.float32)
    canceller = Canceller()
    left = through(canceller, heard, played)
    assert decibel(heard[-16_000:]) - decibel(left[-16_000:]) > 40
    right = np.zeros(TAPS)
    right[[3, 5]] = 0.5, -0.25
    assert np.abs(canceller.response - right).max() < 0.1


def test_it_never_makes_what_is_heard_louder_for_long() -> None:
    """With headphones on there is no echo, and what is played is not put in."""
    speech, played = music(4, seed=8), music(4)
    left = through(Canceller(), speech, played)
    assert decibel(left) - decibel(speech[: len(left)]) < 0.5


def test_what_was_played_can_be_told_afterwards() -> None:
    played, heard = music(3), echo_of(music(3))
    one, other = Canceller(), Canceller()
    half = 2 * TAPS
    through(one, heard[:half], played[:half])
    through(other, heard[:half], played[:half])
    other.recall(np.zeros(TAPS + HOP, np.float32))
    other.recall(played[half - TAPS - HOP : half])
    hop, windows = heard[half : half + HOP], played[half - HOP : half + HOP]
    assert np.array_equal(one.step(hop, windows, learn=True), other.step(hop, windows, learn=True))


@pytest.mark.parametrize("later", [-700, 256, 1_000])
def test_a_response_that_is_moved_still_fits(later: int) -> None:
    played = music(6)
    heard = echo_of(played, late_ms=60)
    canceller, half = Canceller(), 48_128
    through(canceller, heard[:half], played[:half])
    canceller.shift(later)
    moved = np.roll(played, -later)
    canceller.recall(moved[half - TAPS - HOP : half])
    rest = slice(half, half + 4 * HOP)
    left = [
        canceller.step(heard[at : at + HOP], moved[at - HOP : at + HOP], learn=False)
        for at in range(rest.start, rest.stop, HOP)
    ]
    assert decibel(heard[rest]) - decibel(np.concatenate(left)) > 15


def test_moved_too_far_it_knows_nothing() -> None:
    canceller = Canceller()
    through(canceller, echo_of(music(1)), music(1))
    canceller.shift(-TAPS)
    assert not canceller.response.any()


def test_a_spectrum_is_filled_up_with_silence() -> None:
    rows = np.ones((2, 3), np.float32)
    assert np.allclose(spectrum(rows, 8), np.fft.rfft(rows, 8))
    assert spectrum(rows, 8).dtype == np.complex64


def sections(heard: Samples, played: Samples) -> list[int | None]:
    """What a finder says to the sections of what is heard."""
    finder = DelayFinder()
    before = np.concatenate([np.zeros(SPAN, np.float32), played])
    return [
        finder.find(heard[at : at + SECTION], before[at : at + SPAN + SECTION])
        for at in range(0, len(heard) - SECTION + 1, SECTION)
    ]


@pytest.mark.parametrize("late_ms", [10, 100, 400])
def test_an_echo_is_found_wherever_it_is(late_ms: int) -> None:
    played = music(5)
    speech = 0.1 * music(5, seed=9)
    found = sections(echo_of(played, late_ms) + speech, played)
    assert found[0] is None, "once is not enough"
    assert found[3:] == pytest.approx([16 * late_ms] * len(found[3:]), abs=2)


def test_where_there_is_no_echo_none_is_found() -> None:
    assert not any(sections(music(5, seed=9), music(5)))
    assert not any(sections(music(3, seed=9), np.zeros(48_000, np.float32)))
    assert not any(sections(np.zeros(48_000, np.float32), music(3)))


def response(late: float) -> Samples:
    """The spectra of a room whose sound comes later by so many samples."""
    dice = np.random.default_rng(4)
    taps = dice.standard_normal(TAPS) * np.exp(-np.arange(TAPS) / 300)
    bins = np.arange(TAPS // 2 + 1) / TAPS
    moved = np.fft.irfft(np.fft.rfft(taps) * np.exp(-2j * np.pi * bins * late), TAPS)
    return moved.astype(np.float32)


def look(drift: Drift, late: float, look: int) -> None:
    for hop in range(LOOKS):
        drift.follow(
            spectrum(response(late).reshape(PARTS, HOP), 2 * HOP), (look * LOOKS + hop) * HOP
        )


@pytest.mark.parametrize("rate", [-80e-6, 20e-6])
def test_a_response_that_wanders_tells_the_drift(rate: float) -> None:
    drift = Drift()
    for number in range(12):
        rest = rate * number * LOOKS * HOP - drift.later(number * LOOKS * HOP)
        look(drift, rest, number)
    assert drift.rate == pytest.approx(rate, rel=0.1)
    assert drift.later(10**6) == pytest.approx(rate * 10**6, rel=0.1)


def test_another_response_is_no_drift() -> None:
    drift = Drift()
    look(drift, 0, 0)
    drift.follow(spectrum(np.zeros((PARTS, HOP), np.float32), 2 * HOP), 0)
    for number, late in enumerate((0, 40, 200, -90), 1):
        look(drift, late, number)
    assert abs(drift.rate) < FASTEST / 4
    drift.forget()
    assert drift.later(0) == pytest.approx(0, abs=1)
