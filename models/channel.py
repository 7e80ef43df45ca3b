"""What a line does to samples [N] on their way: another level, overload, a narrow band, a codec.

The codecs are real ones, of libsndfile: G.711 and GSM 6.10 as telephones have them, and Opus at few
bits as a headset or a call over the network. None of them delays by more than a sample, so
alignments hold (tests/models/test_channel.py).
"""

import io
import random
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soundfile
import soxr
from earshot.units import SAMPLE_RATE

Samples = npt.NDArray[np.float32]
NARROW = 8_000  # Hz, of telephones
PEAKS = (-30.0, 6.0)  # level of the peak, dB of full scale; what is above 0 is clipped


@dataclass(frozen=True, slots=True)
class Codec:
    """A format of libsndfile, and the rate it is used at."""

    name: str
    container: str
    subtype: str
    rate: int = NARROW
    compression: float | None = None
    """0 to 1, where it can be chosen: more is fewer bits"""


CODECS = (
    Codec("G.711 mu-law", "WAV", "ULAW"),
    Codec("G.711 A-law", "WAV", "ALAW"),
    Codec("GSM 6.10", "WAV", "GSM610"),
    Codec("Opus, about 12 kbit/s", "OGG", "OPUS", SAMPLE_RATE, 0.98),
    Codec("Opus, about 20 kbit/s", "OGG", "OPUS", SAMPLE_RATE, 0.96),
    Codec("Opus, narrow", "OGG", "OPUS", compression=0.98),
    Codec("narrow band alone", "WAV", "FLOAT"),
)


def coded(samples: Samples, codec: Codec) -> Samples:
    """Encode samples [N] in -1..1 and decode them, as many."""
    sent = soxr.resample(samples, SAMPLE_RATE, codec.rate)
    file, kind = io.BytesIO(), {"format": codec.container, "subtype": codec.subtype}
    soundfile.write(file, sent, codec.rate, **kind, compression_level=codec.compression)
    file.seek(0)
    came, _ = soundfile.read(file, dtype="float32")
    heard = soxr.resample(came, codec.rate, SAMPLE_RATE)[: len(samples)]
    return np.pad(heard, (0, len(samples) - len(heard))).astype(np.float32)


def through(samples: Samples, codec: Codec, peak: float) -> Samples:
    """Send samples [N] with their peak so many dB above full scale; as loud again behind it."""
    gain = np.float32(10 ** (peak / 20) / max(float(np.abs(samples).max()), 1e-6))
    return coded(np.clip(samples * gain, -1, 1), codec) / gain


def line(samples: Samples, dice: random.Random) -> Samples:
    """Send samples [N] over any line."""
    return through(samples, dice.choice(CODECS), dice.uniform(*PEAKS))
