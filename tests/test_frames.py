"""Frames: any slicing in, frames of 20 ms out; the last of them kept."""

from itertools import pairwise

import numpy as np
import pytest
from earshot.frames import Frames, PreRoll
from earshot.units import VAD_FRAME
from hypothesis import given
from hypothesis import strategies as st


@given(cuts=st.lists(st.integers(0, 5_000), max_size=8), length=st.integers(0, 5_000))
def test_any_slicing_gives_the_same_frames_and_loses_nothing(cuts: list[int], length: int) -> None:
    audio = np.arange(length, dtype=np.float32)
    borders = sorted({0, length, *(c for c in cuts if c < length)})
    frames = Frames()
    found = [f for a, b in pairwise(borders) for f in frames.accept(audio[a:b])]
    rest = frames.finish()
    assert all(len(f) == VAD_FRAME for f in found)
    assert len(found) == length // VAD_FRAME
    assert (rest is None) == (length % VAD_FRAME == 0)
    heard = np.concatenate([*found, *([rest] if rest is not None else []), np.zeros(0, np.float32)])
    assert heard[:length].tolist() == audio.tolist()
    assert not heard[length:].any()


def test_the_rest_is_given_once() -> None:
    frames = Frames()
    frames.accept(np.ones(VAD_FRAME + 1, np.float32))
    assert frames.finish() is not None
    assert frames.finish() is None


@pytest.mark.parametrize("count", [0, 1, 15, 16, 100])
def test_the_pre_roll_is_the_last_audio_in_order(count: int) -> None:
    preroll = PreRoll(300)
    frames = [np.full(VAD_FRAME, i, np.float32) for i in range(count)]
    for frame in frames:
        preroll.add(frame)
    kept = preroll.take()
    assert kept[::VAD_FRAME].tolist() == list(range(count))[-15:]
    assert len(preroll.take()) == 0
    for frame in kept.reshape(-1, VAD_FRAME):
        preroll.add(frame)
    assert preroll.take(100).tolist() == kept[-5 * VAD_FRAME :].tolist()
