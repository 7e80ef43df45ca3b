"""The troubles with sound that the doctor knows, made or pretended."""

import json
import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from earshot.checks import sound
from earshot.checks.finding import Finding, Patient
from earshot.config import Settings, load
from earshot.errors import DeviceError
from earshot.generated.v1.status_pb2 import GetStatusResponse

from tests.fake_recogniser import loud
from tests.fakes import FakeDevice
from tests.processes import ROOT
from tests.sound_server import SoundServer

PATIENT = Patient(Path("/nowhere/earshot.sock"))
Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def _quiet_machine(tmp_path: Path, monkeypatch: Patch) -> None:
    """No sound devices, no sound servers, nothing muted."""
    for name in ("DEVICES", "SESSIONS"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(sound, name, tmp_path / name)
    monkeypatch.setattr(sound, "LISTEN_SECONDS", 0.05)
    monkeypatch.setattr(sound, "LONGEST_SECONDS", 0.2)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.delenv("PULSE_SERVER", raising=False)


def trouble(found: Finding | None, text: str, mend: str, state: str = "TROUBLE") -> None:
    assert found is not None
    assert text in found.found
    assert mend in found.mend
    assert found.state == state


def no_device(monkeypatch: Patch, message: str) -> None:
    def opened(*_: object) -> None:
        raise DeviceError(message)

    monkeypatch.setattr(sound, "PortAudio", opened)


def test_no_portaudio(tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.setattr("ctypes.util.find_library", lambda _: None)
    trouble(sound.library(PATIENT), "not installed", "libportaudio2")
    broken = tmp_path / "libportaudio.so.2"
    broken.write_bytes(b"no library")
    monkeypatch.setattr("ctypes.util.find_library", lambda _: str(broken))
    trouble(sound.library(PATIENT), "cannot be loaded", "libportaudio2")
    recording = Patient(PATIENT.place, Settings(source="auto"))
    trouble(sound.library(recording), "cannot be loaded", "libportaudio2", "note")


def test_no_sound_device_and_one_that_this_user_may_not_use(monkeypatch: Patch) -> None:
    trouble(sound.devices(PATIENT), "none that records", "plug a microphone in", "note")
    (sound.DEVICES / "pcmC1D0c").touch()
    found = sound.devices(PATIENT)
    assert found is not None
    assert (found.found, found.state) == ("pcmC1D0c", "ok")
    monkeypatch.setattr("os.access", lambda *_: False)
    trouble(sound.devices(PATIENT), "may not use them", "usermod -aG audio")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder away")
def test_a_sound_server_of_another_user() -> None:
    assert sound.server(PATIENT) is None
    folder = sound.SESSIONS / "65534"
    (folder / "pulse").mkdir(parents=True)
    (folder / "pulse" / "native").touch()
    os.chown(folder, 65534, 65534)
    name = pwd.getpwuid(65534).pw_name
    trouble(sound.server(PATIENT), f"that of {name} has", "systemctl --user", "note")


@pytest.mark.microphone
def test_a_sound_server_of_this_user(server: SoundServer, monkeypatch: Patch) -> None:
    monkeypatch.setenv("PULSE_SERVER", server.environment["PULSE_SERVER"])
    found = sound.server(PATIENT)
    assert found is not None
    assert (found.found, found.state) == (server.environment["PULSE_SERVER"][5:], "ok")
    assert sound.devices(PATIENT) is None  # it may hear by other ways
    monkeypatch.setattr(sound, "PLUGINS", "nowhere/{}.so")
    trouble(sound.server(PATIENT), "cannot get there", "libasound2-plugins")


@pytest.mark.parametrize(
    ("message", "mend"),
    [
        ("the microphone cannot be opened (Device unavailable [PaErrorCode -9985])", "another pro"),
        ("the microphone cannot be opened (Invalid sample rate [PaErrorCode -9997])", "convert it"),
        ("… (Invalid number of channels [PaErrorCode -9998])", "no channel"),
        ("there is no microphone named 'usb' (found: 'hda')", "part of one of these names"),
        ("there is no microphone (found: none)", "plug one in"),
        ("no microphone without PortAudio (libportaudio): install libportaudio2", "see above"),
        ("the microphone 'x' is gone", "plug it in again"),
    ],
)
def test_a_microphone_that_does_not_open(message: str, mend: str, monkeypatch: Patch) -> None:
    no_device(monkeypatch, message)
    trouble(sound.microphone(PATIENT), message, mend)


def test_who_has_a_busy_microphone_is_named(monkeypatch: Patch) -> None:
    no_device(monkeypatch, "the microphone cannot be opened (Device unavailable)")
    node = sound.DEVICES / "pcmC0D0c"
    node.touch()
    hold = [sys.executable, "-c", f"f = open({str(node)!r}); print(flush=True); input()"]
    with subprocess.Popen(hold, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        found = sound.microphone(PATIENT)
        holder.communicate(b"\n")
    assert found is not None
    assert f", process {holder.pid})" in found.mend


def test_a_microphone_that_is_switched_off(monkeypatch: Patch) -> None:
    device: Any = FakeDevice()
    monkeypatch.setattr(sound, "PortAudio", lambda: device)
    trouble(sound.microphone(PATIENT), "nothing but zeros", "switch it on", "note")
    device.speak(loud(0.3))
    found = sound.microphone(PATIENT)
    assert found is not None
    assert (found.found, found.state) == ("fake, 16000 Hz", "ok")
    device.close()
    device.open = lambda _: device  # and now it stands still
    device.freeze()
    trouble(sound.microphone(PATIENT), "delivers nothing", "plug it in again", "note")


def test_who_takes_the_music_out_of_what_is_heard(tmp_path: Path) -> None:
    for text, told, state in (
        ("", "is taken out", "ok"),
        ('[microphone]\ndevice = "echo-cancel"\n', "sound server takes it out", "ok"),
        ('[echo]\nremove = "off"\n', "is heard as well", "note"),
    ):
        path = tmp_path / "earshot.toml"
        path.write_text(text, encoding="utf-8")
        found = sound.echo(Patient(PATIENT.place, load(path)))
        assert found is not None
        assert told in found.found
        assert found.state == state


def test_one_that_was_muted_is_left_alone(tmp_path: Path, monkeypatch: Patch) -> None:
    no_device(monkeypatch, "it was opened")
    (tmp_path / "state" / "earshot").mkdir(parents=True)
    (tmp_path / "state" / "earshot" / "muted").touch()
    trouble(sound.microphone(PATIENT), "muted", "earshot unmute", "note")
    muted = Patient(PATIENT.place, answer=GetStatusResponse(ready=True, muted=True))
    trouble(sound.microphone(muted), "muted, and so closed", "earshot unmute", "note")


@pytest.mark.microphone
def test_the_whole_doctor_hears_a_real_room(server: SoundServer, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "earshot", "doctor", "--json"]
    command += ["--socket", str(tmp_path / "e.sock")]
    environment = server.environment | {"XDG_STATE_HOME": str(tmp_path)}
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    findings = {found["what"]: found for found in json.loads(told.stdout)["findings"]}
    assert findings["sound server"]["state"] == findings["portaudio"]["state"] == "ok"
    assert "gives nothing but zeros" in findings["microphone"]["found"]  # nobody speaks there
    assert told.returncode == 0
