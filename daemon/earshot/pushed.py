"""Audio that a client pushes: bytes in pieces of any length to samples."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soxr

from earshot.errors import AudioError, LimitError, RequestError
from earshot.units import SAMPLE_RATE

Samples = npt.NDArray[np.float32]

FORMATS = {"s16le": ("<i2", 32_768.0), "f32le": ("<f4", 1.0)}  # numpy type, full scale
LOWEST_RATE, HIGHEST_RATE = 8_000, 48_000  # Hz
MOST_CHANNELS, _CHANNELS = 8, "channels"


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """How pushed samples are written. Raises RequestError if it is not one of ours."""

    sample: str
    rate: int  # Hz
    channels: int = 1

    def __post_init__(self) -> None:
        if self.sample not in FORMATS:
            message = f"a sample format must be said, one of {', '.join(FORMATS)}"
            raise RequestError(message)
        if not LOWEST_RATE <= self.rate <= HIGHEST_RATE:
            message = f"a sample rate of {self.rate} Hz: send {LOWEST_RATE} to {HIGHEST_RATE} Hz"
            raise RequestError(message)
        if self.channels > MOST_CHANNELS:
            raise LimitError(_CHANNELS, self.channels, MOST_CHANNELS, _CHANNELS)


class PushedAudio:
    """The pushed bytes of one stream as samples [N] at 16 kHz; a cut may fall inside a sample."""

    def __init__(self, form: PcmFormat) -> None:
        self._type, self._full_scale = FORMATS[form.sample]
        self._channels = form.channels
        self._frame = np.dtype(self._type).itemsize * form.channels  # bytes
        self._resampler = soxr.ResampleStream(form.rate, SAMPLE_RATE, 1)
        self._rest = b""

    def accept(self, data: bytes) -> Samples:
        """Decode the next bytes. Raises AudioError for what is no number."""
        data = self._rest + data
        whole = len(data) - len(data) % self._frame
        self._rest = data[whole:]
        block = np.frombuffer(data[:whole], self._type).astype(np.float32)
        if not np.isfinite(block).all():
            message = "the audio holds samples that are no numbers (NaN or infinity)"
            raise AudioError(message)
        scaled = np.clip(block / np.float32(self._full_scale), -1.0, 1.0)
        return self._resample(scaled.reshape(-1, self._channels).mean(axis=1))

    def finish(self) -> Samples:
        """Give up what the resampler still held. Raises AudioError if half a sample is left."""
        if self._rest:
            message = f"the audio ends in the middle of a sample: {len(self._rest)} bytes are over"
            raise AudioError(message)
        return self._resample(np.zeros(0, np.float32), last=True)

    def _resample(self, mono: Samples, *, last: bool = False) -> Samples:
        samples: Samples = self._resampler.resample_chunk(mono, last=last)
        return np.clip(samples, -1.0, 1.0)  # a filter overshoots at clipped edges
