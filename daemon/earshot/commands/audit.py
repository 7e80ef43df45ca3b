"""earshot audit: what left the device, as it left.

It reads the log of the uplink, which only its owner can. A lattice is shown as words and scores;
that takes the bundle by whose list its words are numbered.
"""

import argparse
import base64
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TextIO

from earshot.audit import Damage, Limits, clear, expire, records
from earshot.bundle import find, open_bundle
from earshot.commands.options import Act, add_act
from earshot.compose import words_of
from earshot.errors import BundleError, DeviceError, EarshotError, RequestError
from earshot.generated.v1.audit_pb2 import AuditOutcome, AuditRecord, AuditSent
from earshot.guarded import FILE
from earshot.parcel import Opened, unpack
from earshot.place import AUDIT, SYSTEM_STATE, default_state
from earshot.relay import load
from earshot.word_list import WordList

KILLED = "unknown: the uplink was killed meanwhile"
Words = Callable[[], WordList]


@dataclass(frozen=True, slots=True)
class Sending:
    """One lattice that was sent, and what became of it."""

    number: int
    time: str  # RFC 3339
    sent: AuditSent
    outcome: AuditOutcome | None


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    parser = subparsers.add_parser("audit", help="what left the device", description=__doc__)
    acts = parser.add_subparsers(metavar="ACT", required=True)
    _add(acts, "audit list", show_list, "a line for each lattice that was sent")
    showing = _add(acts, "audit show", show_one, "one of them, with its words")
    showing.add_argument("number", type=int, metavar="N", help="as the list says it")
    exporting = _add(acts, "audit export", export, "all of it, with its words, into a file")
    exporting.add_argument("file", metavar="FILE", help="that is made; - for standard output")
    exporting.add_argument("--json", action="store_true", help="one JSON object a line")
    _add(acts, "audit clear", forget, "delete all of it, for good")
    expiring = _add(acts, "audit expire", drop, "delete what is older than is kept (a timer does)")
    about = "settings of the uplink, which say how much is kept"
    expiring.add_argument("--config", type=Path, metavar="F", required=True, help=about)


def _add(
    acts: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: Act, does: str
) -> argparse.ArgumentParser:
    found = add_act(acts, name, run, does)
    found.add_argument("--folder", type=Path, metavar="F", help="of the log, if it is elsewhere")
    if run in {show_one, export}:
        found.add_argument("--bundle", metavar="B", default="en", help="that numbers the words")
    return found


def _folder(options: argparse.Namespace) -> Path:
    """The folder of the log: of this user's uplink, or else of the system's."""
    given: Path | None = options.folder
    own, system = default_state() / AUDIT, SYSTEM_STATE / AUDIT
    return given or (system if system.exists() and not own.exists() else own)


def sendings(folder: Path) -> list[Sending]:
    """All that was sent, oldest first; damage is told on standard error. Raises AuditError."""
    found, outcomes = list[AuditRecord](), dict[int, AuditOutcome]()
    for record in records(folder):
        if isinstance(record, Damage):
            text = f"earshot: {record.path}: {record.bytes} bytes at {record.at} are no record"
            print(text, file=sys.stderr)
        elif record.HasField("outcome"):
            outcomes[record.number] = record.outcome
        elif record.HasField("sent"):
            found.append(record)
    return [
        Sending(one.number, one.time.ToJsonString(), one.sent, outcomes.get(one.number))
        for one in found
    ]


def show_list(options: argparse.Namespace) -> int:
    """List them."""
    found = sendings(folder := _folder(options))
    for one in found:
        print(_line(one))
    print(f"{len(found)} lattices, {sum(one.sent.bytes for one in found)} bytes, in {folder}")
    return 0


def _line(one: Sending) -> str:
    sent = one.sent
    what = f"utterance {sent.utterance}.{sent.version}"
    return f"{one.number:6}  {one.time}  {sent.bytes:5} bytes  {what}  {sent.address}  {_end(one)}"


def _end(one: Sending) -> str:
    """What became of it."""
    if one.outcome is None:
        return KILLED
    return f"{one.outcome.status} after {one.outcome.took.ToNanoseconds() / 1e6:.0f} ms"


def show_one(options: argparse.Namespace) -> int:
    """Show one."""
    for one in sendings(_folder(options)):
        if one.number == options.number:
            print(*_lines(one, _words(options.bundle)), sep="\n")
            return 0
    message = f"nothing with the number {options.number} was sent; see `earshot audit list`"
    raise RequestError(message)


def export(options: argparse.Namespace) -> int:
    """Write all of it into a file that only its owner reads."""
    found, words = sendings(_folder(options)), _words(options.bundle)
    say = partial(_object_line, words=words) if options.json else partial(_lines, words=words)
    texts = (line for one in found for line in say(one))
    if options.file == "-":
        _write(sys.stdout, texts)
        return 0
    path = Path(options.file)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            _write(file, texts)
    except OSError as error:
        message = f"{path}: cannot be written ({(error.strerror or str(error)).lower()})"
        raise DeviceError(message) from error
    return 0


def _write(file: TextIO, texts: Iterable[str]) -> None:
    file.writelines(f"{text}\n" for text in texts)


def forget(options: argparse.Namespace) -> int:
    """Delete all of it."""
    folder = _folder(options)
    print(f"deleted {clear(folder)} files of {folder}")
    return 0


def drop(options: argparse.Namespace) -> int:
    """Delete what the settings do not keep any more; the uplink does so while it runs."""
    folder, settings = _folder(options), load(options.config)
    count = expire(folder, Limits(settings.audit_days, settings.audit_bytes))
    kept = f"{settings.audit_days:g} days and {settings.audit_bytes} bytes"
    print(f"deleted {count} files of {folder}, where {kept} are kept")
    return 0


def _words(name: str) -> Words:
    """The list of a bundle, read once, when a lattice needs it."""
    kept: list[WordList] = []

    def words() -> WordList:
        if not kept:
            kept.append(words_of(open_bundle(find(name))))
        return kept[0]

    return words


def _opened(one: Sending, words: Words) -> Opened:
    """The lattice as it was sent. Raises RequestError, BundleError."""
    parcel = one.sent.request.parcel
    return unpack(parcel, words() if parcel.word_list else WordList())


def _lines(one: Sending, words: Words) -> Iterator[str]:
    """Say one of them, and every arc of its lattice."""
    yield _line(one)
    try:
        opened = _opened(one, words)
    except (RequestError, BundleError) as error:
        yield f"        its words cannot be told ({error})"
        return
    for arc in opened.arcs:
        bias = f"  names {arc.bias:+.2f}" if arc.bias else ""
        yield f"  {arc.source:6} → {arc.target:<4} {arc.score:8.2f}  {arc.word}{bias}"


def _object_line(one: Sending, words: Words) -> Iterator[str]:
    """Say one of them as a JSON object, with the bytes that were sent."""
    sent, outcome = one.sent, one.outcome
    found: dict[str, object] = {
        "number": one.number, "time": one.time, "address": sent.address, "mode": "assisted",
        "utterance": sent.utterance, "version": sent.version, "bytes": sent.bytes,
        "request": base64.b64encode(sent.request.SerializeToString()).decode(),
        "status": outcome.status if outcome else None,
        "milliseconds": round(outcome.took.ToNanoseconds() / 1e6, 3) if outcome else None,
    }  # fmt: skip
    try:
        found["arcs"] = [arc._asdict() for arc in _opened(one, words).arcs]
    except EarshotError as error:
        found["trouble"] = str(error)
    yield json.dumps(found, ensure_ascii=False)
