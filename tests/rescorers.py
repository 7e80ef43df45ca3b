"""The re-ranker as a process of its own, with the smallest model there is."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from earshot.generated.v1 import rescoring_pb2 as pb
from earshot.parcel import ParcelSettings, pack
from earshot.word_list import WordList

from tests.processes import PATIENCE, ROOT
from tests.small_rescorer import MARKS, WORDS, sausage, small_rescorer

TOKEN = "0123456789abcdef0123456789abcdef"  # noqa: S105 - of no use to anybody
LIGHT = sausage("turn:0.4 torn:0.6", "on", "the", "light:0.1 lamp:0.2 kite:0.7")
LIST = WordList(WORDS[len(MARKS) :])
PARCEL = pack(LIGHT, LIST, ParcelSettings(least=0.0)).parcel
WANTED = "turn on the lamp"


def request(**more: object) -> pb.RescoreRequest:
    return pb.RescoreRequest(parcel=PARCEL, **more)  # type: ignore[arg-type]


def said(answer: pb.RescoreResponse) -> str:
    """The words of the first path."""
    words = ("turn", "torn", "on", "the", "light", "lamp", "kite")  # as the arcs of LIGHT
    return " ".join(words[arc] for arc in answer.paths[0].arcs)


@dataclass
class Instance:
    process: subprocess.Popen[str]
    address: str
    lines: list[str]

    @contextmanager
    def paused(self) -> Iterator[None]:
        """It does nothing while within: what it gets waits, and so does a signal that ends it."""
        self.process.send_signal(signal.SIGSTOP)
        yield
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> tuple[int, str]:
        """Stop it politely: exit code, and what it logged."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        """Wait until it has stopped: exit code, and what it logged."""
        self.process.wait(PATIENCE)
        return self.process.returncode, "\n".join(self.lines)


@contextmanager
def instance(
    folder: Path, settings: str = "", listen: str = "", version: str = "1"
) -> Iterator[Instance]:
    """One that serves `listen`, or a Unix socket in the folder; `settings` are of its file.

    The version of its model is in its answers.
    """
    place = listen or f"unix:{folder / 'r.sock'}"
    config = folder / "rescorer.toml"
    rescorer = small_rescorer(folder / "small")  # makes the folder, too
    facts = rescorer / "rescorer.toml"
    text = facts.read_text("utf8").replace('version = "1"', f'version = "{version}"')
    facts.write_text(text, "utf8")
    config.write_text(
        f'[rescorer]\nlisten = "{place}"\nrescorer = "{rescorer}"\n{settings}', "utf8"
    )
    command = [sys.executable, "-m", "earshot.commands.rescorer", "--config", str(config)]
    with subprocess.Popen(
        command, cwd=ROOT, env=dict(os.environ), stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            lines = list[str]()
            yield Instance(process, _address(process, lines), lines)
        finally:
            process.kill()


@contextmanager
def three(folder: Path, settings: str = "") -> Iterator[list[Instance]]:
    """Some over TCP, with models of version a, b and c, and the certificates in the folder."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                instance(folder / name, settings + tls(folder), "127.0.0.1:0", name)
            )
            for name in "abc"
        ]


def _address(process: subprocess.Popen[str], lines: list[str]) -> str:
    """Where it says that it serves; what it logs from then on is added to the lines."""
    assert process.stderr is not None
    for line in process.stderr:
        lines.append(line.rstrip())
        if " at " in line:
            threading.Thread(target=lines.extend, args=(process.stderr,), daemon=True).start()
            return line.rpartition(" at ")[2].strip()
    message = f"the re-ranker does not serve: {lines}"
    raise AssertionError(message)


def tls(folder: Path, *, client_ca: bool = False, token: bool = True) -> str:
    """Settings for TCP, with the certificates in the folder."""
    lines = ["[rescorer.tls]", f'certificate = "{folder / "cert"}"', f'key = "{folder / "key"}"']
    if client_ca:
        lines.append(f'client_ca = "{folder / "ca"}"')
    if token:
        place = folder / "token"
        place.write_text(TOKEN, "utf8")
        place.chmod(0o600)
        lines.append(f'token = "{place}"')
    return "\n".join(lines)
