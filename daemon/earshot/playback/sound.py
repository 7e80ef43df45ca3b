"""The sound device: PortAudio (sounddevice) without callbacks, for a hardened unit forbids those.

As the microphone is read, it is written: never into a full buffer, so that a device that stops
taking can neither hang the thread nor go unnoticed.
"""

import time
from typing import Any

from earshot.errors import DeviceError
from earshot.microphone import PortAudio
from earshot.playback.audio import BLOCK, BLOCK_SECONDS, CHANNELS, RATE, Frames
from earshot.playback.output import Written
from earshot.playback.settings import PlaybackSettings

LATE = 8  # looks in the time of a block for room that is late
TRUST = 0.05  # in a single look at the buffer: devices take audio in lumps
JUMP = 0.05  # seconds from which a look is believed at once


class Speakers(PortAudio):
    """The devices of this machine that play."""

    def open_output(self, settings: PlaybackSettings) -> "SoundOutput":
        """Open the device of the settings. Raises DeviceError."""
        with self.errors("the sound device cannot be opened"):
            self._look_again()
            device = self._find(settings.device, "output", "sound device")
            stream = self._portaudio.OutputStream(
                samplerate=RATE,
                device=device["index"],
                channels=CHANNELS,
                dtype="float32",
                latency=settings.buffer_ms / 1_000,
            )
            stream.start()
        return SoundOutput(self, stream, device["name"], settings.stall_ms / 1_000)


class SoundOutput:
    """An open PortAudio stream, its errors as DeviceError.

    Not every device tells that it had nothing to play. So it is also reckoned: whoever did not look
    for longer than what was queued at the last look has let it run dry.
    """

    def __init__(
        self,
        speakers: Speakers,
        stream: Any,  # noqa: ANN401 - sounddevice has no types
        name: str,
        stall: float,
    ) -> None:
        self.description = f"sound device {name!r}"
        self._stream, self._stall = stream, stall
        self._errors = speakers.errors
        self._gone = f"the sound device {name!r} is gone"
        with self._errors(self._gone):
            self._capacity = max(int(stream.write_available), 2 * BLOCK)
        self.buffer = self._capacity / RATE
        self._room_at = self._looked_at = time.monotonic()  # when there last was room; last look
        self._queued = 0.0  # seconds, at the last look
        self._dry = 0.0  # seconds without anything to play since the last block
        self._ends = 0.0  # when what was written will have been played; 0 before the first block

    def due(self) -> float:
        """Seconds until it has room for a block. DeviceError if it has had none for too long."""
        room = self._look() - BLOCK_SECONDS
        if room >= 0:
            self._room_at = self._looked_at
            return -room
        if self._looked_at - self._room_at > self._stall:
            message = f"{self.description} takes nothing"
            raise DeviceError(message)
        return max(-room, BLOCK_SECONDS / LATE)

    def write(self, block: Frames) -> Written:
        """Take a block."""
        self._look()
        begins = self._reckoned(self._looked_at + self._queued)
        with self._errors(self._gone):
            underflowed = bool(self._stream.write(block)) and self._ends > 0
        missed = max(self._dry, BLOCK_SECONDS if underflowed else 0.0)
        self._ends, self._dry = begins + BLOCK_SECONDS, 0.0
        self._queued += BLOCK_SECONDS
        return Written(begins, missed)

    def close(self) -> None:
        """Give the device back. Never raises."""
        self._stream.close()

    def _look(self) -> float:
        """Seconds of room in its buffer now."""
        with self._errors(self._gone):
            available = int(self._stream.write_available) / RATE
        now = time.monotonic()
        if self._ends:
            self._dry = max(self._dry, now - self._looked_at - self._queued)
        self._looked_at, self._queued = now, max(0.0, self.buffer - available)
        return available

    def _reckoned(self, seen: float) -> float:
        """When a block begins, of what was reckoned and what is seen now."""
        error = seen - self._ends
        return seen if abs(error) > JUMP else self._ends + TRUST * error
