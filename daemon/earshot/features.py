"""Log-mel features, streaming. The only feature code: training imports this file.

The settings are those of the sherpa-onnx streaming convention (Kaldi filter banks, 80 bins from
20 Hz to 7600 Hz, 25 ms windows every 10 ms, no dither, natural log of the power spectrum). They
differ from kaldi-native-fbank's defaults on four points, so every one is set here.
"""

import kaldi_native_fbank as knf
import numpy as np
import numpy.typing as npt

from earshot.units import FEATURE_BINS, FEATURE_HOP_MS, FEATURE_WINDOW_MS, SAMPLE_RATE

Samples = npt.NDArray[np.float32]
Frames = npt.NDArray[np.float32]


def _options() -> knf.FbankOptions:
    options = knf.FbankOptions()
    options.frame_opts.samp_freq = SAMPLE_RATE
    options.frame_opts.frame_shift_ms = FEATURE_HOP_MS
    options.frame_opts.frame_length_ms = FEATURE_WINDOW_MS
    options.frame_opts.dither = 0.0
    options.frame_opts.snip_edges = False
    options.mel_opts.num_bins = FEATURE_BINS
    options.mel_opts.low_freq = 20.0
    options.mel_opts.high_freq = -400.0  # below Nyquist: 7600 Hz
    return options


class Features:
    """Samples in, log-mel frames out, frame by frame as soon as each is complete."""

    def __init__(self) -> None:
        self._fbank = knf.OnlineFbank(_options())
        self._given = 0

    def accept(self, samples: Samples) -> Frames:
        """Take samples [N] in -1..1 and give the frames [T, 80] that became complete."""
        self._fbank.accept_waveform(SAMPLE_RATE, samples.tolist())
        return self._take()

    def finish(self) -> Frames:
        """Give the last frames, whose windows reach past the end of the audio."""
        self._fbank.input_finished()
        return self._take()

    def _take(self) -> Frames:
        first, last = self._given, self._fbank.num_frames_ready
        frames = np.empty((last - first, FEATURE_BINS), np.float32)
        for i in range(first, last):
            frames[i - first] = self._fbank.get_frame(i)
        self._fbank.pop(last - first)  # indices stay absolute, memory stays bounded
        self._given = last
        return frames


def features(samples: Samples) -> Frames:
    """Frames [T, 80] of a whole recording [N]."""
    stream = Features()
    return np.concatenate([stream.accept(samples), stream.finish()])
