"""The gate: opens for every word, stays shut for even noise, and does not care about slices."""

from itertools import product

import numpy as np
import numpy.typing as npt
import pytest
from earshot.errors import SettingsError
from earshot.frames import Frames
from earshot.units import SAMPLE_RATE, VAD_FRAME, VAD_FRAME_MS, samples
from earshot.vad import TABLE, Gate, Vad, VadSettings
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recordings import Recording, recordings

Samples = npt.NDArray[np.float32]


class ScriptedDetector:
    """In the place of webrtcvad: says what the script says."""

    def __init__(self, script: list[bool]) -> None:
        self._script = iter(script)

    def is_speech(self, _pcm: bytes, _rate: int) -> bool:
        return next(self._script)


def scripted(script: list[bool], given: VadSettings | None = None) -> list[Gate]:
    vad = Vad(given or VadSettings())
    vad._detector = ScriptedDetector(script)
    states = []
    for _ in script:
        vad.accept(np.zeros(VAD_FRAME, np.float32))
        states.append(vad.state)
    return states


def gates(audio: Samples, given: VadSettings | None = None) -> list[Gate]:
    vad, frames, states = Vad(given or VadSettings()), Frames(), []
    for frame in frames.accept(audio):
        vad.accept(frame)
        states.append(vad.state)
    return states


def noise(decibels: float, seconds: float = 10.0) -> Samples:
    white = np.random.default_rng(1).standard_normal(int(seconds * SAMPLE_RATE))
    return (white * 10 ** (decibels / 20)).astype(np.float32)


def test_every_row_is_in_the_table() -> None:
    assert set(TABLE) == set(product(Gate, (True, False), (True, False)))


def test_it_opens_after_enough_speech_and_not_before() -> None:
    states = scripted([False, True, True, True, True])
    assert states == [Gate.QUIET, Gate.STARTING, Gate.STARTING, Gate.SPEAKING, Gate.SPEAKING]


def test_a_short_noise_does_not_open_it() -> None:
    assert Gate.SPEAKING not in scripted([True, True, False] * 5)


def test_a_pause_does_not_close_it_but_enough_quiet_does() -> None:
    most = VadSettings().stop_ms // VAD_FRAME_MS
    states = scripted([True] * 3 + [False] * (most - 1) + [True] + [False] * most)
    assert states[most + 1] is Gate.STOPPING
    assert states[most + 2] is Gate.SPEAKING
    assert states[-2:] == [Gate.STOPPING, Gate.QUIET]


@given(script=st.lists(st.booleans(), max_size=200), start=st.integers(1, 200))
@settings(max_examples=50)
def test_it_is_open_only_after_enough_speech_in_a_row(script: list[bool], start: int) -> None:
    states = scripted(script, VadSettings(start_ms=start))
    needed = -(-start // VAD_FRAME_MS)
    for i, (before, after) in enumerate(zip([Gate.QUIET, *states], states, strict=False)):
        if after is Gate.SPEAKING and before in {Gate.QUIET, Gate.STARTING}:
            assert all(script[i - needed + 1 : i + 1])


@pytest.mark.parametrize("recording", recordings(), ids=lambda r: r.path.stem)
@pytest.mark.parametrize("softer", [0, 12, 24], ids=lambda d: f"{d}dB-softer")
def test_it_opens_for_every_recording_however_soft(recording: Recording, softer: int) -> None:
    assert Gate.SPEAKING in gates(recording.samples() * np.float32(10 ** (-softer / 20)))


@pytest.mark.parametrize("recording", recordings(), ids=lambda r: r.path.stem)
def test_speech_without_lead_in_opens_it_within_the_pre_roll(recording: Recording) -> None:
    audio = recording.samples()
    loud = np.flatnonzero(np.abs(audio) > 0.3 * np.abs(audio).max())
    states = gates(audio[loud[0] :])
    opened = states.index(Gate.SPEAKING) + 1
    assert opened * VAD_FRAME <= samples(VadSettings().preroll_ms)


@pytest.mark.parametrize("recording", recordings(), ids=lambda r: r.path.stem)
def test_the_pre_roll_reaches_back_to_the_first_sound_in_noise(recording: Recording) -> None:
    audio = recording.samples()
    soft = 0.1 * np.abs(audio).max()
    states = gates(np.concatenate([noise(-62, 3.0), audio]))
    # The noise itself may open it once, as it begins, before it is known for noise.
    after = next(i for i, s in enumerate(states) if i > 100 and s is Gate.SPEAKING) + 1
    first_loud = samples(3_000) + int(np.flatnonzero(np.abs(audio) > soft)[0])
    assert after * VAD_FRAME - samples(VadSettings().preroll_ms) <= first_loud


@pytest.mark.parametrize("level", [-200, -80, -60, -50, -40])
def test_even_noise_opens_it_for_a_moment_at_most(level: int) -> None:
    states = gates(noise(level, 20.0))
    assert sum(s in {Gate.SPEAKING, Gate.STOPPING} for s in states) < len(states) / 10


def test_noise_that_becomes_louder_is_taken_for_noise_again() -> None:
    states = gates(np.concatenate([noise(-70), noise(-50, 20.0)]))
    assert all(s in {Gate.QUIET, Gate.STARTING} for s in states[-400:])


def test_full_scale_and_silence_are_no_trouble() -> None:
    square = np.sign(np.sin(np.arange(SAMPLE_RATE) / 20)).astype(np.float32)
    assert len(gates(np.concatenate([square, np.zeros(SAMPLE_RATE, np.float32)]))) == 100


def test_an_aggressiveness_that_is_not_one_is_refused() -> None:
    with pytest.raises(SettingsError, match="aggressiveness is 4"):
        VadSettings(aggressiveness=4)
