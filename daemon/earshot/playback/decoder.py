"""From a file to stereo at RATE, a piece at a time: only the piece under way is in memory."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

from earshot.errors import AudioError
from earshot.playback.audio import CHANNELS, RATE, Frames
from earshot.sources import HIGHEST_RATE, LOWEST_RATE, open_recording

PIECE_MS = 100


def check(path: Path) -> None:
    """Raise AudioError if a file cannot be played, as far as its beginning tells."""
    with open_recording(path) as file:
        _check_rate(path, file.samplerate)


def decoded(path: Path) -> Iterator[Frames]:
    """The frames [N, CHANNELS] of a file in any format libsndfile reads.

    What is readable of a truncated file is played. Raises AudioError where it cannot be played
    (any further).
    """
    with open_recording(path) as file:
        _check_rate(path, file.samplerate)
        resampler = _resampler(file.samplerate)
        done, last = 0, False
        while not last:
            try:
                piece = file.read(
                    PIECE_MS * file.samplerate // 1_000, dtype="float32", always_2d=True
                )
            except soundfile.SoundFileError:
                message = f"{path}: is damaged after {done / file.samplerate:.1f} s"
                raise AudioError(message) from None
            done, last = done + len(piece), not len(piece)
            stereo = _stereo(piece)
            yield resampler.resample_chunk(stereo, last=last).clip(-1, 1) if resampler else stereo
        if not done:
            message = f"{path}: holds no audio"
            raise AudioError(message)


def _check_rate(path: Path, rate: int) -> None:
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        message = f"{path}: {rate} Hz; {LOWEST_RATE} to {HIGHEST_RATE} Hz can be played"
        raise AudioError(message)


def _resampler(rate: int) -> soxr.ResampleStream | None:
    return None if rate == RATE else soxr.ResampleStream(rate, RATE, CHANNELS)


def _stereo(piece: Frames) -> Frames:
    """Two channels, of one or many; what is no number is silence."""
    if piece.shape[1] != CHANNELS:  # of surround formats, the layout is not known
        piece = np.repeat(piece.mean(axis=1, keepdims=True, dtype=np.float32), CHANNELS, axis=1)
    return np.nan_to_num(piece, nan=0.0, posinf=0.0, neginf=0.0).clip(-1, 1)
