"""The audit log: what left the device, in files to which records are only ever appended.

    000001.audit  000002.audit …      each: MAGIC, length, CRC-32, AuditRecord; and so on

A file is begun at every start, so nothing is ever written behind a record that was cut off (kill
-9, power); a reader finds such a piece by its sum, and goes on at the next record. Files that are
too old go, and the oldest when all together grow too large, also where nothing is sent any more
(`expire`). Each change is made under a lock, so history can be deleted while the uplink runs: it
then begins a new file.
"""

import fcntl
import os
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import DecodeError

from earshot.errors import AuditError
from earshot.generated.v1.audit_pb2 import AuditOutcome, AuditRecord, AuditSent
from earshot.guarded import FILE, make_folder

MAGIC = b"\xeaAU\x01"
HEAD = struct.Struct("<4sII")  # MAGIC, bytes and CRC-32 of the record behind it
ENDING = ".audit"
LOCK = "lock"
DAY = 86_400.0  # seconds
PARTS = 8  # files that the log has at least when it is as large as it may be


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept."""

    days: float
    """after which a record goes, a day later at most"""
    most: int
    """bytes of all files together"""


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that are no record."""

    path: Path
    at: int
    bytes: int


class AuditLog:
    """Appends records. Used by one thread at a time."""

    def __init__(
        self, folder: Path, limits: Limits, clock: Callable[[], float] = time.time
    ) -> None:
        """Make the folder, if it is not there. Raises AuditError."""
        self._folder, self._limits, self._clock = folder, limits, clock
        self._file: int | None = None
        self._path, self._begun = folder, 0.0
        try:
            make_folder(folder)
            self._lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE)
        except OSError as error:
            raise _refused(folder, error) from error
        self._number = last_number(folder)
        self.expire()

    def sent(self, entry: AuditSent) -> int:
        """Write down what is about to be sent; its number. Raises AuditError: do not send it."""
        record = self._record(self._number + 1)
        record.sent.CopyFrom(entry)
        self._append(record)
        self._number += 1
        return self._number

    def outcome(self, number: int, entry: AuditOutcome) -> None:
        """Write down what became of it. Raises AuditError."""
        record = self._record(number)
        record.outcome.CopyFrom(entry)
        self._append(record)

    def sync(self) -> None:
        """Have what was written outlive a power cut. Raises AuditError."""
        try:
            if self._file is not None:
                os.fdatasync(self._file)
        except OSError as error:
            raise _refused(self._path, error) from error

    def expire(self) -> None:
        """Delete files that are too old. Raises AuditError."""
        expire(self._folder, self._limits, self._clock)

    def close(self) -> None:
        """Let the files go."""
        self._end_file()
        os.close(self._lock)

    def _record(self, number: int) -> AuditRecord:
        found = AuditRecord(number=number)
        found.time.FromNanoseconds(round(self._clock() * 1e9))
        return found

    def _append(self, record: AuditRecord) -> None:
        frame = framed(record)
        with _changing(self._folder, self._lock):
            _make_room(self._folder, self._limits, self._clock(), len(frame))
            file = self._open()
            before = os.fstat(file).st_size
            try:
                written = os.write(file, frame)
            except OSError:
                os.ftruncate(file, before)
                raise
            if written < len(frame):
                os.ftruncate(file, before)
                message = f"{self._path}: the audit log has no room left; nothing may be sent"
                raise AuditError(message)

    def _open(self) -> int:
        """The file that is written to; another one if that is gone, full or a day old."""
        if self._file is not None:
            facts = os.fstat(self._file)
            full = facts.st_size >= self._limits.most // PARTS
            if not facts.st_nlink or full or self._clock() - self._begun > DAY:
                self._end_file()
        if self._file is None:
            last = max((int(path.stem) for path in segments(self._folder)), default=0)
            self._path, self._begun = self._folder / f"{last + 1:06d}{ENDING}", self._clock()
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._file = os.open(self._path, flags, FILE)
        return self._file

    def _end_file(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def framed(record: AuditRecord) -> bytes:
    """A record as it stands in a file."""
    body = record.SerializeToString()
    return HEAD.pack(MAGIC, len(body), zlib.crc32(body)) + body


def segments(folder: Path) -> list[Path]:
    """The files of a log, oldest first."""
    return sorted(path for path in folder.glob(f"*{ENDING}") if path.stem.isdecimal())


def records(folder: Path) -> Iterator[AuditRecord | Damage]:
    """All that a log holds, oldest first. Raises AuditError."""
    try:
        for path in segments(folder):
            yield from _records(path, path.read_bytes())
    except FileNotFoundError:
        return  # deleted meanwhile
    except OSError as error:
        message = f"{error.filename}: the audit log cannot be read ({error.strerror})"
        raise AuditError(message) from error


def _records(path: Path, data: bytes) -> Iterator[AuditRecord | Damage]:
    at = lost = 0
    while at < len(data):
        record, size = _record_at(data, at)
        if record is None:
            lost += size
        else:
            if lost:
                yield Damage(path, at - lost, lost)
            lost = 0
            yield record
        at += size
    if lost:
        yield Damage(path, at - lost, lost)


def _record_at(data: bytes, at: int) -> tuple[AuditRecord | None, int]:
    """The record that begins there, or None; and how many bytes it takes, or are to be skipped."""
    nearest = data.find(MAGIC, at + 1)
    skipped = (len(data) if nearest < 0 else nearest) - at
    if len(data) - at < HEAD.size:
        return None, skipped
    magic, length, crc = HEAD.unpack_from(data, at)
    body = data[at + HEAD.size : at + HEAD.size + length]
    if magic != MAGIC or len(body) < length or zlib.crc32(body) != crc:
        return None, skipped
    try:
        return AuditRecord.FromString(body), HEAD.size + length
    except DecodeError:
        return None, skipped


def last_number(folder: Path) -> int:
    """The highest number in a log; 0 where it holds nothing."""
    numbers = (one.number for one in records(folder) if isinstance(one, AuditRecord))
    return max(numbers, default=0)


def clear(folder: Path) -> int:
    """Delete all that a log holds, for good; how many files that were. Raises AuditError."""
    with _deleting(folder) as found:
        for path in found:
            path.unlink()
        return len(found)


def expire(folder: Path, limits: Limits, clock: Callable[[], float] = time.time) -> int:
    """Delete what a log may not hold any more; how many files that were. Raises AuditError."""
    with _deleting(folder) as found:
        _make_room(folder, limits, clock())
        return len(found) - len(segments(folder))


def _make_room(folder: Path, limits: Limits, now: float, needed: int = 0) -> None:
    """Delete the oldest files until so many bytes more are allowed."""
    files = [(path, path.stat()) for path in segments(folder)]
    total = sum(facts.st_size for _, facts in files) + needed
    for path, facts in files:
        if total <= limits.most and facts.st_mtime >= now - limits.days * DAY:
            break
        path.unlink()
        total -= facts.st_size
    if total > limits.most:
        message = f"{needed} bytes are more than the audit log may hold ({limits.most})"
        raise AuditError(message)


@contextmanager
def _deleting(folder: Path) -> Iterator[list[Path]]:
    """The files of a log that may be written to meanwhile; none, if it is not there."""
    if not folder.is_dir():
        yield []
        return
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE)
    except OSError as error:
        raise _refused(folder, error) from error
    try:
        with _changing(folder, lock):
            yield segments(folder)
    finally:
        os.close(lock)


@contextmanager
def _changing(folder: Path, lock: int) -> Iterator[None]:
    """Hold the lock; errors of the system become AuditError."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)
    except OSError as error:
        raise _refused(folder, error) from error


def _refused(path: Path, error: OSError) -> AuditError:
    reason = (error.strerror or str(error)).lower()
    return AuditError(f"{path}: the audit log cannot be written ({reason}); nothing may be sent")
