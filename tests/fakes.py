"""Small stand-ins. Each goes through the tests of what it stands for."""

import threading
import time

import numpy as np
import numpy.typing as npt
from earshot.devices import MicrophoneSettings
from earshot.errors import DeviceError
from earshot.microphone import Microphone
from earshot.units import SAMPLE_RATE

Samples = npt.NDArray[np.float32]

QUICK = MicrophoneSettings(retry_ms=20, stall_ms=400)


class FakeDevice:
    """A microphone that hears what it is told, and may be unplugged, freeze or lose samples.

    It stands for the devices of PortAudio and for the one recording from them.
    """

    name = "fake"

    def __init__(self, rate: int = SAMPLE_RATE, channels: int = 1) -> None:
        self.rate, self.channels = rate, channels
        self.opened = 0
        self._plugged, self._open, self._frozen, self._lossy = True, False, False, False
        self._waiting = np.zeros((0, channels), np.float32)
        self._lock = threading.Lock()

    def microphone(self, settings: MicrophoneSettings = QUICK) -> Microphone:
        """A real Microphone that hears this device."""
        return Microphone(settings, self)

    def speak(self, sound: Samples) -> None:
        """Have it hear sound [N] or [N, channels] at its rate, followed by silence."""
        frames = np.repeat(sound[:, np.newaxis], self.channels, 1) if sound.ndim == 1 else sound
        with self._lock:
            self._waiting = np.concatenate([self._waiting, frames.astype(np.float32)])

    def plug(self) -> None:
        """Be there."""
        self._plugged = True

    def unplug(self) -> None:
        """Be gone, with what was not taken."""
        self._plugged, self._waiting = False, self._waiting[:0]

    def freeze(self) -> None:
        """Deliver nothing any more, and say nothing of it."""
        self._frozen = True

    def lose(self) -> None:
        """Lose what was not taken, as a full buffer does."""
        with self._lock:
            self._lossy, self._waiting = True, self._waiting[:0]

    def open(self, settings: MicrophoneSettings) -> "FakeDevice":
        """Begin to record."""
        if not self._plugged or (settings.device or "") not in self.name:
            message = f"there is no microphone named {settings.device!r}"
            raise DeviceError(message)
        assert not self._open, "it was not given back"
        self.opened, self._open, self._frozen = self.opened + 1, True, False
        return self

    def available(self) -> int:
        """Frames that wait: there is always some silence."""
        if not self._plugged:
            message = f"the microphone {self.name!r} is gone"
            raise DeviceError(message)
        with self._lock:
            if len(self._waiting) < self.rate // 5 and not self._frozen:
                silence = np.zeros((self.rate // 5, self.channels), np.float32)
                self._waiting = np.concatenate([self._waiting, silence])
                time.sleep(0.001)  # it is fast, but no busy loop
            return len(self._waiting) if not self._frozen else 0

    def take(self, frames: int) -> tuple[bytes, bool]:
        """Give the first frames that wait."""
        with self._lock:
            taken, self._waiting = self._waiting[:frames], self._waiting[frames:]
            lossy, self._lossy = self._lossy, False
        return taken.tobytes(), lossy

    def close(self) -> None:
        """End the recording."""
        self._open = False
