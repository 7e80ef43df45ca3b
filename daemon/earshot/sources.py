"""Where audio comes from: files, a pipe, bytes of a client; the microphone has a file of its own.

A source is a blocking iterator of chunks (16 kHz mono) and of events about itself; one thread reads
it, any may close it. Positions count all samples since it was opened, lost ones too: where `first`
jumps there is a gap, and the AudioDropped before it says how long. Samples that are no number are
replaced by silence; they are reported in the same way, but leave no gap.
"""

import io
import os
import select
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from earshot.errors import AudioError
from earshot.events import AudioDropped, SourceChanged
from earshot.units import SAMPLE_RATE, samples, seconds

Samples = npt.NDArray[np.float32]

BLOCK = samples(100)  # samples a chunk of a file or a pipe
POLL_SECONDS = 0.1  # for how long a silent pipe may delay `close`
LOWEST_RATE, HIGHEST_RATE = 4_000, 384_000  # Hz; beyond, it is not speech but a damaged header


@dataclass(frozen=True, slots=True)
class Chunk:
    """Samples [N] at 16 kHz, mono, in -1..1, and the absolute position of the first."""

    first: int
    samples: Samples
    cleaned: bool = False
    """whether the echo of what was played was taken out of it"""


Item = Chunk | AudioDropped | SourceChanged


class Source(Protocol):
    """What every source is."""

    live: bool
    """whether audio is lost when nobody takes it"""

    @property
    def description(self) -> str:
        """What it is, in a few words."""

    def __iter__(self) -> Iterator[Item]:
        """Chunks and events until the end of the audio, once. Raises EarshotError."""

    def close(self) -> None:
        """End the iteration soon; from any thread, and as often as one likes."""


@runtime_checkable
class Mutable(Protocol):
    """A source with a device that can be given back for a while."""

    def mute(self) -> bool:
        """Close the device and leave it closed; False if it has not let go after a while."""

    def unmute(self) -> None:
        """Open it again."""


@runtime_checkable
class Attentive(Protocol):
    """A source that hands on larger pieces of audio while nobody speaks."""

    def attend(self, *, speaking: bool) -> None:
        """Take note of whether somebody does."""


def pcm16(data: bytes) -> Samples:
    """Read signed 16-bit little-endian PCM as samples [N]. AudioError if half a sample is over."""
    if len(data) % 2:
        message = f"{len(data)} bytes are not a whole number of 16-bit samples"
        raise AudioError(message)
    return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32_768)


class Converter:
    """Audio of any rate and channel count to chunks; streaming, any slicing gives the same samples.

    It also counts: `position` is that of the next sample, `lost` how many were lost so far.
    """

    def __init__(self, rate: int, *, position: int = 0, lost: int = 0) -> None:
        """From `rate` Hz, going on at a position. AudioError if that is no rate of audio."""
        if not LOWEST_RATE <= rate <= HIGHEST_RATE:
            message = f"{rate} Hz; rates from {LOWEST_RATE} to {HIGHEST_RATE} Hz can be heard"
            raise AudioError(message)
        self._rate, self.position, self.lost = rate, position, lost
        self._resampler = None if rate == SAMPLE_RATE else soxr.ResampleStream(rate, SAMPLE_RATE, 1)

    def convert(self, block: Samples, *, last: bool = False) -> list[Item]:
        """Take frames [N, channels] or [N]; at the `last`, also give what was held back."""
        frames = block[:, np.newaxis] if block.ndim == 1 else block
        found: list[Item] = []
        fit = np.isfinite(frames)
        if not fit.all():
            found.append(self._count(int(np.count_nonzero(~fit.all(axis=1)))))
            frames = np.where(fit, frames, np.float32(0))
        frames = frames.clip(-1, 1)
        alone = frames.shape[1] == 1  # as it is nearly always: silence must cost little
        mono = frames[:, 0] if alone else frames.mean(axis=1, dtype=np.float32)
        if self._resampler is not None:  # it overshoots where the wave was clipped
            mono = self._resampler.resample_chunk(mono, last=last).clip(-1, 1)
        if len(mono):
            found.append(Chunk(self.position, mono))
            self.position += len(mono)
        return found

    def skip(self, frames: int) -> AudioDropped:
        """Leave a gap of so many frames at the rate of the input, one at least."""
        dropped = self._count(max(1, frames))
        self.position += dropped.samples
        return dropped

    def _count(self, frames: int) -> AudioDropped:
        lost = max(1, round(frames * SAMPLE_RATE / self._rate))
        self.lost += lost
        return AudioDropped(self.position, lost, self.lost)


class _Straight(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """Reads straight on: soundfile seeks after every read, which makes noise of MP3."""

    def seekable(self) -> bool:
        """Say no, although it can."""
        return False


def _rewound(file: soundfile.SoundFile) -> soundfile.SoundFile:
    """At its beginning: libsndfile 1.2.2 opens Opus at what decoders are to skip."""
    if soundfile.SoundFile.seekable(file):
        file.seek(0)
    return file


def open_recording(path: Path) -> soundfile.SoundFile:
    """Open a file in any format libsndfile reads. AudioError, with the reason, if it cannot."""
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):  # pipes and devices may block for ever
            _refuse(path, "is a folder or a device, not a recording")
        if not facts.st_size:
            _refuse(path, "is empty")
        # By number: by name, libsndfile takes anything called .raw for headerless audio.
        return _rewound(_Straight(os.open(path, os.O_RDONLY | os.O_CLOEXEC)))
    except OSError as error:
        _refuse(path, (error.strerror or str(error)).lower())
    except soundfile.SoundFileError as error:
        reason = str(error).rpartition(": ")[2].strip(".\n") or "unknown format"
        _refuse(path, f"cannot be read as audio ({reason})")


def _refuse(path: Path, reason: str) -> NoReturn:
    message = f"{path}: {reason}"
    raise AudioError(message) from None


class AudioFile:
    """A recording in any format libsndfile reads; with `paced`, as slowly as it was spoken.

    What is readable of a truncated file is heard. AudioError, with the file and the reason, comes
    where it cannot be heard (any further).
    """

    live = False

    def __init__(self, path: Path, *, paced: bool = False) -> None:
        self.description = f"recording {path.name}"
        self._path, self.paced = path, paced
        self._lock, self._closed = threading.Lock(), threading.Event()
        self._file = open_recording(path)
        try:
            self._converter = Converter(self._file.samplerate)
        except AudioError as error:
            self.close()
            self._fail(str(error))

    def __iter__(self) -> Iterator[Item]:
        """All of it, block by block."""
        began, empty = time.monotonic(), True
        try:
            while (block := self._read()) is not None:
                last = not len(block)
                if last and empty:
                    self._fail("holds no audio")
                yield from self._converter.convert(block, last=last)
                empty = False
                if last or self._closed_before_due(began):
                    return
        finally:
            self.close()

    def close(self) -> None:
        """End after the block under way."""
        self._closed.set()
        with self._lock:
            self._file.close()

    def _read(self) -> Samples | None:
        """Read the next block [N, channels]: empty at the end, None when closed."""
        with self._lock:
            if self._closed.is_set():
                return None
            try:
                frames = BLOCK * self._file.samplerate // SAMPLE_RATE
                block: Samples = self._file.read(frames, dtype="float32", always_2d=True)
            except soundfile.SoundFileError:
                self._fail(f"is damaged after {seconds(self._converter.position):.1f} s")
        return block

    def _closed_before_due(self, began: float) -> bool:
        """Wait, if paced, until what was given would have been spoken; whether to end instead."""
        due = began + seconds(self._converter.position) - time.monotonic() if self.paced else 0.0
        return self._closed.wait(max(0.0, due))

    def _fail(self, reason: str) -> NoReturn:
        _refuse(self._path, reason)


class RawInput:
    """Raw 16-bit little-endian mono PCM, such as a pipe gives. Half a sample at the end is none."""

    live = False

    def __init__(self, stream: BinaryIO, rate: int = SAMPLE_RATE) -> None:
        """From an open stream, of which nothing has been read. AudioError for an odd rate."""
        self.description = f"raw audio, {rate} Hz"
        self._stream, self._converter = stream, Converter(rate)
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[Item]:
        """Chunks as they come, until the stream ends."""
        rest = b""
        while (data := self._read()) is not None:
            whole = rest + data
            even = len(whole) - len(whole) % 2
            yield from self._converter.convert(pcm16(whole[:even]), last=not data)
            rest = whole[even:]
            if not data:
                return

    def close(self) -> None:
        """End within POLL_SECONDS, also while nothing comes."""
        self._closed.set()

    def _read(self) -> bytes | None:
        """Take what has come: empty at the end, None when closed."""
        try:
            descriptor = self._stream.fileno()
        except io.UnsupportedOperation:  # in memory, where reading never blocks
            return None if self._closed.is_set() else self._stream.read(2 * BLOCK)
        while not self._closed.is_set():
            ready, _, _ = select.select([descriptor], [], [], POLL_SECONDS)
            if ready:
                return os.read(descriptor, 2 * BLOCK)
        return None
