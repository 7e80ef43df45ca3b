"""Lines: as many samples, where they were and as loud, but spoilt as each codec does."""

import random

import numpy as np
import numpy.typing as npt
import pytest
from earshot.units import SAMPLE_RATE

from models.channel import CODECS, PEAKS, Codec, coded, line, through
from tests.recordings import recordings

KNOWN = {codec.subtype: codec for codec in CODECS if codec.rate < SAMPLE_RATE}
Floats = npt.NDArray[np.float32]


def lag(spoken: Floats, heard: Floats) -> tuple[int, float]:
    """By how many samples `heard` is late, and how like it then is."""
    size = 2 * len(spoken)
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(spoken, size))
    products = np.fft.irfft(spectrum, size)
    at, norm = int(products.argmax()), np.linalg.norm(spoken) * np.linalg.norm(heard)
    return (at + len(spoken)) % size - len(spoken), float(products.max() / norm)


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
def test_speech_comes_out_where_it_was_and_as_loud(codec: Codec) -> None:
    for spoken in (one.samples() for one in recordings()[:4]):
        heard = through(spoken, codec, -6.0)
        late, alike = lag(spoken, heard)
        assert heard.dtype == np.float32
        assert heard.shape == spoken.shape
        assert abs(late) <= 1
        assert 0.7 < alike < 0.99999, "the same, but spoilt"
        assert 0.6 < np.linalg.norm(heard) / np.linalg.norm(spoken) < 1.2


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
@pytest.mark.parametrize("length", [1_601, 16_000])
def test_as_many_samples_come_out_even_of_silence(codec: Codec, length: int) -> None:
    assert coded(np.zeros(length, np.float32), codec).shape == (length,)
    assert np.isfinite(through(np.zeros(length, np.float32), codec, -6.0)).all()


@pytest.mark.parametrize("codec", [c for c in CODECS if c.rate < SAMPLE_RATE], ids=lambda c: c.name)
def test_a_telephone_lets_no_high_sounds_through(codec: Codec) -> None:
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    low, high = (
        np.float32(0.25) * np.sin(2 * np.pi * f * time, dtype=np.float32) for f in (1e3, 6e3)
    )
    assert np.linalg.norm(coded(high, codec)) < 0.05 * np.linalg.norm(high)
    assert np.linalg.norm(coded(low, codec)) > 0.7 * np.linalg.norm(low)


@pytest.mark.parametrize(("subtype", "least"), [("ULAW", 132), ("ALAW", 256)])
def test_companding_keeps_four_bits_below_the_first(subtype: str, least: int) -> None:
    """ITU-T G.711: each octave of the level has 16 steps, so noise is below it as in speech."""
    spoken = np.arange(-30_000, 30_000, 7, dtype=np.float32) / np.float32(32_768)
    heard = coded(spoken, Codec("at the full rate", "WAV", subtype, SAMPLE_RATE))
    level = np.maximum(np.abs(spoken) * 32_768, least)
    assert (np.abs(heard - spoken) * 32_768 <= level / 16).all()
    assert len(np.unique(heard)) == pytest.approx(250, abs=10), "8 bits, nearly all in use"


def test_what_is_too_loud_is_clipped() -> None:
    spoken = (0.5 * np.sin(np.arange(16_000) / 20)).astype(np.float32)
    narrow = KNOWN["FLOAT"]
    clean, loud = (through(spoken, narrow, peak) for peak in (-1.0, 6.0))
    assert np.abs(clean[500:-500]).max() == pytest.approx(0.5, rel=0.02)
    assert np.linalg.norm(loud - spoken) > 5 * np.linalg.norm(clean - spoken)
    assert np.abs(loud[500:-500]).max() < 0.35


def test_a_line_is_a_function_of_its_dice() -> None:
    spoken = recordings()[0].samples()
    one, same, other = (line(spoken, random.Random(seed)) for seed in (1, 1, 2))  # noqa: S311
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert PEAKS[1] > 0, "some are overloaded"
