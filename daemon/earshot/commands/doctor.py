"""earshot doctor: what is there, what is wrong, and how to mend it."""

import argparse
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from earshot import compose, config
from earshot.client import connected, status
from earshot.commands.options import add_socket, socket_of
from earshot.errors import EarshotError
from earshot.microphone import MicrophoneSettings, PortAudio

OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found; `mend` says what to do, and is empty where nothing is wrong."""

    what: str
    found: str
    mend: str = ""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    parser = subparsers.add_parser("doctor", help="what is wrong, if so", description=__doc__)
    parser.add_argument("--config", type=Path, metavar="F", help="settings, a TOML file")
    parser.add_argument("--bundle", metavar="B", help="bundle to look at")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    add_socket(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Look at everything; 1 if something is wrong."""
    place = socket_of(options)
    settings = config.load(options.config)
    findings = [
        python(),
        libraries(),
        microphone(settings.microphone),
        bundle(options.bundle or settings.bundle),
        folder(place),
        daemon(place),
    ]
    if options.json:
        print(json.dumps({"findings": [asdict(finding) for finding in findings]}))
    else:
        for finding in findings:
            _print(finding)
    return int(any(finding.mend for finding in findings))


def _print(finding: Finding) -> None:
    print(f"{'TROUBLE' if finding.mend else 'ok':8} {finding.what}: {finding.found}")
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


def microphone(settings: MicrophoneSettings) -> Finding:
    """Look at the microphone: PortAudio is there, and a device opens."""

    def look() -> str:
        recording = PortAudio().open(settings)
        recording.close()
        return f"{recording.name}, {recording.rate} Hz"

    mend = (
        "have libportaudio2 installed, plug a microphone in, and let this user use it "
        "(group audio, or the sound server)"
    )
    return _tried("microphone", look, mend)


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


def daemon(place: Path) -> Finding:
    """Look at the daemon: does it answer."""

    def ask() -> str:
        with connected(place) as channel:
            answer = status(channel)
        return f"{'ready' if answer.ready else 'not ready'}, follows {answer.source}"

    return _tried("daemon", ask, "start it with `earshot run`, or with systemd")


def _tried(what: str, look: Callable[[], str], mend: str) -> Finding:
    try:
        return Finding(what, look())
    except EarshotError as error:
        return Finding(what, str(error), mend)
