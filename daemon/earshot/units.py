"""Units of audio and time. Positions are absolute counts of samples; the rest is computed."""

SAMPLE_RATE = 16_000  # Hz, everywhere behind a source
SAMPLES_PER_MS = SAMPLE_RATE // 1_000

VAD_FRAME_MS = 20  # webrtcvad takes 10, 20 or 30 ms
VAD_FRAME = VAD_FRAME_MS * SAMPLES_PER_MS  # samples a frame of the voice-activity detector

FEATURE_HOP_MS = 10
FEATURE_HOP = FEATURE_HOP_MS * SAMPLES_PER_MS  # samples from one feature frame to the next
FEATURE_WINDOW_MS = 25
FEATURE_BINS = 80

SUBSAMPLING = 4  # feature frames an encoder frame, fixed by the sherpa-onnx convention
ENCODER_FRAME_MS = SUBSAMPLING * FEATURE_HOP_MS
ENCODER_FRAME = ENCODER_FRAME_MS * SAMPLES_PER_MS  # samples an encoder frame


def samples(milliseconds: float) -> int:
    """Milliseconds of audio as a count of samples."""
    return round(milliseconds * SAMPLES_PER_MS)


def seconds(position: int) -> float:
    """A count of samples as seconds of audio."""
    return position / SAMPLE_RATE
