from itertools import pairwise

import numpy as np
import pytest
from earshot.errors import AudioError, LimitError, RequestError
from earshot.pushed import PcmFormat, PushedAudio, Samples
from hypothesis import given
from hypothesis import strategies as st

RAMP = np.linspace(-1, 1, 3_000, dtype=np.float32)


def heard(form: PcmFormat, pieces: list[bytes]) -> Samples:
    audio = PushedAudio(form)
    return np.concatenate([*(audio.accept(piece) for piece in pieces), audio.finish()])


def test_sixteen_bits_at_our_rate_are_only_scaled() -> None:
    data = np.array([-32_768, 0, 16_384], "<i2").tobytes()
    assert heard(PcmFormat("s16le", 16_000), [data]).tolist() == [-1.0, 0.0, 0.5]


def test_floats_over_full_scale_are_clipped() -> None:
    data = np.array([-2.0, 0.25, 7.0], "<f4").tobytes()
    assert heard(PcmFormat("f32le", 16_000), [data]).tolist() == [-1.0, 0.25, 1.0]


def test_channels_are_averaged() -> None:
    data = np.array([[0.5, 0.1], [-0.5, 0.1]], "<f4").tobytes()
    assert np.allclose(heard(PcmFormat("f32le", 16_000, 2), [data]), [0.3, -0.2])


@given(st.lists(st.integers(0, RAMP.nbytes), max_size=5), st.sampled_from([8_000, 16_000, 44_100]))
def test_any_slicing_gives_the_same_samples(cuts: list[int], rate: int) -> None:
    data, form = RAMP.tobytes(), PcmFormat("f32le", rate)
    edges = [0, *sorted(cuts), len(data)]
    pieces = [data[a:b] for a, b in pairwise(edges)]
    assert np.array_equal(heard(form, pieces), heard(form, [data]))


def test_another_rate_keeps_the_length_in_seconds() -> None:
    tone = np.sin(np.arange(48_000) / 20).astype("<f4")
    assert abs(len(heard(PcmFormat("f32le", 48_000), [tone.tobytes()])) - 16_000) <= 1


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(AudioError, match="no numbers"):
        PushedAudio(PcmFormat("f32le", 16_000)).accept(np.array([np.inf], "<f4").tobytes())


def test_half_a_sample_at_the_end_is_refused() -> None:
    audio = PushedAudio(PcmFormat("s16le", 16_000, 2))
    audio.accept(bytes(7))
    with pytest.raises(AudioError, match="3 bytes are over"):
        audio.finish()


def test_a_format_that_is_none_is_refused() -> None:
    for sample, rate in (("mp3", 16_000), ("s16le", 0), ("s16le", 7_999), ("s16le", 48_001)):
        with pytest.raises(RequestError):
            PcmFormat(sample, rate)
    with pytest.raises(LimitError, match="9 channels exceed the limit of 8 channels"):
        PcmFormat("s16le", 16_000, 9)
