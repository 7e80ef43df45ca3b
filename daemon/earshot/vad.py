"""The gate: is anybody speaking? webrtcvad on frames of 20 ms, with hysteresis as a table.

webrtcvad takes speech below some -45 dBFS for silence, and many microphones are that quiet, so a slow
gain brings each stream to a common level first. No network runs while the gate is closed.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
import webrtcvad

from earshot.units import SAMPLE_RATE, VAD_FRAME_MS

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class VadSettings:
    """When the gate opens and closes."""

    aggressiveness: int = 2
    """webrtcvad's 0 (lets most through) to 3"""
    start_ms: int = 60
    """speech in a row that opens the gate; shorter noises do not"""
    stop_ms: int = 800
    """quiet in a row that closes it"""
    preroll_ms: int = 400
    """audio before the gate opened that is heard as well: soft first sounds are detected late"""
    level: float = 0.25
    """peak to which quiet streams are raised, of full scale"""
    most_gain: float = 20.0
    """bound of that gain, a factor"""
    fade_s: float = 8.0
    """seconds in which a peak is half forgotten"""


class Gate(Enum):
    """States of the gate."""

    QUIET = "quiet"
    STARTING = "starting"
    SPEAKING = "speaking"
    STOPPING = "stopping"


# (state, the frame is speech, it has been so for long enough) -> state
TABLE = {
    (Gate.QUIET, False, False): Gate.QUIET,
    (Gate.QUIET, False, True): Gate.QUIET,
    (Gate.QUIET, True, False): Gate.STARTING,
    (Gate.QUIET, True, True): Gate.SPEAKING,
    (Gate.STARTING, False, False): Gate.QUIET,
    (Gate.STARTING, False, True): Gate.QUIET,
    (Gate.STARTING, True, False): Gate.STARTING,
    (Gate.STARTING, True, True): Gate.SPEAKING,
    (Gate.SPEAKING, False, False): Gate.STOPPING,
    (Gate.SPEAKING, False, True): Gate.QUIET,
    (Gate.SPEAKING, True, False): Gate.SPEAKING,
    (Gate.SPEAKING, True, True): Gate.SPEAKING,
    (Gate.STOPPING, False, False): Gate.STOPPING,
    (Gate.STOPPING, False, True): Gate.QUIET,
    (Gate.STOPPING, True, False): Gate.SPEAKING,
    (Gate.STOPPING, True, True): Gate.SPEAKING,
}


class Vad:
    """Hysteresis over webrtcvad; pure: frames in, state out."""

    def __init__(self, settings: VadSettings) -> None:
        self._settings = settings
        self._detector = webrtcvad.Vad(settings.aggressiveness)
        self._keep = 0.5 ** (VAD_FRAME_MS / 1000 / settings.fade_s)
        self._peak = settings.level / settings.most_gain
        self._run, self._speech = 0, False  # milliseconds for which frames have been alike
        self.state = Gate.QUIET

    def accept(self, frame: Samples) -> bool:
        """Hear a frame [VAD_FRAME] of samples in -1..1; whether it is speech."""
        speech = self._detector.is_speech(self._levelled(frame), SAMPLE_RATE)
        self._run = self._run + VAD_FRAME_MS if speech == self._speech else VAD_FRAME_MS
        self._speech = speech
        enough = self._run >= (self._settings.start_ms if speech else self._settings.stop_ms)
        self.state = TABLE[self.state, speech, enough]
        return speech

    def _levelled(self, frame: Samples) -> bytes:
        """16-bit samples at the common level."""
        s = self._settings
        floor = s.level / s.most_gain
        self._peak = max(float(np.abs(frame).max()), self._peak * self._keep, floor)
        gain = max(1.0, s.level / self._peak)
        return (np.clip(frame * gain, -1, 1) * 32767).astype("<i2").tobytes()
