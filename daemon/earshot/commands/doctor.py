"""earshot doctor: what is there, what is wrong, and how to mend it.

Exits with 1 if there is TROUBLE: something that earshot needs is missing or damaged. A microphone
is needed where the settings say `source = "mic"`, as they do by default. A daemon that does not run
is only worth a note, for the doctor may also come before it.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from earshot import compose, config, sandbox
from earshot.client import connected, status
from earshot.commands.options import add_settings, add_socket, socket_of
from earshot.errors import DeviceError, EarshotError
from earshot.microphone import PortAudio

OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found; `mend` says what to do, and is empty where nothing is wrong."""

    what: str
    found: str
    mend: str = ""
    needed: bool = True

    @property
    def state(self) -> str:
        """How bad it is."""
        if not self.mend:
            return "ok"
        return "TROUBLE" if self.needed else "note"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    parser = subparsers.add_parser(
        "doctor",
        help="what is wrong, if so",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_settings(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    add_socket(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Look at everything; 1 if there is trouble."""
    place = socket_of(options)
    settings = config.load(options.config)
    running, hears = daemon(place)
    findings = [
        python(),
        libraries(),
        hears or microphone(settings),
        bundle(options.bundle or settings.bundle),
        folder(place),
        kernel(settings),
        running,
    ]
    well = not any(finding.state == "TROUBLE" for finding in findings)
    if options.json:
        told = [{**asdict(finding), "state": finding.state} for finding in findings]
        print(json.dumps({"well": well, "findings": told}, ensure_ascii=False))
    else:
        for finding in findings:
            _print(finding)
    return int(not well)


def _print(finding: Finding) -> None:
    print(f"{finding.state:8} {finding.what}: {finding.found}")
    if finding.mend:
        print(f"{'':8} → {finding.mend}")


def python() -> Finding:
    """Look at the interpreter."""
    old = sys.version_info < OLDEST_PYTHON
    mend = "install Python 3.11 or later, and run `make setup` with it" if old else ""
    return Finding("python", f"{platform.python_version()} on {platform.machine()}", mend)


def libraries() -> Finding:
    """Look at the libraries that recognise and serve."""
    names = ("onnxruntime", "grpcio", "protobuf", "numpy")
    return Finding("libraries", ", ".join(f"{n} {importlib.metadata.version(n)}" for n in names))


def microphone(settings: config.Settings) -> Finding:
    """Look at the microphone: PortAudio is there, and a device opens."""

    def look() -> str:
        recording = PortAudio().open(settings.microphone)
        recording.close()
        return f"{recording.name}, {recording.rate} Hz"

    mend = (
        "plug one in, and let this user use it (the sound server, or the group audio); without "
        "one, `earshot run --source auto` plays a recording, and files and the audio of clients "
        "are heard all the same"
    )
    return _tried("microphone", look, mend, needed=settings.source == "mic")


def bundle(name: str) -> Finding:
    """Look at the bundle: readable, and its sums right."""
    mend = "install it again, and look at it with `earshot bundle verify`"
    return _tried("bundle", lambda: compose.load_engine(name).bundle.label, mend)


def folder(place: Path) -> Finding:
    """Look at where the socket stands, or will stand."""
    there = next(parent for parent in place.absolute().parents if parent.exists())
    if os.access(there, os.W_OK | os.X_OK):
        return Finding("socket folder", f"{place.parent} can be written")
    mend = f"give --socket a path that {os.environ.get('USER', 'this user')} can write"
    return Finding("socket folder", f"{there} cannot be written", mend)


def kernel(settings: config.Settings) -> Finding:
    """Look at the kernel: can it keep the daemon off the network."""
    return _tried("sandbox", sandbox.offered, sandbox.MEND, needed=settings.require_sandbox)


def daemon(place: Path) -> tuple[Finding, Finding | None]:
    """Look at the daemon: does it answer, and does it hear a microphone (which it may hold)."""
    try:
        with connected(place) as channel:
            answer = status(channel)
    except DeviceError as error:
        mend = "start it with `earshot run`, or with systemd"
        return Finding("daemon", str(error), mend, needed=False), None
    ready = "ready" if answer.ready else "not ready"
    if answer.muted:
        mend = "`earshot unmute` opens it again"
        muted = Finding("microphone", "muted, and so closed", mend, needed=False)
        return Finding("daemon", f"{ready}, muted"), muted
    heard = answer.ready and answer.source.startswith("microphone")
    hears = Finding("microphone", f"{answer.source}, heard by the daemon") if heard else None
    return Finding("daemon", f"{ready}, follows {answer.source}"), hears


def _tried(what: str, look: Callable[[], str], mend: str, *, needed: bool = True) -> Finding:
    try:
        return Finding(what, look())
    except EarshotError as error:
        return Finding(what, str(error), mend, needed)
