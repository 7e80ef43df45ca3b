"""The sound: PortAudio, the devices, the sound server, and whether the microphone opens and hears.

Nothing is opened while the daemon has the microphone, or its owner muted it.
"""

import ctypes
import ctypes.util
import os
import pwd
import re
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import numpy as np

from earshot.checks.finding import Finding, Patient
from earshot.devices import Recording
from earshot.echo import cancelled_by_server
from earshot.errors import DeviceError
from earshot.microphone import PortAudio
from earshot.mute import KEPT_MODE, Flag
from earshot.place import MUTED, answers, default_state

DEVICES, PROCESSES = Path("/dev/snd"), Path("/proc")
SESSIONS = Path("/run/user")  # a folder for each user who is there
PLUGINS = "usr/lib/*/alsa-lib/libasound_module_pcm_{}.so"
SERVERS = {"pulse/native": "pulse", "pipewire-0": "pipewire"}  # sockets, and their plug-in for ALSA
LISTEN_SECONDS, LONGEST_SECONDS = 0.2, 5.0  # of audio; and how long that may take to come
INSTEAD = "files and the audio of clients are heard all the same"
USER_UNIT = "run earshot as that user: `systemctl --user enable --now earshot`"
UNMUTE = "`earshot unmute` opens it again"
# By what PortAudio or earshot says, the mend; the first that fits.
MENDS = (
    (
        r"-9985|unavailable|busy",
        (
            "another program has it{holders}; end that, or let the sound server share the "
            'microphone (device = "default" in [microphone])'
        ),
    ),
    (
        r"-9997|sample rate",
        (
            "it records at no rate that earshot can ask for; have the sound server convert it "
            '(device = "default" in [microphone]; install libasound2-plugins or pipewire-alsa)'
        ),
    ),
    (
        r"-9998|channels",
        "it has no channel to record by; name another with device in [microphone]",
    ),
    (
        r"no microphone named",
        "set device in [microphone] to part of one of these names, or leave it out",
    ),
    (r"PortAudio \(", "install libportaudio2 (see above)"),
    (
        r"no microphone",
        (
            "plug one in, and let this user use it (the sound server, or the group audio); without "
            f"one, `earshot run --source auto` plays a recording, and {INSTEAD}"
        ),
    ),
    ("", f"plug it in again, or choose another with device in [microphone]; {INSTEAD}"),
)


def library(patient: Patient) -> Finding:
    """Look whether PortAudio can be loaded, without having it look at the devices."""
    mend = "install it: `apt install libportaudio2`"
    needed = patient.settings.source == "mic"
    name = ctypes.util.find_library("portaudio")
    if name is None:
        return Finding("portaudio", "the library is not installed", mend, needed)
    try:
        ctypes.CDLL(name)
    except OSError as error:
        return Finding("portaudio", f"{name} cannot be loaded ({error})", mend, needed)
    return Finding("portaudio", name)


def devices(patient: Patient) -> Finding | None:
    """Look at the devices of ALSA: is there one that records, and may this user use it."""
    server = _reachable()
    needed = patient.settings.source == "mic" and server is None and not patient.hears
    nodes = sorted(DEVICES.glob("pcmC*D*c"))
    if not nodes:
        if server:
            return None  # it may hear by Bluetooth, or over the network
        mend = f"plug a microphone in (in a virtual machine or a container: pass {DEVICES} on)"
        return Finding("sound devices", f"none that records in {DEVICES}", mend, needed=False)
    names = ", ".join(node.name for node in nodes)
    if not any(os.access(node, os.R_OK | os.W_OK) for node in nodes):
        mend = f"`usermod -aG audio {_user()}` as root, and log in again"
        return Finding("sound devices", f"{names}: this user may not use them", mend, needed)
    return Finding("sound devices", names)


def server(patient: Patient) -> Finding | None:
    """Look for a sound server: this user's, and whether PortAudio gets there through ALSA."""
    found = _reachable()
    if found:
        place, plugin = found
        if any(path for one in (plugin, "pulse") for path in Path("/").glob(PLUGINS.format(one))):
            return Finding("sound server", str(place))
        mend = "install the way to it: `apt install libasound2-plugins`, or pipewire-alsa"
        lacking = f"{place}, but PortAudio cannot get there"
        return Finding("sound server", lacking, mend, needed=patient.settings.source == "mic")
    others = [one for one in _others() if one != _user()]
    if not others or patient.hears:
        return None
    text = f"that of {', '.join(others)} has the microphone; {_user()} cannot reach it"
    return Finding("sound server", text, USER_UNIT, needed=False)


def echo(patient: Patient) -> Finding | None:
    """Look who takes the music that earshot plays out of what the microphone hears."""
    settings, device = patient.settings.echo, patient.settings.microphone.device
    if settings.wanted(device):
        return Finding("echo", "what `earshot play` plays is taken out of what is heard")
    if cancelled_by_server(device or ""):
        return Finding("echo", f"the sound server takes it out ({device})")
    mend = 'remove = "auto" in [echo] takes it out of what is heard'
    return Finding("echo", "what is played is heard as well", mend, needed=False)


def _reachable() -> tuple[Path, str] | None:
    """The socket of a sound server that answers this user, and its plug-in for ALSA."""
    given = os.environ.get("PULSE_SERVER", "")
    runtime = os.environ.get("XDG_RUNTIME_DIR") or str(SESSIONS / str(os.geteuid()))
    places = [(Path(given[5:]), "pulse")] if given.startswith("unix:") else []
    places += [(Path(runtime) / name, plugin) for name, plugin in SERVERS.items()]
    return next((one for one in places if answers(one[0])), None)


def _others() -> Iterator[str]:
    """The names of users whose sound server runs, as far as this user may see it."""
    with suppress(OSError):
        for folder in sorted(SESSIONS.iterdir()):
            with suppress(OSError, KeyError):
                if any((folder / name).exists() for name in SERVERS):
                    yield pwd.getpwuid(folder.stat().st_uid).pw_name


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def microphone(patient: Patient) -> Finding:
    """Look at the microphone: it opens, and gives more than silence."""
    what, answer = "microphone", patient.answer
    if answer and answer.muted:
        return Finding(what, "muted, and so closed", UNMUTE, needed=False)
    if patient.hears and answer:
        return Finding(what, f"{answer.source}, heard by the daemon")
    if not answer and Flag(default_state() / MUTED, KEPT_MODE).up:
        found = "muted: the next daemon will not open it"
        return Finding(what, found, f"start it; then {UNMUTE}", needed=False)
    try:
        with closing(PortAudio().open(patient.settings.microphone)) as recording:
            return _heard(recording)
    except DeviceError as error:
        return Finding(what, str(error), _mend(str(error)), patient.settings.source == "mic")


def _heard(recording: Recording) -> Finding:
    """Listen for a moment: a microphone that is switched off gives nothing but zeros."""
    found = f"{recording.name}, {recording.rate} Hz"
    end = time.monotonic() + LONGEST_SECONDS
    while (frames := recording.available()) < recording.rate * LISTEN_SECONDS:
        if time.monotonic() > end:
            return Finding("microphone", f"{found}: delivers nothing", MENDS[-1][1], needed=False)
        time.sleep(LISTEN_SECONDS / 4)
    data, _ = recording.take(frames)
    if not np.frombuffer(data, np.float32).any():
        mend = "switch it on: by its own switch, in `alsamixer` (F4), or in the sound settings"
        return Finding("microphone", f"{found}: gives nothing but zeros", mend, needed=False)
    return Finding("microphone", found)


def _mend(error: str) -> str:
    mend = next(mend for pattern, mend in MENDS if re.search(pattern, error, re.IGNORECASE))
    return mend.replace("{holders}", "".join(f" ({holder})" for holder in _holders()))


def _holders() -> Iterator[str]:
    """The programs that have a device for recording open, as far as this user may see them."""
    for process in sorted(PROCESSES.glob("[0-9]*")):
        with suppress(OSError):
            for link in (process / "fd").iterdir():
                target = link.readlink()
                if target.parent == DEVICES and re.fullmatch(r"pcmC\d+D\d+c", target.name):
                    name = (process / "comm").read_text("utf-8").strip()
                    yield f"{name}, process {process.name}"
                    break
