"""What a re-ranker adds to the time until words stand: measured where the daemon waits for it.

Recordings are heard in real time by the daemon's own session, with its recogniser and its link, an
uplink and a re-ranker as processes of their own. A commit comes as late as the stage keeps it back,
in which the answer to an announced end is often there; an answer takes from asking to its paths.
"""

import asyncio
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from earshot.asking import AssistSettings, Question
from earshot.assist import Assist, Complete, Publish, Stage
from earshot.audit import records
from earshot.compose import load_engine, words_of
from earshot.engine import Engine
from earshot.events import Committed, Event
from earshot.generated.v1.audit_pb2 import AuditRecord
from earshot.inference import Inference
from earshot.link import Link
from earshot.place import AUDIT
from earshot.ranked import Ranked
from earshot.session import Session
from earshot.units import SAMPLE_RATE, samples

from models.corpus import Samples, read

BLOCK_MS = 80
PATIENCE = 60.0  # seconds
WAYS = ("unix", "tls")


class Timed(Link):
    """A link that takes the time of its answers."""

    took: list[float]

    async def ask(self, question: Question) -> list[Ranked]:
        """As the other does."""
        began = time.perf_counter()
        paths = await super().ask(question)
        self.took.append(1_000 * (time.perf_counter() - began))
        return paths


class TimedStage(Stage):
    """A stage that takes the time for which it keeps commits back."""

    def __init__(self, assist: Assist, publish: Publish, complete: Complete) -> None:
        super().__init__(assist, self._published, complete)
        self._further, self._came = publish, dict[int, float]()
        self.kept = list[float]()

    def put(self, event: Event) -> None:
        """As the other does."""
        if isinstance(event, Committed):
            self._came[event.utterance] = time.perf_counter()
        super().put(event)

    def _published(self, event: Event) -> None:
        if isinstance(event, Committed):
            self.kept.append(1_000 * (time.perf_counter() - self._came.pop(event.utterance)))
        self._further(event)


class TimedAssist(Assist):
    """Makes such stages."""

    def stage(self, publish: Publish, complete: Complete) -> TimedStage:
        """As the other does."""
        return TimedStage(self, publish, complete)


@dataclass(slots=True)
class Waits:
    """Of all recordings, in milliseconds."""

    commits: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    asked: int = 0
    late: int = 0

    def figures(self, way: str) -> dict[str, float]:
        """By the way of the re-ranker."""
        found: dict[str, float] = {f"{way}_asked": self.asked, f"{way}_late": self.late}
        for name, values in (("commit_waited", self.commits), ("answer", self.answers)):
            for share in (50, 95):
                value = float(np.percentile(values or [0.0], share))
                found[f"{way}_{name}_p{share}_ms"] = round(value, 1)
        return found


def certificate(folder: Path) -> None:
    """A certificate for localhost that is its own authority: cert.pem, key.pem, and a token."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - a fixed command
    (folder / "token").write_text(secrets.token_hex(16), encoding="ascii")
    for name in ("key.pem", "token"):
        (folder / name).chmod(0o600)


def written(folder: Path, way: str, rescorer: str, port: int) -> str:
    """Write the settings of both; the address of the re-ranker."""
    address = f"unix:{folder}/rescorer.sock" if way == "unix" else f"localhost:{port}"
    server = f'[rescorer]\nlisten = "{address}"\nrescorer = "{rescorer}"\n'
    client = f'[uplink]\naddress = "{address}"\n'
    if way == "tls":
        certificate(folder)
        known = {"certificate": "cert.pem", "key": "key.pem", "token": "token"}
        lines = "".join(f'{key} = "{folder / name}"\n' for key, name in known.items())
        server += f"[rescorer.tls]\n{lines}"
        client += f'ca = "{folder / "cert.pem"}"\ntoken = "{folder / "token"}"\n'
    (folder / "rescorer.toml").write_text(server, encoding="utf8")
    (folder / "uplink.toml").write_text(client, encoding="utf8")
    return address


@contextmanager
def running(folder: Path) -> Iterator[Path]:
    """Re-ranker and uplink as processes; the socket of the uplink."""
    place = folder / "uplink.sock"
    environment = {**os.environ, "XDG_STATE_HOME": str(folder), "OMP_NUM_THREADS": "1"}
    with ExitStack() as stack:
        for name, more in (("rescorer", []), ("uplink", ["--socket", str(place)])):
            module, settings = f"earshot.commands.{name}", str(folder / f"{name}.toml")
            command = [sys.executable, "-m", module, "--config", settings, *more]
            process = subprocess.Popen(command, env=environment)  # noqa: S603 - ours
            stack.callback(process.wait)
            stack.callback(process.terminate)
        yield place


async def waits(engine: Engine, place: Path, recordings: Sequence[Path]) -> Waits:
    """Hear recordings one after the other, in real time."""
    settings, found = AssistSettings(), Waits()
    link = Timed(place, settings, partial(words_of, engine.bundle))
    link.took = found.answers
    assist, inference = TimedAssist(link, settings), Inference()
    await link.start()
    async with asyncio.timeout(PATIENCE):
        while not link.open:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)
    for path in recordings:
        session = Session(engine.recogniser(), inference, samples(200), lambda _: None, assist)
        await _hear(session, read(path))
        if isinstance(session.stage, TimedStage):
            found.commits += session.stage.kept
    await link.stop(uplink=True)
    inference.close()
    found.asked, found.late = assist.tally.asked, assist.tally.late
    return found


async def _hear(session: Session, audio: Samples) -> None:
    """Have a session hear a recording as it was spoken, and the silence after it."""
    sound = np.concatenate([audio, np.zeros(samples(1_500), np.float32)])
    began = time.perf_counter()
    for first in range(0, len(sound), samples(BLOCK_MS)):
        ahead = began + first / SAMPLE_RATE - time.perf_counter()
        await asyncio.sleep(max(0.0, ahead))
        await session.hear(sound[first : first + samples(BLOCK_MS)])
    await session.finish()
    session.stage.close()


def measured(
    bundle: str, rescorer: str, recordings: Sequence[Path], folder: Path, port: int
) -> dict[str, float]:
    """By each way of the re-ranker."""
    engine, figures = load_engine(bundle), dict[str, float]()
    for way in WAYS:
        place = folder / way
        place.mkdir()
        written(place, way, rescorer, port)
        with running(place) as socket:
            found = asyncio.run(waits(engine, socket, recordings))
        figures |= found.figures(way)
        left = sum(one.sent.bytes for one in logged(place / "earshot" / AUDIT))
        figures[f"{way}_bytes_an_utterance"] = round(left / max(1, len(found.commits)), 1)
    return figures


def logged(folder: Path) -> list[AuditRecord]:
    """What left, by the audit log: also for ends that were taken back."""
    return [one for one in records(folder) if isinstance(one, AuditRecord)]
