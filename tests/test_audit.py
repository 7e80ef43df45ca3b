"""The audit log: nothing that was written is lost, nothing that was deleted is left."""

import errno
import json
import os
from pathlib import Path

import pytest
from earshot.__main__ import main
from earshot.audit import DAY, AuditLog, Damage, Limits, clear, expire, framed, records, segments
from earshot.errors import AuditError
from earshot.generated.v1.audit_pb2 import AuditOutcome, AuditRecord, AuditSent

from tests.uplinks import question

PLENTY = Limits(days=90, most=1 << 20)
ENTRY = AuditSent(address="unix:r", mode="MODE_ASSISTED", utterance=3, version=1, bytes=40)
ENTRY.request.CopyFrom(question().request)
SIZE = len(framed(AuditRecord(number=1, sent=ENTRY))) + 8  # with its time


class Clock:
    now = 1e9

    def __call__(self) -> float:
        return self.now


def numbers(folder: Path) -> list[int]:
    return [one.number for one in records(folder) if isinstance(one, AuditRecord)]


def filled(folder: Path, count: int, limits: Limits = PLENTY) -> AuditLog:
    log = AuditLog(folder, limits)
    for _ in range(count):
        number = log.sent(ENTRY)
        outcome = AuditOutcome(status="OK", bytes=20)
        outcome.took.FromMilliseconds(12)
        log.outcome(number, outcome)
    return log


def test_what_is_written_is_read_and_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    log = filled(tmp_path / "audit", 2)
    log.sync()
    log.close()
    filled(tmp_path / "audit", 1).close()
    assert numbers(tmp_path / "audit") == [1, 1, 2, 2, 3, 3]
    first = next(records(tmp_path / "audit"))
    assert isinstance(first, AuditRecord)
    assert first.sent == ENTRY
    assert [path.stem for path in segments(tmp_path / "audit")] == ["000001", "000002"]
    assert (tmp_path / "audit").stat().st_mode & 0o777 == 0o700
    assert all(p.stat().st_mode & 0o777 == 0o600 for p in segments(tmp_path / "audit"))


@pytest.mark.parametrize("cut", range(1, SIZE, 7))
def test_a_record_that_was_cut_off_is_skipped_and_told(cut: int, tmp_path: Path) -> None:
    filled(tmp_path, 2).close()
    (path,) = segments(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: -min(cut, 40)])
    filled(tmp_path, 1).close()
    found = list(records(tmp_path))
    assert numbers(tmp_path) == [1, 1, 2, 3, 3]
    (damage,) = [one for one in found if isinstance(one, Damage)]
    assert damage.path == path
    assert damage.at + damage.bytes == path.stat().st_size


def test_a_damaged_record_costs_no_other(tmp_path: Path) -> None:
    filled(tmp_path, 3).close()
    (path,) = segments(tmp_path)
    data = bytearray(path.read_bytes())
    second = len(framed(next(r for r in records(tmp_path) if isinstance(r, AuditRecord))))
    data[second + 20] ^= 0xFF
    path.write_bytes(data)
    assert numbers(tmp_path) == [1, 2, 2, 3, 3]
    path.write_bytes(b"\xea" * 100 + bytes(data) + b"\xeaAU\x01")
    assert numbers(tmp_path) == [1, 2, 2, 3, 3]
    assert sum(isinstance(one, Damage) for one in records(tmp_path)) == 3


def test_the_oldest_goes_when_all_is_too_much(tmp_path: Path) -> None:
    limits = Limits(days=90, most=10 * SIZE)
    log = filled(tmp_path, 40, limits)
    total = sum(path.stat().st_size for path in segments(tmp_path))
    assert 6 * SIZE < total <= limits.most
    found = numbers(tmp_path)
    assert found == sorted(found)
    assert found[-1] == 40
    long = AuditSent(address="x" * (11 * SIZE))
    with pytest.raises(AuditError, match="more than the audit log may hold"):
        log.sent(long)
    log.close()


def test_what_is_too_old_goes_and_each_day_has_its_own_file(tmp_path: Path) -> None:
    clock = Clock()
    log = AuditLog(tmp_path, Limits(days=2, most=1 << 20), clock)
    for day in range(6):
        clock.now = 1e9 + 1.01 * day * DAY
        log.sent(ENTRY)
        newest = segments(tmp_path)[-1]
        os.utime(newest, (clock.now, clock.now))
    assert numbers(tmp_path) == [5, 6]  # the fourth went as the sixth came
    clock.now += 3 * DAY
    log.expire()
    assert numbers(tmp_path) == []
    log.sent(ENTRY)
    assert numbers(tmp_path) == [7]
    log.close()


def test_what_is_too_old_goes_where_nothing_is_sent_any_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, settings = tmp_path / "audit", tmp_path / "uplink.toml"
    for _ in range(3):
        filled(folder, 1).close()
    oldest, middle, newest = segments(folder)
    now = newest.stat().st_mtime
    os.utime(oldest, (now - 3 * DAY, now - 3 * DAY))
    os.utime(middle, (now - 1.5 * DAY, now - 1.5 * DAY))
    log = AuditLog(folder, PLENTY)
    assert expire(folder, Limits(days=2, most=1 << 20)) == 1
    assert segments(folder) == [middle, newest]
    assert log.sent(ENTRY) == 4
    settings.write_text("[uplink]\naudit_days = 1\n")
    given = ["audit", "expire", "--folder", str(folder), "--config", str(settings)]
    assert main(given) == 0
    assert f"deleted 1 files of {folder}, where 1 days" in capsys.readouterr().out
    settings.write_text("[uplink]\n")
    assert main(given) == 0
    assert f"deleted 0 files of {folder}, where 90 days" in capsys.readouterr().out
    with pytest.raises(SystemExit, match=r"^2$"):  # not by what nobody has set
        main(given[:-2])
    assert numbers(folder) == [3, 3, 4]
    log.close()
    assert expire(tmp_path / "absent", PLENTY) == 0
    assert not (tmp_path / "absent").exists()


def test_history_is_deleted_also_while_it_is_written(tmp_path: Path) -> None:
    log = filled(tmp_path, 40, Limits(days=90, most=10 * SIZE))
    files = len(segments(tmp_path))
    assert files > 2
    assert clear(tmp_path) == files
    assert not segments(tmp_path)
    assert log.sent(ENTRY) == 41
    assert numbers(tmp_path) == [41]
    log.close()
    assert clear(tmp_path) == 1
    assert clear(tmp_path / "absent") == 0
    assert numbers(tmp_path / "absent") == []


@pytest.mark.parametrize("written", [0, 10])
def test_a_full_disk_refuses_and_leaves_no_piece(
    written: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int, data: bytes) -> int:
        if not written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(file, data[:written])

    log, real = filled(tmp_path, 1), os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(AuditError, match="nothing may be sent"):
            log.sent(ENTRY)
    assert log.sent(ENTRY) == 2
    assert numbers(tmp_path) == [1, 1, 2]
    assert not [one for one in records(tmp_path) if isinstance(one, Damage)]
    log.close()


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AuditError, match=f"{tmp_path}/file"):
        AuditLog(tmp_path / "file", PLENTY)


def test_the_command_lists_shows_exports_and_deletes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = filled(tmp_path, 1)
    log.sent(ENTRY)
    log.close()
    (path,) = segments(tmp_path)
    path.write_bytes(path.read_bytes() + b"torn")
    given = ["--folder", str(tmp_path)]
    assert main(["audit", "list", *given]) == 0
    out, err = capsys.readouterr()
    assert "OK after 12 ms" in out
    assert "unknown: the uplink was killed meanwhile" in out
    assert out.endswith(f"2 lattices, 80 bytes, in {tmp_path}\n")
    assert "4 bytes at" in err
    assert main(["audit", "show", "1", *given]) == 0
    out = capsys.readouterr().out
    assert "utterance 3.1" in out
    assert [line.split()[-1] for line in out.splitlines()[1:]] == ["ward", "word"] * 2
    assert main(["audit", "show", "9", *given]) == 1
    assert "nothing with the number 9" in capsys.readouterr().err
    kept = tmp_path / "export"
    assert main(["audit", "export", str(kept), "--json", *given]) == 0
    assert kept.stat().st_mode & 0o777 == 0o600
    one, other = map(json.loads, kept.read_text("utf-8").splitlines())
    assert (one["number"], one["status"], one["milliseconds"]) == (1, "OK", 12.0)
    assert (other["number"], other["status"]) == (2, None)
    assert {arc["word"] for arc in one["arcs"]} == {"word", "ward"}
    assert main(["audit", "export", str(kept), *given]) == 1  # never over another file
    capsys.readouterr()
    assert main(["audit", "export", "-", *given]) == 0
    assert "ward" in capsys.readouterr().out
    assert main(["audit", "clear", *given]) == 0
    assert capsys.readouterr().out == f"deleted 1 files of {tmp_path}\n"
    assert main(["audit", "list", *given]) == 0
    assert capsys.readouterr().out == f"0 lattices, 0 bytes, in {tmp_path}\n"
