"""No spoken word and no name of the catalog in the logs above DEBUG, whatever goes wrong."""

import os
import re
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from earshot.client import connected, set_muted
from earshot.entries import Entry, Kind
from earshot.generated.v1 import recognition_pb2 as pb
from earshot.store import Store

from tests.fake_recogniser import quiet, s16le
from tests.house import CONFIG, requests
from tests.processes import PATIENCE, Daemon, channel, process, recognition
from tests.recordings import recordings

SPEECH = [r for r in recordings() if r.path.stem in {"an4_command2", "librispeech_sentence1"}]
SPOKEN = {word for r in SPEECH for word in re.findall(r"[a-z]{5,}", r.text)}
NAMES = {"nefertiti", "siobhan", "gondwana", "zanzibar", "kilimanjaro", "xylophone"}
UNSAYABLE = "Ж"  # no name with it can be favoured, which is told at DEBUG
TEMPLATES = '[[intents.Go]]\nsentences = ["go to gondwana", "january seventh"]\n'
WRONG = "[[intents.Go]]\nsentences = ['go to (zanzibar']\n"


@contextmanager
def daemon(folder: Path, *before: str, quiet: bool) -> Iterator[Daemon]:
    """`earshot run` with a catalog and templates, its first options before the command."""
    templates, config = folder / "home.toml", folder / "earshot.toml"
    templates.write_text(TEMPLATES, encoding="utf-8")
    config.write_text(f'templates = "{templates}"\n', encoding="utf-8")
    options = ["run", "--source", "-", "--config", str(config), *(["--quiet"] if quiet else [])]
    environment = {**os.environ, "STATE_DIRECTORY": str(folder), "OMP_NUM_THREADS": "1"}
    with process("earshot", *before, *options, environment=environment) as d:
        d.until(lambda _: True)
        yield d


class Log:
    """What a daemon writes to standard error, read while it runs."""

    def __init__(self, d: Daemon) -> None:
        assert d.process.stderr is not None
        self._pipe, self._lines = d.process.stderr, list[str]()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self._pipe:
            self._lines.append(line.decode())

    def until(self, text: str, times: int) -> None:
        """Wait until it said something so often."""
        end = time.monotonic() + PATIENCE
        while sum(text in line for line in self._lines) < times:
            assert time.monotonic() < end, f"{text!r} never came: {self._lines}"
            time.sleep(0.05)

    def whole(self) -> str:
        """All of it, once the daemon is gone."""
        self._reader.join(PATIENCE)
        return "".join(self._lines)


def name(folder: Path, *names: str) -> None:
    with Store(folder / "catalog.db") as store:
        store.put([Entry.of(Kind.CONTACT, one) for one in names])


def called(d: Daemon, config: pb.RecognizeConfig, *more: pb.RecognizeRequest) -> str:
    """What a call of a client ends with."""
    audio = [s16le(SPEECH[0].samples())]
    with channel(d) as open_channel:
        call = recognition(open_channel).Recognize(
            iter([*requests(audio, config), *more]), timeout=PATIENCE
        )
        with suppress(grpc.RpcError):
            for _ in call:
                pass
        return str(call.code().name)


def asked(**more: Any) -> pb.RecognizeConfig:
    return pb.RecognizeConfig(
        format=CONFIG.format, sample_rate=16_000, filter=CONFIG.filter, **more
    )


def phrases(*texts: str) -> pb.RecognizeConfig:
    return asked(phrases=[pb.Phrase(text=text) for text in texts])


def clients_of_all_kinds(d: Daemon) -> list[str]:
    """Clients that are served, and such that err in every way that takes words."""
    config = asked()
    return [
        called(d, config),
        called(d, phrases("Siobhan O'Neill", "Gondwana")),
        called(d, phrases("Xylophone " + UNSAYABLE)),
        called(d, phrases(*["Zanzibar"] * 1_001)),
        called(d, asked(phrases=[pb.Phrase(text="Kilimanjaro", kind="mountain")])),
        called(d, asked(phrases=[pb.Phrase(text="Kilimanjaro", boost=99.0)])),
        called(d, asked(commands=pb.Commands(templates=TEMPLATES))),
        called(d, asked(commands=pb.Commands(templates=WRONG))),
        called(d, config, pb.RecognizeRequest(config=config)),
        called(d, config, pb.RecognizeRequest(audio=b"odd")),
        called(d, pb.RecognizeConfig()),
    ]


def bytes_that_are_none(d: Daemon) -> None:
    with channel(d) as open_channel:
        for method in ("Recognition/Listen", "Status/GetStatus", "Privacy/SetMuted"):
            call = open_channel.unary_unary(f"/earshot.v1.{method}", bytes, bytes)
            with pytest.raises(grpc.RpcError):
                call(b"\xff january gondwana nefertiti", timeout=PATIENCE)


def a_listener_that_hangs_up(d: Daemon) -> None:
    clients = d.status().counters.clients_total
    with channel(d) as open_channel:
        wish = pb.ListenRequest(filter=CONFIG.filter)
        call = recognition(open_channel).Listen(wish, timeout=PATIENCE)
        d.until(lambda answer: answer.counters.clients_total > clients)
        call.cancel()


def speak(d: Daemon) -> None:
    """Say all of it into the microphone, and wait until it was understood."""
    before = d.status().counters.committed
    d.hear(np.concatenate([part for r in SPEECH for part in (r.samples(), quiet(2.0))]))
    d.until(lambda answer: answer.counters.committed >= before + 2)


def mute_in_the_middle(d: Daemon) -> None:
    before = d.status().counters
    d.hear(SPEECH[1].samples()[: 16_000 * 2])
    d.until(lambda answer: answer.counters.utterances > before.utterances)
    for muted in (True, False):
        with connected(d.path) as open_channel:
            set_muted(open_channel, muted=muted)
    d.until(lambda answer: answer.counters.cancelled > before.cancelled)


def wrong_catalogs(log: Log, folder: Path) -> None:
    """Rows that no earshot wrote, then a file that is no catalog."""
    path = folder / "catalog.db"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE entry SET weight = 99, said = ? WHERE key LIKE '%nef%'", (UNSAYABLE,)
        )
        connection.execute("UPDATE entry SET kind = 'siobhan' WHERE key LIKE '%gond%'")
    connection.close()
    log.until("the catalog stays as it was", 1)
    for one in folder.glob("catalog.db*"):
        one.unlink()
    path.write_text("nefertiti, zanzibar and kilimanjaro\n" * 100, encoding="utf-8")
    log.until("the catalog stays as it was", 2)


def everything(d: Daemon, log: Log, folder: Path) -> None:
    d.hear(quiet(0.5))
    speak(d)
    name(folder, "Nefertiti", "Gondwana", f"Xylophone {UNSAYABLE}")
    log.until("names are favoured, 1 cannot be", 1)
    served = clients_of_all_kinds(d)
    assert served[:2] == ["OK", "OK"]
    assert set(served[2:6]) == {"INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"}
    bytes_that_are_none(d)
    a_listener_that_hangs_up(d)
    mute_in_the_middle(d)
    wrong_catalogs(log, folder)


def stopped_in_the_middle(d: Daemon) -> str:
    """Standard output of one that is stopped while somebody speaks."""
    before = d.status().counters.utterances
    d.hear(SPEECH[1].samples()[: 16_000 * 2])
    d.until(lambda answer: answer.counters.utterances > before)
    d.process.send_signal(signal.SIGTERM)
    d.process.wait(PATIENCE)
    assert d.process.stdout is not None
    return d.process.stdout.read().decode()


def found(text: str, words: set[str]) -> set[str]:
    return words & set(re.findall(r"\w+", text.lower()))


def test_nothing_that_was_said_and_no_name_is_logged(tmp_path: Path) -> None:
    with daemon(tmp_path, quiet=True) as d:
        log = Log(d)
        everything(d, log, tmp_path)
        out = stopped_in_the_middle(d)
    err = log.whole()
    assert out == ""
    assert found(err, SPOKEN | NAMES) == set()
    for line in ("catalog: ", "the catalog stays as it was", "muted", "SIGTERM: stopping"):
        assert line in err  # it logged all the while


def test_its_output_has_the_words_and_its_log_for_finding_errors_the_names(tmp_path: Path) -> None:
    name(tmp_path, f"Xylophone {UNSAYABLE}")
    with daemon(tmp_path, "--verbose", quiet=False) as d:
        log = Log(d)
        log.until("names are favoured", 1)
        d.hear(quiet(0.5))
        speak(d)
        out = stopped_in_the_middle(d)
    err = log.whole()
    assert {"nineteen", "sixty", "morning", "river"} <= found(out, SPOKEN)
    assert "xylophone" in found(err, NAMES)
