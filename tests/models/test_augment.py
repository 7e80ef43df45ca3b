"""Each thing that happens to log-mel frames does what it says, and nothing else."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from earshot.encoder import QUIET

from models import augment
from models.augment import NEPER, USUAL, Augmentation

Floats = npt.NDArray[np.float32]
# Nothing but gain and masks, which every row gets.
NEVER = Augmentation(noise=0, babble=0, voice=0, warped=0, coloured=0)


def dice(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def frames(seed: int = 0, count: int = 400) -> Floats:
    return dice(seed).normal(-7, 2, (count, 80)).astype(np.float32)


@pytest.mark.parametrize("decibel", [0.0, 5.0, 20.0])
def test_noise_is_so_many_decibel_below_the_speech(decibel: float) -> None:
    x, noise = frames(1), frames(2) + 3
    both = augment.mixed(x, noise, decibel)
    added = np.log(np.exp(both).mean() - np.exp(x).mean())
    assert (augment.power(x) - added) / NEPER == pytest.approx(decibel, abs=0.05)
    assert (both >= x - 1e-5).all(), "powers add up"


def test_beside_a_single_word_noise_is_measured_by_the_word() -> None:
    x, spoken = frames(1) - 10, np.zeros(400, np.bool_)
    spoken[100:130] = True
    x[spoken] += 16
    always, words = replace(NEVER, noise=1.0, loudest=6.0, faintest=6.0, masks=0), x[spoken]
    rows = [augment.augmented(x, [], lambda n, _: frames(2, n), dice(), always, s)
            for s in (None, spoken)]  # fmt: skip
    louder = augment.power(words) - augment.power(x)
    assert louder / NEPER == pytest.approx(11.2, abs=0.3), "of the whole row a word is little"
    assert np.median(rows[1][200:] - rows[0][200:]) == pytest.approx(louder, abs=0.05)


def test_babble_is_of_many_voices_equally_loud() -> None:
    voices = [np.full((50, 80), level, np.float32) for level in (-9.0, -2.0, 3.0)]
    found = {round(float(augment.power(augment.babble(voices, dice(s)))), 3) for s in range(40)}
    assert found == {round(float(np.log(count)), 3) for count in range(3, 8)}


def test_quiet_is_like_the_quietest_frames() -> None:
    x = frames()
    x[100:160] -= 6
    still = augment.quiet(x, 90, dice())
    assert still.shape == (90, 80)
    assert still.mean() < x[100:160].mean()
    assert still.std() == pytest.approx(augment.HISS, rel=0.2)


def test_pauses_go_between_words_and_tell_the_times() -> None:
    x = frames(count=120)
    start, end = np.array([10, 40, 80]), np.array([30, 60, 100])
    longer = augment.paused(x, (start, end), np.array([1, 2]), 50, dice(3))
    assert len(longer) == 170
    assert start[0] == 10
    for first, last, was in zip(start, end, (10, 40, 80), strict=True):
        np.testing.assert_array_equal(longer[first:last], x[was : was + 20])


def test_a_vocal_tract_of_the_same_length_changes_nothing() -> None:
    x = frames()
    np.testing.assert_allclose(augment.warped(x, 1.0), x, atol=0.01)


@pytest.mark.parametrize("factor", [0.92, 1.09])
def test_a_shorter_vocal_tract_has_its_formants_higher(factor: float) -> None:
    x = np.full((10, 80), -9, np.float32)
    x[:, 40] = 0
    assert augment.warped(x, factor)[0].argmax() == round(40 / factor)


def test_a_microphone_has_one_smooth_curve() -> None:
    x = frames()
    curve = augment.coloured(x, dice()) - x
    np.testing.assert_allclose(curve, curve[:1].repeat(len(x), 0), atol=1e-5)
    assert 0 < np.abs(np.diff(curve[0])).max() < 0.3


def test_nothing_is_quieter_than_digital_silence() -> None:
    x = np.full((20, 80), QUIET, np.float32)
    for seed in range(20):
        assert (augment.louder(x, dice(seed)) >= np.float32(QUIET)).all()


def test_masks_are_bands_and_short_times_of_the_mean() -> None:
    x = frames(count=640)
    found = augment.masked(x, dice(2))
    changed = found != x
    assert 0 < changed.mean() < 0.6
    mean = x.mean(0)
    assert (found[changed] == np.broadcast_to(mean, x.shape)[changed]).all()


def test_shares_of_0_leave_gain_and_masks() -> None:
    x = frames()
    found = augment.augmented(x, [], lambda _, __: frames(5), dice(4), NEVER)
    shift = np.median(found - x)
    assert (np.abs(found - x - shift) < 1e-4).mean() > 0.4


@pytest.mark.parametrize("kind", ["noise", "babble", "voice"])
def test_only_one_kind_of_noise_is_heard(kind: str) -> None:
    asked: list[int] = []

    def sound(length: int, _: np.random.Generator) -> Floats:
        asked.append(length)
        return frames(7, length)

    always: dict[str, Any] = {kind: 1.0}
    x, how = frames(), replace(NEVER, **always)
    found = augment.augmented(x, [frames(8), frames(9)], sound, dice(), how)
    assert asked == ([len(x)] if kind == "noise" else [])
    plain = augment.augmented(x, [frames(8)], sound, dice(), NEVER)
    assert not np.array_equal(found, plain)


def test_the_usual_shares_are_shares() -> None:
    amounts = {"slowest", "fastest", "loudest", "faintest", "longest", "shortest"}
    amounts |= {"loudest_babble", "loudest_voice", "masks"}
    shares = {field.name for field in fields(USUAL)} - amounts
    assert all(0 <= getattr(USUAL, name) <= 1 for name in shares)
    assert USUAL.noise + USUAL.babble + USUAL.voice < 1
