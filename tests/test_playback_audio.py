"""What makes sound of files: decoder, tone, ramps, limiter."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from earshot.errors import AudioError, SettingsError
from earshot.playback.audio import BLOCK, RATE, Frames, amplitude
from earshot.playback.decoder import check, decoded
from earshot.playback.equaliser import Equaliser, sections, step
from earshot.playback.limiter import CEILING, LOOK, Limiter
from earshot.playback.ramp import Ramp
from earshot.playback.settings import Tone

from tests.music import FORMATS, level, loudest, record, spoilt, tone

SECOND = float(RATE)


def noise(frames: int, loudness: float) -> Frames:
    dice = np.random.default_rng(0)
    return (loudness * dice.normal(size=(frames, 2))).astype(np.float32)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_comes_out_as_stereo_at_one_rate(name: str, tmp_path: Path) -> None:
    heard = np.concatenate(list(decoded(record(tmp_path, name, 1.0))))
    assert heard.dtype == np.float32
    assert heard.shape[1] == 2
    assert abs(len(heard) - RATE) < RATE / 10  # MP3 brings some silence
    assert loudest(heard[:, 0], RATE) == pytest.approx(440, abs=3)
    assert level(heard[RATE // 4 : RATE // 2]) == pytest.approx(0.5 / np.sqrt(2), rel=0.03)


def test_a_long_file_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    path = record(tmp_path, "stereo.wav", 30.0)
    tracemalloc.start()
    heard = sum(len(piece) for piece in decoded(path))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert heard == 30 * RATE
    assert most < 2_000_000  # all of it would be 11 MB


def test_what_cannot_be_played_is_refused_with_the_file_and_the_reason(tmp_path: Path) -> None:
    for path, reason in spoilt(tmp_path / "bad").items():
        with pytest.raises(AudioError, match=reason) as refused:
            check(path)
        assert str(refused.value).startswith(f"{path}: ")


def test_a_file_without_audio_is_refused_where_it_is_played(tmp_path: Path) -> None:
    spoilt(tmp_path)
    check(tmp_path / "bare.wav")
    with pytest.raises(AudioError, match="holds no audio"):
        list(decoded(tmp_path / "bare.wav"))


@pytest.mark.parametrize("name", ["tone.flac", "tone.ogg", "tone.mp3", "stereo.wav"])
def test_of_a_truncated_file_what_is_readable_is_played(name: str, tmp_path: Path) -> None:
    path = record(tmp_path, name, 20.0)  # Ogg has few and long pages
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    heard = 0
    try:
        for piece in decoded(path):
            heard += len(piece)
    except AudioError as error:
        assert "is damaged after" in str(error)  # noqa: PT017 - not every format tells
    assert 5 * RATE < heard < 15 * RATE


@pytest.mark.parametrize(
    ("hertz", "expected"), [(20.0, 6.0), (1_000.0, -3.0), (15_000.0, 4.0), (300.0, None)]
)
def test_the_tone_changes_what_it_says(hertz: float, expected: float | None) -> None:
    wave = tone(1.0, RATE, 2, hertz).astype(np.float32)
    heard = Equaliser(sections(Tone(6.0, -3.0, 4.0))).process(wave, last=True)
    change = 20 * np.log10(level(heard[RATE // 2 :]) / level(wave[RATE // 2 :]))
    if expected is not None:
        assert change == pytest.approx(expected, abs=0.15)
    else:
        assert abs(change) < 1.5  # between the bands


def test_any_slicing_is_filtered_as_the_plain_filter_does() -> None:
    filters, audio = sections(Tone(12.0, -12.0, 3.0)), noise(3_000, 0.1)
    state = np.zeros((6, 2))
    plain = np.stack([step(filters, state, frame.astype(np.float64)) for frame in audio])
    for seed in range(3):
        cuts = np.sort(np.random.default_rng(seed).integers(0, len(audio), 12))
        equaliser, pieces = Equaliser(filters), np.split(audio, cuts)
        out = [equaliser.process(piece) for piece in pieces[:-1]]
        out.append(equaliser.process(pieces[-1], last=True))
        assert np.concatenate(out) == pytest.approx(plain, abs=1e-6)


def test_a_tone_beyond_its_range_is_refused() -> None:
    with pytest.raises(SettingsError, match="bass_db is 30, but must be from -24 to 24"):
        Tone(bass_db=30.0)


def test_a_ramp_never_jumps_and_arrives() -> None:
    ramp = Ramp(1.0)
    ramp.to(0.0, 30.0)
    factors = np.concatenate([np.ravel(ramp.take(BLOCK)) for _ in range(2)])
    assert np.abs(np.diff(factors, prepend=1.0)).max() < 1e-3
    assert ramp.silent
    assert ramp.take(BLOCK) == 0.0


def test_a_ramp_turns_back_from_where_it_is() -> None:
    ramp = Ramp(1.0)
    ramp.to(0.0, 100.0)
    first = np.ravel(ramp.take(BLOCK))
    ramp.to(1.0, 10.0)
    second = np.ravel(ramp.take(BLOCK))
    assert abs(second[0] - first[-1]) < 1e-3
    assert second[-1] == 1.0


def limited(audio: Frames) -> Frames:
    limiter = Limiter()
    return np.concatenate([limiter.process(part) for part in np.split(audio, len(audio) // BLOCK)])


def test_what_does_not_clip_is_only_delayed() -> None:
    audio = noise(10 * BLOCK, 0.1)
    assert np.array_equal(limited(audio)[LOOK:], audio[:-LOOK])


def test_nothing_clips_and_it_is_turned_down_and_not_cut() -> None:
    loud = (4.0 * tone(1.0, RATE)).astype(np.float32)  # 6 dB over
    out = limited(loud)
    assert np.abs(out).max() <= CEILING + 1e-6
    steady = out[RATE // 2 :]
    assert loudest(steady[:, 0], RATE) == pytest.approx(440, abs=3)
    spectrum = np.abs(np.fft.rfft(steady[:, 0] * np.hanning(len(steady))))
    harmonics = spectrum[len(steady) * 880 // RATE + 20 :].max()
    assert harmonics < spectrum.max() * amplitude(-50.0)  # a clipped sine has a third at -12 dB


def test_the_limiter_lets_go_again() -> None:
    audio = (0.5 * tone(1.0, RATE)).astype(np.float32)
    audio[: 2 * BLOCK] *= 8.0
    out = limited(audio)
    assert np.allclose(out[RATE // 2 + LOOK :], audio[RATE // 2 : -LOOK], atol=1e-6)
