"""Two small networks that listen for the end: whether it is still, and sounded complete.

The first tells speech from the silence before, within and after it (after the end-of-query
classifier of Shannon et al., 2017): recurrent, on log-mel frames, beside the encoder, so that it is
asked every 20 ms and not once a chunk. The second, the *cadence*, is a head of the encoder: when
silence has begun it tells how the last words were said, the fall at an end from a word that others
follow. Both learnt with cuts and pauses spliced into sentences and with noise, music and other
voices around them (models/ending.py, models/cadence.py).
"""

from collections import deque
from pathlib import Path

import numpy as np
import numpy.typing as npt

from earshot.errors import INSTALL, BundleError
from earshot.networks import open_network
from earshot.units import FEATURE_BINS, FEATURE_HOP_MS, SUBSAMPLING

Frames = npt.NDArray[np.float32]
FILE, CADENCE = FILES = ("ending.onnx", "cadence.onnx")
SPEECH, BEFORE, WITHIN, AFTER = range(4)  # its classes
STEP = 2  # feature frames it takes at once
MOST_FRAMES = 48  # of the encoder, by which a cadence network may tell
FRAMES_AFTER = 6  # of these behind the end of speech
_LENGTHS = range(FRAMES_AFTER, MOST_FRAMES + 1)
LOOKS = 75  # in 1.5 seconds
_SURE = 30.0  # natural log; odds are not counted as larger


class EndingNetwork:
    """The network, opened; shared by all utterances. Raises BundleError where the file is none."""

    def __init__(self, path: Path) -> None:
        self._session = open_network(path)
        shapes = [one.shape for one in self._session.get_inputs()]
        if len(shapes) != 2 or shapes[0][-1] != STEP * FEATURE_BINS:  # noqa: PLR2004
            message = f"{path}: inputs {shapes} are not those of an end-pointing network; {INSTALL}"
            raise BundleError(message)
        self._names = [one.name for one in self._session.get_inputs()]
        self.start = np.zeros((1, 1, int(shapes[1][-1])), np.float32)
        """the state before any audio"""

    def step(self, frames: Frames, state: Frames) -> tuple[Frames, Frames]:
        """Pairs of feature frames [T, 160] and a state to logs [T, 4] and the next state."""
        given = dict(zip(self._names, (frames[None], state), strict=True))
        logp, following = self._session.run(None, given)
        return logp[0], following


class CadenceNetwork:
    """The head, opened. Raises BundleError where the file is none."""

    def __init__(self, path: Path, width: int) -> None:
        """`width`: of the encoded frames it reads."""
        self._session = open_network(path)
        shapes = [one.shape for one in self._session.get_inputs()]
        size = width + SUBSAMPLING * FEATURE_BINS
        if len(shapes) != 1 or shapes[0][1:] not in [[n, size] for n in _LENGTHS]:
            message = f"{path}: inputs {shapes} are not those of a cadence network; {INSTALL}"
            raise BundleError(message)
        self._name, self._length = self._session.get_inputs()[0].name, int(shapes[0][1])

    def odds(self, encoded: Frames, heard: Frames, end: int) -> float:
        """Natural log of the odds that speech which ends at a frame of [T, J] is complete.

        heard: the feature frames [4 T, 80] of which these were made.
        """
        frames = np.concatenate([encoded, heard.reshape(len(encoded), -1)], 1)
        some = frames[max(0, end + FRAMES_AFTER - self._length) : end + FRAMES_AFTER]
        missing = max(0, self._length - FRAMES_AFTER - end)  # before the first frame
        behind = self._length - missing - len(some)
        given = np.pad(some, ((missing, behind), (0, 0)))[None]
        (odds,) = self._session.run(None, {self._name: given})
        return float(np.clip(odds[0], -_SURE, _SURE))


class Ending:
    """What it hears in one utterance."""

    def __init__(self, network: EndingNetwork) -> None:
        self._network, self._state = network, network.start
        self._waiting = np.zeros((0, FEATURE_BINS), np.float32)
        self.final = 0.0
        """natural log of the odds of silence after the last word, against all else"""
        self.speech = 0.0
        """natural log of the odds of speech, against silence"""
        self.still_ms = 0
        """for how long silence has been likelier than speech"""
        self.spoken_ms = 0
        """for how long speech has been likelier than silence"""
        self._after = deque([0.0] * LOOKS, maxlen=LOOKS)

    def hear(self, frames: Frames) -> None:
        """Take feature frames [T, 80]; an odd one waits for the next."""
        waiting = np.concatenate([self._waiting, frames])
        count = len(waiting) // STEP
        whole, self._waiting = np.split(waiting, [count * STEP])
        if count:
            pairs = whole.reshape(count, STEP * FEATURE_BINS)
            logp, self._state = self._network.step(pairs, self._state)
            self._after.extend(np.exp(logp[:, AFTER]).tolist())
            self._note(_odds(logp, AFTER), _odds(logp, SPEECH))

    @property
    def over(self) -> float:
        """Probability of silence after the last word, in the mean of the last 1.5 seconds.

        Beside others who speak it is never quite sure, so no moment counts by itself.
        """
        return sum(self._after) / LOOKS

    def _note(self, final: Frames, speech: Frames) -> None:
        """Odds [T] of both, as they came."""
        for spoken in speech > 0:
            self.still_ms = 0 if spoken else self.still_ms + STEP * FEATURE_HOP_MS
            self.spoken_ms = self.spoken_ms + STEP * FEATURE_HOP_MS if spoken else 0
        self.final, self.speech = float(final[-1]), float(speech[-1])


def _odds(logp: Frames, kind: int) -> Frames:
    """Natural log of the odds [T] of a class."""
    others = np.logaddexp.reduce(np.delete(logp, kind, 1), 1)
    return np.asarray(np.clip(logp[:, kind] - others, -_SURE, _SURE))
