"""Features: Kaldi's filter banks as sherpa-onnx makes them, here computed once more in numpy."""

import kaldi_native_fbank as knf
import numpy as np
import pytest
from earshot.encoder import QUIET
from earshot.features import Features, _options, features
from earshot.units import FEATURE_BINS, FEATURE_HOP, SAMPLE_RATE

from tests.recordings import recordings


def mel(hertz: np.ndarray) -> np.ndarray:
    return np.asarray(1127 * np.log1p(hertz / 700))


def reference(audio: np.ndarray) -> np.ndarray:
    """Frames [T, 80] by the book: povey window, power spectrum, triangles on the mel scale."""
    count = (len(audio) + FEATURE_HOP // 2) // FEATURE_HOP
    at = np.arange(count)[:, None] * FEATURE_HOP + FEATURE_HOP // 2 - 200 + np.arange(400)
    at = np.where(at < 0, -at - 1, at)
    at = np.where(at >= len(audio), 2 * len(audio) - 1 - at, at)
    frames = audio.astype(np.float64)[at]
    frames -= frames.mean(1, keepdims=True)
    frames = frames - 0.97 * np.concatenate([frames[:, :1], frames[:, :-1]], 1)
    frames *= (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 399)) ** 0.85
    power = np.abs(np.fft.rfft(frames, 512)) ** 2
    first, last = mel(np.array([20.0, 7_600.0])).tolist()
    edges = np.linspace(first, last, FEATURE_BINS + 2)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    bins = mel(np.arange(257) * SAMPLE_RATE / 512)
    shares = np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)).clip(0)
    return np.asarray(np.log(np.maximum(power @ shares.T, np.finfo(np.float32).eps)))


def test_features_are_those_of_the_book() -> None:
    audio = recordings()[0].samples()
    found, wanted = features(audio), reference(audio)
    assert found.shape == wanted.shape
    loud = wanted > wanted.max() - 14  # below, the rounding of 32 bits is heard
    np.testing.assert_allclose(found[loud], wanted[loud], atol=0.01)


def test_every_option_is_set_where_kaldi_native_fbank_differs() -> None:
    ours, theirs = _options(), knf.FbankOptions()
    assert ours.frame_opts.dither == 0 != theirs.frame_opts.dither
    assert not ours.frame_opts.snip_edges
    assert theirs.frame_opts.snip_edges
    assert ours.mel_opts.num_bins == FEATURE_BINS != theirs.mel_opts.num_bins
    assert (ours.mel_opts.low_freq, ours.mel_opts.high_freq) == (20, -400)
    assert ours.frame_opts.samp_freq == SAMPLE_RATE
    assert (ours.frame_opts.frame_shift_ms, ours.frame_opts.frame_length_ms) == (10, 25)
    assert ours.frame_opts.window_type == "povey"
    assert ours.frame_opts.preemph_coeff == pytest.approx(0.97)
    assert ours.frame_opts.remove_dc_offset
    assert ours.use_log_fbank
    assert ours.use_power
    assert not ours.use_energy


@pytest.mark.parametrize("length", [0, 1, 79, 80, 160, 399, 400, 1_000, 16_000])
def test_there_is_a_frame_for_every_ten_milliseconds_of_any_length(length: int) -> None:
    audio = np.random.default_rng(0).normal(0, 0.1, length).astype(np.float32)
    found = features(audio)
    assert found.shape == ((length + FEATURE_HOP // 2) // FEATURE_HOP, FEATURE_BINS)
    assert np.isfinite(found).all()


def test_silence_is_quiet() -> None:
    np.testing.assert_allclose(features(np.zeros(1_600, np.float32)), QUIET, atol=1e-5)


def test_frames_come_as_soon_as_their_windows_are_complete() -> None:
    stream = Features()
    assert len(stream.accept(np.zeros(279, np.float32))) == 0
    assert len(stream.accept(np.zeros(1, np.float32))) == 1
    assert len(stream.accept(np.zeros(160 * 5, np.float32))) == 5
    assert len(stream.finish()) == 1
