"""The uplink as a process of its own, the re-rankers behind it, and a daemon that uses them."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from earshot.audit import Damage, records
from earshot.events import Word
from earshot.generated.v1 import uplink_pb2 as pb
from earshot.generated.v1.audit_pb2 import AuditRecord
from earshot.generated.v1.uplink_pb2_grpc import UplinkStub
from earshot.parcel import pack
from earshot.word_list import WordList

from tests.choosy import result_of
from tests.processes import PATIENCE, ROOT, Daemon, process, until

Words = tuple[str, ...]


@dataclass
class Uplink:
    process: subprocess.Popen[bytes]
    path: Path
    state: Path

    @property
    def log(self) -> list[AuditRecord]:
        """What it wrote down; nothing may be damaged."""
        found = list(records(self.state / "earshot" / "audit"))
        assert not [one for one in found if isinstance(one, Damage)]
        return [one for one in found if isinstance(one, AuditRecord)]

    def end(self) -> tuple[int, str]:
        """Stop it politely: exit code and standard error."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        """Wait until it ends by itself."""
        _, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, err.decode()


@contextmanager
def uplink(
    folder: Path, address: str, settings: str = "", before: Callable[[], None] | None = None
) -> Iterator[Uplink]:
    """One that serves a socket in the folder; `before` is called in its process."""
    config, place = folder / "uplink.toml", folder / "uplink.sock"
    config.write_text(f'[uplink]\naddress = "{address}"\n{settings}', encoding="utf-8")
    command = [sys.executable, "-m", "earshot.commands.uplink", "--config", str(config)]
    with subprocess.Popen(
        [*command, "--socket", str(place)],
        cwd=ROOT,
        env={**os.environ, "XDG_STATE_HOME": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=before,  # noqa: PLW1509 - no threads here that it could upset
    ) as found:
        try:
            until(lambda: place.exists() or found.poll() is not None)
            yield Uplink(found, place, folder)
        finally:
            found.kill()


@contextmanager
def rescorer(
    address: str, behaviour: str = "other", certificates: Path | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A re-ranker that behaves so, and its port."""
    command = [sys.executable, "-m", "tests.fake_rescorer", address, behaviour]
    command += [str(certificates)] if certificates else []
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'daemon'}:{ROOT}"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as found:
        try:
            assert found.stdout is not None
            yield found, int(found.stdout.readline())
        finally:
            found.kill()


@contextmanager
def assisted_daemon(folder: Path, config: str = "") -> Iterator[Daemon]:
    """A daemon in mode assisted whose uplink is that of the folder."""
    path = folder / "earshot.toml"
    path.write_text(f'[assist]\nsocket = "{folder}/uplink.sock"\n{config}', encoding="utf-8")
    (folder / "assisted").touch(0o600)
    environment = {**os.environ, "STATE_DIRECTORY": str(folder)}
    command = ("tests.choosy_daemon", "0", "--source", "-", "--config", str(path))
    with process(*command, environment=environment) as found:
        found.until(lambda _: True)
        yield found


@contextmanager
def attended(found: Uplink) -> Iterator[Any]:
    """Its service, for somebody who attends it as a daemon does, once it can be used."""
    with grpc.insecure_channel(f"unix:{found.path}") as channel:
        stub = UplinkStub(channel)  # type: ignore[no-untyped-call]
        for now in stub.Attend(pb.AttendRequest(), wait_for_ready=True, timeout=4 * PATIENCE):
            if now.reachable:
                break
        else:
            raise AssertionError
        attending = stub.Attend(pb.AttendRequest())
        next(iter(attending))
        yield stub


def question(words: Words = ("word", "word"), utterance: int = 7) -> pb.ForwardRequest:
    """A question about some words, each of which might be another."""
    said = tuple(Word(w, 1_600 * i, 1_600 * (i + 1), 0.0) for i, w in enumerate(words))
    parcel = pack(result_of(said).lattice, WordList()).parcel
    found = pb.ForwardRequest(utterance=utterance, version=1)
    found.request.parcel.CopyFrom(parcel)
    return found


def certificates(folder: Path) -> None:
    """A certificate for localhost that is its own authority: files key, cert and ca."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command += ["-keyout", str(folder / "key"), "-out", str(folder / "cert")]
    subprocess.run(command, check=True, capture_output=True)
    (folder / "key").chmod(0o600)
    shutil.copy(folder / "cert", folder / "ca")
