"""The microphone: PortAudio (sounddevice) without callbacks, gone and back without a restart.

A hardened unit forbids memory that is writable and executable, which breaks PortAudio's Python
callbacks, so one thread fetches the samples. It asks how many there are and sleeps until a block
is full, rather than sit in a blocking read: a device that stops delivering can then neither hang
`close` nor go unnoticed.
"""

import importlib
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import numpy as np

from earshot.devices import Devices, MicrophoneSettings, Recording
from earshot.errors import DeviceError
from earshot.events import SourceChanged
from earshot.sources import Converter, Item
from earshot.units import SAMPLE_RATE

LET_GO_SECONDS = 2.0  # for a device to be closed; a frozen sound server may never let go
LATE = 4  # looks in the time of a block for one that is late


class Microphone:
    """Chunks from a microphone, for ever; SourceChanged whenever it comes (also first) or goes.

    AudioDropped comes before a gap. PortAudio only says that samples were lost; how many is
    reckoned by the clock. Positions count lost samples, but not the time without a device. Muted,
    it has no device open and tells nothing.
    """

    live = True

    def __init__(
        self, settings: MicrophoneSettings, devices: Devices | None = None, *, muted: bool = False
    ) -> None:
        """From PortAudio's devices or others. DeviceError if PortAudio is not installed."""
        self.description = f"microphone {settings.device!r}" if settings.device else "microphone"
        self._settings = settings
        # Muted, not even PortAudio is there: it begins with a look into every device.
        self._devices = devices or (None if muted else PortAudio())
        self._state = threading.Condition()  # guards all that follows
        self._closed, self._muted = False, muted
        self._busy = False  # with a device
        self._told = False  # that it is away
        self._block_ms = settings.quiet_block_ms
        self._converter = Converter(SAMPLE_RATE)

    def __iter__(self) -> Iterator[Item]:
        """Hear until closed."""
        while self._may_begin():
            try:
                with self._opened() as recording:
                    self._told = False
                    yield self._come(recording)
                    yield from self._hear(recording)
            except DeviceError as error:
                if not self._told:
                    self._told = True
                    yield self._changed(f"{error}; waiting for it", ready=False)
                self._sleep(self._settings.retry_ms / 1_000)

    def close(self) -> None:
        """End within the time of a block, also while nothing comes."""
        with self._state:
            self._closed = True
            self._state.notify_all()

    def mute(self) -> bool:
        """Close the device and leave it closed; False if it has not let go after a while."""
        self._set(muted=True)
        with self._state:
            return self._state.wait_for(lambda: not self._busy, LET_GO_SECONDS)

    def unmute(self) -> None:
        """Open the device again."""
        self._set(muted=False)

    def _set(self, *, muted: bool) -> None:
        with self._state:
            self._muted, self._told = muted, False
            self._state.notify_all()

    def attend(self, *, speaking: bool) -> None:
        """Hand on smaller pieces while somebody speaks."""
        settings = self._settings
        self._block_ms = settings.block_ms if speaking else settings.quiet_block_ms

    @property
    def _over(self) -> bool:
        """Whether the device is to be closed."""
        return self._closed or self._muted

    def _may_begin(self) -> bool:
        """Wait while muted; whether to open the device, rather than end."""
        with self._state:
            self._state.wait_for(lambda: self._closed or not self._muted)
            self._busy = not self._closed
            return self._busy

    @contextmanager
    def _opened(self) -> Iterator[Recording]:
        try:
            self._devices = self._devices or PortAudio()
            with closing(self._devices.open(self._settings)) as recording:
                yield recording
        finally:
            with self._state:
                self._busy = False
                self._state.notify_all()

    def _sleep(self, seconds: float) -> None:
        with self._state:
            self._state.wait_for(lambda: self._over, seconds)

    def _come(self, recording: Recording) -> SourceChanged:
        """Go on with this recording."""
        before = self._converter
        self._converter = Converter(recording.rate, position=before.position, lost=before.lost)
        form = f"{recording.rate} Hz, channels: {recording.channels}"
        self.description = f"microphone {recording.name!r} ({form})"
        return self._changed(self.description, ready=True)

    def _changed(self, description: str, *, ready: bool) -> SourceChanged:
        return SourceChanged(self._converter.position, ready, description)

    def _hear(self, recording: Recording) -> Iterator[Item]:
        """Hear one recording until closed or muted. DeviceError when it is gone."""
        taken_at, left = time.monotonic(), 0
        while not self._over:
            block = recording.rate * self._block_ms // 1_000
            ready, now = recording.available(), time.monotonic()
            if ready < block:
                due = taken_at + (block - left) / recording.rate
                self._wait(recording, block, due - now, since=now - taken_at)
                continue
            data, lossy = recording.take(block)
            if lossy:
                produced = round((now - taken_at) * recording.rate)
                yield self._converter.skip(left + produced - ready)
            taken_at, left = now, ready - block
            frames = np.frombuffer(data, np.float32).reshape(-1, recording.channels)
            yield from self._converter.convert(frames)

    def _wait(self, recording: Recording, block: int, due: float, *, since: float) -> None:
        """Sleep until a block is due, in seconds from now. DeviceError if none came for too long.

        Devices deliver in lumps, so that one may be late: then it is looked for more often.
        """
        if since > self._settings.stall_ms / 1_000:
            message = f"the microphone {recording.name!r} delivers nothing"
            raise DeviceError(message)
        self._sleep(due if due > 0 else block / recording.rate / LATE)


class PortAudio:
    """The devices of this machine. One in a process, as PortAudio is: opening ends all others."""

    def __init__(self) -> None:
        try:
            # Not at the top, for importing it looks for the library and opens the sound system.
            self._portaudio: Any = importlib.import_module("sounddevice")
        except OSError as error:
            message = f"no microphone without PortAudio ({error}): install libportaudio2"
            raise DeviceError(message) from error

    def open(self, settings: MicrophoneSettings) -> Recording:
        """Start recording at 16 kHz mono, or else as the device will have it."""
        with self.errors("the microphone cannot be opened"):
            self._look_again()
            device = self._find(settings.device)
            rate, channels = self._format(device)
            stream = self._portaudio.RawInputStream(
                samplerate=rate,
                device=device["index"],
                channels=channels,
                dtype="float32",
                latency=settings.buffer_ms / 1_000,
            )
            stream.start()
        return PortAudioRecording(self, stream, device["name"], rate, channels)

    def _look_again(self) -> None:
        """Have PortAudio see the devices of now: it only looks when it is initialised."""
        if self._portaudio._initialized:  # noqa: SLF001 - there is no public way
            self._portaudio._terminate()  # noqa: SLF001
        self._portaudio._initialize()  # noqa: SLF001

    def _find(
        self, name: str | None, kind: str = "input", called: str = "microphone"
    ) -> dict[str, Any]:
        """Look up the device of a kind whose name holds `name`, or the default one."""
        found = [d for d in self._portaudio.query_devices() if d[f"max_{kind}_channels"]]
        if name is None and found:
            return dict(self._portaudio.query_devices(kind=kind))
        for device in found:
            if name is not None and name.lower() in device["name"].lower():
                return dict(device)
        wanted = f"no {called}" if name is None else f"no {called} named {name!r}"
        there = ", ".join(repr(d["name"]) for d in found) or "none"
        message = f"there is {wanted} (found: {there})"
        raise DeviceError(message)

    def _format(self, device: dict[str, Any]) -> tuple[int, int]:
        """Choose rate and channels: 16 kHz mono if the device can, else its own."""
        own, most = round(device["default_samplerate"]), device["max_input_channels"]
        for rate, channels in ((SAMPLE_RATE, 1), (own, 1)):
            try:
                self._portaudio.check_input_settings(
                    device["index"], channels, "float32", samplerate=rate
                )
            except self._portaudio.PortAudioError:
                continue
            return rate, channels
        return own, most

    @contextmanager
    def errors(self, what: str) -> Iterator[None]:
        """Say what failed as a DeviceError."""
        try:
            yield
        except (self._portaudio.PortAudioError, ValueError) as error:
            message = f"{what} ({error})"
            raise DeviceError(message) from error


class PortAudioRecording:
    """An open PortAudio stream, its errors as DeviceError."""

    def __init__(
        self,
        portaudio: PortAudio,
        stream: Any,  # noqa: ANN401 - sounddevice has no types
        name: str,
        rate: int,
        channels: int,
    ) -> None:
        self._stream = stream
        self._errors = portaudio.errors
        self.name, self.rate, self.channels = name, rate, channels

    def available(self) -> int:
        """Frames that can be taken without waiting."""
        with self._errors(f"the microphone {self.name!r} is gone"):
            return int(self._stream.read_available)

    def take(self, frames: int) -> tuple[bytes, bool]:
        """Interleaved float32 of so many frames, and whether some were lost before them."""
        with self._errors(f"the microphone {self.name!r} is gone"):
            data, lossy = self._stream.read(frames)
            return bytes(data), bool(lossy)

    def close(self) -> None:
        """Give the device back. Never raises."""
        self._stream.close()
