"""Files and pipes: whatever comes in, 16 kHz mono chunks come out, in order and without a gap."""

import errno
import io
import os
import struct
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from earshot.errors import AudioError
from earshot.events import AudioDropped
from earshot.sources import AudioFile, Chunk, Converter, Item, RawInput, Source, pcm16
from earshot.units import SAMPLE_RATE
from hypothesis import given
from hypothesis import strategies as st

from tests.recordings import recording, similarity

Samples = npt.NDArray[np.float32]


def tone(seconds: float = 1.0, rate: int = SAMPLE_RATE) -> Samples:
    return (0.4 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)).astype("f4")


def joined(items: list[Item]) -> Samples:
    chunks = [item for item in items if isinstance(item, Chunk)]
    for before, after in pairwise(chunks):
        assert after.first == before.first + len(before.samples)
    assert all(c.samples.dtype == np.float32 and c.samples.ndim == 1 for c in chunks)
    return np.concatenate([np.zeros(0, np.float32), *(c.samples for c in chunks)])


def hear(path: Path) -> Samples:
    return joined(list(AudioFile(path)))


FORMATS = [
    ("wav", "PCM_U8", 0.99),
    ("wav", "PCM_16", 0.9999),
    ("wav", "PCM_24", 0.9999),
    ("wav", "PCM_32", 0.9999),
    ("wav", "FLOAT", 0.9999),
    ("wav", "DOUBLE", 0.9999),
    ("flac", "PCM_16", 0.9999),
    ("flac", "PCM_24", 0.9999),
    ("ogg", "VORBIS", 0.95),
    ("ogg", "OPUS", 0.95),
    ("mp3", "MPEG_LAYER_III", 0.95),
]


@pytest.mark.parametrize(("suffix", "subtype", "least"), FORMATS)
def test_every_format_is_heard(tmp_path: Path, suffix: str, subtype: str, least: float) -> None:
    spoken = recording("librispeech_sentence2").samples()
    path = tmp_path / f"speech.{suffix}"
    soundfile.write(path, spoken, SAMPLE_RATE, subtype=subtype)
    heard, whole = hear(path), soundfile.read(path, dtype="float32")[0]
    assert abs(len(heard) - len(spoken)) <= 0.1 * SAMPLE_RATE  # MP3 pads
    assert similarity(heard, spoken) > least
    np.testing.assert_allclose(heard, whole, atol=1e-6)  # Opus begins where it should


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_every_rate_and_channel_count_is_heard(tmp_path: Path, rate: int, channels: int) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, np.repeat(tone(rate=rate)[:, None], channels, axis=1), rate)
    heard = hear(path)
    assert abs(len(heard) - SAMPLE_RATE) <= 1
    assert np.abs(heard - tone())[200:-200].max() < 0.01


def test_stereo_becomes_the_mean_of_both(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.stack([tone(), np.zeros(SAMPLE_RATE, "f4")], 1), SAMPLE_RATE)
    assert np.abs(hear(path) - tone() / 2).max() < 1e-4


def test_samples_that_are_no_number_become_silence_and_are_counted(tmp_path: Path) -> None:
    path, audio = tmp_path / "nan.wav", tone()
    bad = [100, 8_000, 8_001]
    audio[bad] = np.nan, np.nan, np.inf
    soundfile.write(path, audio, SAMPLE_RATE, subtype="FLOAT")
    items = list(AudioFile(path))
    heard = joined(items)
    assert [i for i in items if isinstance(i, AudioDropped)] == [
        AudioDropped(0, 1, 1),
        AudioDropped(8_000, 2, 3),
    ]
    assert heard[bad].tolist() == [0, 0, 0]
    assert np.array_equal(np.delete(heard, bad), np.delete(audio, bad))


@pytest.mark.parametrize("rate", [SAMPLE_RATE, 44_100])
def test_samples_beyond_full_scale_are_clipped(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "loud.wav"
    soundfile.write(path, (tone(rate=rate) * 1e30).astype("f4"), rate, subtype="FLOAT")
    assert np.abs(hear(path)).max() == 1.0


def test_what_is_left_of_a_truncated_wave_file_is_heard(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.wav", tmp_path / "cut.wav"
    soundfile.write(whole, tone(), SAMPLE_RATE)
    cut.write_bytes(whole.read_bytes()[: 44 + 2 * 5_000 + 1])
    assert np.array_equal(hear(cut), hear(whole)[:5_000])


def test_a_damaged_file_is_heard_up_to_the_damage(tmp_path: Path) -> None:
    path = tmp_path / "damaged.flac"
    soundfile.write(path, tone(3), SAMPLE_RATE)
    path.write_bytes(path.read_bytes()[:-15_000])
    heard: list[Item] = []
    with pytest.raises(AudioError, match=r"damaged\.flac: is damaged after \d\.\d s$"):
        heard.extend(AudioFile(path))
    assert np.abs(joined(heard) - tone(3)[: len(joined(heard))]).max(initial=0) < 1e-4


def wav(frames: int, rate: int = SAMPLE_RATE, channels: int = 1) -> bytes:
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * 2 * channels, 2 * channels, 16)
    data = bytes(frames * 2 * channels)
    body = (
        b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data)) + data
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.wav", b"", "is empty"),
        ("text.wav", b"this is no audio at all", "cannot be read as audio"),
        ("headerless.raw", bytes(3_200), "cannot be read as audio"),
        ("header.wav", wav(0), "holds no audio"),
        ("half.wav", wav(100)[:20], "cannot be read as audio"),
        ("slow.wav", wav(100, rate=10), "10 Hz; rates from 4000 to 384000 Hz can be heard"),
        ("fast.wav", wav(100, rate=2_000_000), "2000000 Hz; rates from"),
    ],
)
def test_a_file_that_is_no_recording_is_one_sentence(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AudioError) as caught:
        list(AudioFile(path))
    assert str(caught.value).startswith(f"{path}: ")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_a_folder_and_a_device_are_refused_at_once(tmp_path: Path) -> None:
    for path, reason in [
        (tmp_path / "none.wav", "no such file"),
        (tmp_path, "folder"),
        (Path("/dev/zero"), "device"),
    ]:
        with pytest.raises(AudioError, match=reason):
            AudioFile(path)


def test_a_pipe_in_place_of_a_file_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(AudioError, match="not a recording"):
        AudioFile(tmp_path / "pipe.wav")


def test_a_file_that_may_not_be_read_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    path = tmp_path / "secret.wav"
    path.write_bytes(wav(100))
    monkeypatch.setattr("os.open", refuse)  # for root may read everything
    with pytest.raises(AudioError, match="permission denied"):
        AudioFile(path)


def test_refused_files_leave_nothing_open(tmp_path: Path) -> None:
    path = tmp_path / "text.wav"
    path.write_bytes(b"this is no audio at all")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        with pytest.raises(AudioError, match="audio"):
            AudioFile(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_file_is_read_in_blocks(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, tone(5), SAMPLE_RATE)
    assert len(list(AudioFile(path))) == 50


def test_a_paced_file_takes_as_long_as_it_was_spoken(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(0.5), SAMPLE_RATE)
    began = time.monotonic()
    assert len(joined(list(AudioFile(path, paced=True)))) == 8_000
    assert time.monotonic() - began >= 0.5


def test_an_empty_end_of_a_resampled_file_is_still_given(tmp_path: Path) -> None:
    path = tmp_path / "short.wav"
    soundfile.write(path, tone(0.002, 48_000), 48_000)
    assert len(hear(path)) == 32


@given(
    cuts=st.lists(st.integers(1, 9_000), max_size=6), rate=st.sampled_from([8_000, 16_000, 44_100])
)
def test_any_slicing_is_converted_to_the_same_samples(cuts: list[int], rate: int) -> None:
    audio = np.stack([tone(0.2, rate), -tone(0.2, rate) / 3], 1)
    borders = sorted({0, len(audio), *(c for c in cuts if c < len(audio))})
    sliced, whole = Converter(rate), Converter(rate)
    items = [i for a, b in pairwise(borders) for i in sliced.convert(audio[a:b])]
    items += sliced.convert(audio[:0], last=True)
    assert np.allclose(joined(items), joined(whole.convert(audio, last=True)), atol=1e-6)


def test_a_gap_moves_the_position_by_what_was_lost() -> None:
    converter = Converter(48_000, position=1_000, lost=5)
    assert converter.skip(480) == AudioDropped(1_000, 160, 165)
    assert converter.position == 1_160


@given(st.lists(st.integers(-32_768, 32_767), max_size=50))
def test_pushed_bytes_are_the_samples_they_say(values: list[int]) -> None:
    heard = pcm16(struct.pack(f"<{len(values)}h", *values))
    assert (heard * 32_768).tolist() == values
    assert heard.dtype == np.float32


def test_half_a_sample_of_pushed_bytes_is_refused() -> None:
    with pytest.raises(AudioError, match="3 bytes"):
        pcm16(b"abc")


@pytest.mark.parametrize("tail", [b"", b"\x01"], ids=["even", "odd"])
@pytest.mark.parametrize("piece", [1, 3, 999, 100_000])
def test_a_pipe_is_heard_whatever_its_pieces(tail: bytes, piece: int) -> None:
    data = (tone(0.1) * 32_767).astype("<i2").tobytes() + tail
    reading, writing = os.pipe()

    def write() -> None:
        with open(writing, "wb", buffering=0) as out:  # noqa: PTH123 - a descriptor
            out.writelines(data[first : first + piece] for first in range(0, len(data), piece))

    writer = threading.Thread(target=write)
    writer.start()
    with open(reading, "rb") as pipe:  # noqa: PTH123 - a descriptor
        heard = joined(list(RawInput(pipe)))
    writer.join()
    assert np.array_equal(heard, pcm16(data[:3_200]))


def test_raw_audio_of_another_rate_is_resampled() -> None:
    stream = io.BytesIO((tone(1, 8_000) * 32_767).astype("<i2").tobytes())
    assert np.abs(joined(list(RawInput(stream, 8_000))) - tone())[200:-200].max() < 0.01


def closed_soon(source: Source, act: Callable[[], None]) -> list[Item]:
    """What a source gives until it is closed from outside, which must end it."""
    items: list[Item] = []
    reader = threading.Thread(target=lambda: items.extend(source), daemon=True)
    reader.start()
    act()
    source.close()
    source.close()
    reader.join(5)
    assert not reader.is_alive()
    return items


def test_closing_ends_a_silent_pipe() -> None:
    reading, writing = os.pipe()
    with open(reading, "rb") as pipe, open(writing, "wb"):  # noqa: PTH123 - descriptors
        assert closed_soon(RawInput(pipe), lambda: time.sleep(0.05)) == []


def test_closing_ends_a_paced_file(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, tone(60), SAMPLE_RATE)
    items = closed_soon(AudioFile(path, paced=True), lambda: time.sleep(0.05))
    assert 0 < len(joined(items)) < 30 * SAMPLE_RATE


def test_a_source_closed_before_it_began_gives_nothing() -> None:
    for source in (AudioFile(recording("an4_command1").path), RawInput(io.BytesIO(bytes(100)))):
        source.close()
        assert list(source) == []
