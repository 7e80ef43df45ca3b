"""The microphone, real (through a sound server) and fake: hears, goes, comes back, is closed."""

import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pytest
from earshot.devices import MicrophoneSettings
from earshot.errors import DeviceError, SettingsError
from earshot.events import AudioDropped, SourceChanged
from earshot.microphone import Microphone, PortAudio
from earshot.sources import Chunk, Item
from earshot.units import SAMPLE_RATE

from tests.fakes import QUICK, FakeDevice
from tests.recordings import Recording, recording, similarity
from tests.sound_server import SoundServer

PATIENCE = 20.0  # seconds


class Ear:
    """Listens in a thread and remembers."""

    def __init__(self, items: Iterable[Item], close: Callable[[], None]) -> None:
        self.items: list[Item] = []
        self._close = close
        self._thread = threading.Thread(target=self._listen, args=(items,), daemon=True)
        self._thread.start()

    def _listen(self, items: Iterable[Item]) -> None:
        for item in items:
            self.items.append(item)

    @property
    def changes(self) -> list[SourceChanged]:
        return [item for item in self.items if isinstance(item, SourceChanged)]

    def samples(self) -> npt.NDArray[np.float32]:
        """All that was heard, after a check that no position is missing."""
        at, chunks = 0, []
        for item in list(self.items):
            assert (item.first if isinstance(item, Chunk) else item.at) == at
            if isinstance(item, Chunk):
                chunks.append(item.samples)
                at += len(item.samples)
            elif isinstance(item, AudioDropped):
                at += item.samples
        return np.concatenate([np.zeros(0, np.float32), *chunks])

    def wait(self, what: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < deadline, f"in vain; {self.changes}"
            time.sleep(0.02)

    def wait_for_sound(self) -> None:
        known = len(self.samples())
        self.wait(lambda: len(self.samples()) > known)

    def close(self) -> None:
        self._close()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


class Rig(Protocol):
    """A microphone and the room around it."""

    def listening(self) -> Any: ...
    def speak(self, spoken: Recording) -> None: ...
    def unplug(self) -> None: ...
    def plug(self) -> None: ...


class FakeRig(FakeDevice):
    """In this process, without sound."""

    @contextmanager
    def listening(self) -> Iterator[Ear]:
        microphone = self.microphone()
        ear = Ear(microphone, microphone.close)
        yield ear
        ear.close()

    def speak(self, spoken: Any) -> None:
        super().speak(spoken.samples())


class RealRig:
    """In a process of its own, through a sound server."""

    def __init__(self, server: SoundServer) -> None:
        self.server = server
        self.unplug, self.plug = server.unplug, server.plug

    @contextmanager
    def listening(self) -> Iterator[Ear]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.microphone_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # ALSA says there what it thinks of unplugging
            env=self.server.environment,
            cwd=Path(__file__).parents[1],
        )
        assert process.stdin is not None
        try:
            ear = Ear(unpickled(process), process.stdin.close)
            yield ear
            ear.close()
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()  # type: ignore[union-attr]

    def speak(self, spoken: Recording) -> None:
        self.server.play(spoken.path)


def unpickled(process: subprocess.Popen[bytes]) -> Iterator[Item]:
    assert process.stdout is not None
    while True:
        try:
            yield pickle.load(process.stdout)  # noqa: S301 - it is our own
        except EOFError:
            return


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.microphone)])
def rig(request: pytest.FixtureRequest) -> Rig:
    return FakeRig() if request.param == "fake" else RealRig(request.getfixturevalue("server"))


def test_what_is_said_in_the_room_is_heard(rig: Rig) -> None:
    spoken = recording("librispeech_sentence2")
    with rig.listening() as ear:
        ear.wait_for_sound()
        rig.speak(spoken)
        ear.wait(lambda: similarity(ear.samples(), spoken.samples()) > 0.95)
    assert [c.ready for c in ear.changes] == [True]


def test_it_waits_for_an_unplugged_microphone_says_so_and_goes_on(rig: Rig) -> None:
    spoken = recording("speech_commands_word")
    with rig.listening() as ear:
        ear.wait_for_sound()
        rig.unplug()
        ear.wait(lambda: len(ear.changes) == 2)
        before = len(ear.samples())
        rig.plug()
        ear.wait(lambda: len(ear.changes) == 3)
        ear.wait_for_sound()
        rig.speak(spoken)
        ear.wait(lambda: similarity(ear.samples()[before:], spoken.samples()) > 0.95)
    assert [c.ready for c in ear.changes] == [True, False, True]
    assert "waiting for it" in ear.changes[1].description
    assert ear.changes[2].description == ear.changes[0].description


def test_it_waits_for_a_microphone_that_is_not_there_yet(rig: Rig) -> None:
    rig.unplug()
    with rig.listening() as ear:
        ear.wait(lambda: len(ear.changes) == 1)
        rig.plug()
        ear.wait_for_sound()
    assert [c.ready for c in ear.changes] == [False, True]


def test_closing_while_it_waits_returns(rig: Rig) -> None:
    rig.unplug()
    with rig.listening() as ear:
        ear.wait(lambda: len(ear.changes) == 1)
    rig.plug()


@pytest.mark.microphone
def test_a_sound_server_that_crashed_and_came_back_is_heard_again(server: SoundServer) -> None:
    spoken = recording("speech_commands_word")
    with RealRig(server).listening() as ear:
        ear.wait_for_sound()
        server.stop()
        ear.wait(lambda: len(ear.changes) == 2)
        server.start()
        ear.wait(lambda: len(ear.changes) == 3)
        ear.wait_for_sound()
        server.play(spoken.path)
        ear.wait(lambda: similarity(ear.samples(), spoken.samples()) > 0.95)


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 1), (44_100, 2), (8_000, 4)])
def test_a_device_with_a_rate_of_its_own_is_resampled(rate: int, channels: int) -> None:
    device = FakeDevice(rate, channels)
    times = np.arange(rate) / rate
    device.speak(np.sin(2 * np.pi * 440 * times).astype(np.float32))
    microphone = device.microphone()
    ear = Ear(microphone, microphone.close)
    ear.wait(lambda: len(ear.samples()) > SAMPLE_RATE + 2_000)
    ear.close()
    expected = np.sin(2 * np.pi * 440 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)
    assert np.abs(ear.samples()[200:15_000] - expected[200:15_000]).max() < 0.01
    assert f"{rate} Hz, channels: {channels}" in ear.changes[0].description


def test_lost_samples_are_told_by_the_clock_and_leave_a_gap() -> None:
    device = FakeDevice()
    microphone = device.microphone()
    ear = Ear(microphone, microphone.close)
    ear.wait_for_sound()
    device.lose()
    ear.wait(lambda: any(isinstance(i, AudioDropped) for i in ear.items))
    ear.wait_for_sound()
    ear.close()
    dropped = [i for i in ear.items if isinstance(i, AudioDropped)]
    assert [d.total for d in dropped] == [d.samples for d in dropped]


def test_a_device_that_delivers_nothing_counts_as_gone_and_is_opened_anew() -> None:
    device = FakeDevice()
    microphone = device.microphone()
    ear = Ear(microphone, microphone.close)
    ear.wait_for_sound()
    device.freeze()
    ear.wait(lambda: len(ear.changes) == 3)
    ear.wait_for_sound()
    ear.close()
    assert "delivers nothing" in ear.changes[1].description
    assert device.opened == 2


def test_a_frozen_device_does_not_keep_it_from_closing() -> None:
    device = FakeDevice()
    microphone = device.microphone(MicrophoneSettings(stall_ms=60_000))
    ear = Ear(microphone, microphone.close)
    ear.wait_for_sound()
    device.freeze()
    ear.close()


def test_the_device_is_chosen_by_a_part_of_its_name_in_any_case() -> None:
    devices = [
        {"name": "Speaker", "max_input_channels": 0},
        {"name": "Webcam", "max_input_channels": 2},
        {"name": "USB Microphone: Audio (hw:1,0)", "max_input_channels": 1},
    ]

    class Fake:
        PortAudioError = RuntimeError

        def query_devices(self, kind: str = "") -> Any:
            return devices[1] if kind else devices

    portaudio = PortAudio.__new__(PortAudio)
    portaudio._portaudio = Fake()
    assert portaudio._find("usb mic")["name"].startswith("USB")
    assert portaudio._find(None)["name"] == "Webcam"
    with pytest.raises(DeviceError, match=r"named 'speaker' \(found: 'Webcam', 'USB"):
        portaudio._find("speaker")


def test_without_portaudio_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError

    monkeypatch.setattr("importlib.import_module", fail)
    with pytest.raises(DeviceError, match="install libportaudio2"):
        Microphone(QUICK)


def test_importing_it_opens_no_sound_system() -> None:
    check = "import sys, earshot.microphone; sys.exit('sounddevice' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


@pytest.mark.parametrize("field", ["block_ms", "buffer_ms", "stall_ms", "retry_ms"])
def test_times_of_nothing_are_refused(field: str) -> None:
    with pytest.raises(SettingsError, match=f"{field} is 0"):
        MicrophoneSettings(**{field: 0})  # type: ignore[arg-type]
