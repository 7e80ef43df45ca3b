"""The uplink: what it forwards, what it writes down first, and when it ends."""

import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import grpc
import pytest
from earshot.errors import SettingsError
from earshot.generated.v1 import uplink_pb2 as pb
from earshot.generated.v1.uplink_pb2_grpc import UplinkStub
from earshot.relay import Relay, UplinkSettings, load
from earshot.uplink import MOST_BYTES

from tests.processes import PATIENCE, ROOT, until
from tests.uplinks import attended, certificates, question, rescorer, uplink

HEARING = {
    "numpy", "onnxruntime", "sounddevice", "soundfile", "sqlite3", "earshot.microphone",
    "earshot.sources", "earshot.store", "earshot.catalog", "earshot.recogniser", "earshot.engine",
    "earshot.sessions", "earshot.client",
}  # fmt: skip
LOOK = "import json, sys, earshot.commands.uplink; json.dump(list(sys.modules), sys.stdout)"


def refused(stub: UplinkStub, request: pb.ForwardRequest) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as caught:
        stub.Forward(request, timeout=PATIENCE)
    return caught.value.code().name, caught.value.details() or ""


def test_it_loads_nothing_of_what_hears_or_keeps_names() -> None:
    command = [sys.executable, "-c", LOOK]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    assert not HEARING & set(json.loads(done.stdout))


def test_the_command_of_earshot_becomes_it(folder: Path) -> None:
    command = [sys.executable, "-m", "earshot", "uplink", "--socket", str(folder / "u")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "earshot: the uplink has nowhere to send to: set address in its settings (--config F)\n"
    )


def test_a_lattice_is_written_down_sent_and_answered(folder: Path) -> None:
    address = f"unix:{folder}/r"
    with rescorer(address), uplink(folder, address) as u, attended(u) as stub:
        assert u.path.stat().st_mode & 0o777 == 0o660
        asked = question()
        answer = stub.Forward(asked, timeout=PATIENCE).response
        assert len(answer.paths[0].arcs) == 2
        until(lambda: len(u.log) == 2)
        sent, outcome = u.log
        assert (sent.number, sent.sent.utterance, sent.sent.version) == (1, 7, 1)
        assert sent.sent.request == asked.request
        assert sent.sent.bytes == asked.request.ByteSize()
        assert sent.sent.address == address
        assert (outcome.number, outcome.outcome.status) == (1, "OK")
        assert outcome.outcome.bytes == answer.ByteSize()
        assert u.end()[0] == 0
        assert not u.path.exists()
        (log,) = (folder / "earshot" / "audit").glob("*.audit")
        assert log.stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_written_down_is_not_sent(folder: Path) -> None:
    def full() -> None:  # no file may grow beyond so many bytes: as good as a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))

    address = f"unix:{folder}/r"
    with rescorer(address), uplink(folder, address, before=full) as u, attended(u) as stub:
        stub.Forward(question(), timeout=PATIENCE)
        until(lambda: len(u.log) == 2)
        code, sentence = refused(stub, question(("word",) * 200))
        assert code == "FAILED_PRECONDITION"
        assert "nothing may be sent" in sentence
        assert len(u.log) == 2
        assert refused(stub, question(("word",) * 200))[0] == code
        ended, err = u.end()
        assert (ended, err.count("nothing may be sent")) == (0, 1)


def test_nothing_is_forwarded_where_no_daemon_attends(folder: Path) -> None:
    address = f"unix:{folder}/r"
    with rescorer(address), uplink(folder, address) as u:
        with grpc.insecure_channel(f"unix:{u.path}") as channel:
            stub = UplinkStub(channel)  # type: ignore[no-untyped-call]
            code, sentence = refused(stub, question())
        assert (code, "no daemon in mode assisted" in sentence) == ("UNAVAILABLE", True)
        assert not u.log


def test_nothing_is_written_down_that_cannot_be_sent(folder: Path) -> None:
    with uplink(folder, f"unix:{folder}/r") as u:
        with grpc.insecure_channel(f"unix:{u.path}") as channel:
            stub = UplinkStub(channel)  # type: ignore[no-untyped-call]
            attending = stub.Attend(pb.AttendRequest(), timeout=PATIENCE)
            assert not next(iter(attending)).reachable
            code, sentence = refused(stub, question())
            assert (code, str(folder) in sentence) == ("UNAVAILABLE", True)
        assert not u.log


def test_it_ends_when_told_to_or_when_nobody_attends_it(folder: Path) -> None:
    address = f"unix:{folder}/r"
    with uplink(folder, address) as u, grpc.insecure_channel(f"unix:{u.path}") as channel:
        UplinkStub(channel).StopUplink(pb.StopUplinkRequest(), timeout=PATIENCE)  # type: ignore[no-untyped-call]
        assert u.ended()[0] == 0
    with uplink(folder, address, "idle_seconds = 0.2") as u:
        code, err = u.ended()
        assert (code, "no daemon in mode assisted for 0.2 s" in err) == (0, True)


def test_a_re_ranker_that_dies_meanwhile_is_told_and_comes_back(folder: Path) -> None:
    address = f"unix:{folder}/r"
    with uplink(folder, address) as u:
        with rescorer(address, "die") as (_, _), attended(u) as stub:
            assert refused(stub, question())[0] == "UNAVAILABLE"
            until(lambda: len(u.log) == 2)
            assert u.log[1].outcome.status == "UNAVAILABLE"
        with rescorer(address), attended(u) as stub:
            assert stub.Forward(question(), timeout=PATIENCE).response.paths


def test_the_deadline_is_the_daemons_and_what_became_of_it_is_written_down(folder: Path) -> None:
    address = f"unix:{folder}/r"
    with rescorer(address, "slow"), uplink(folder, address) as u, attended(u) as stub:
        began = time.monotonic()
        with pytest.raises(grpc.RpcError) as caught:
            stub.Forward(question(), timeout=0.2)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert time.monotonic() - began < 2.0
        until(lambda: len(u.log) == 2)
        assert u.log[1].outcome.status in {"DEADLINE_EXCEEDED", "CANCELLED"}


HOSTILE = (
    b"",
    b"\xff" * 60,
    bytes(range(256)),
    b"\x1a\x05\x0a\x03\x12\x01\xff",
    b"\x1a\xff\xff\x7f",
)


def test_a_thousand_hostile_messages_do_no_harm(folder: Path) -> None:
    address = f"unix:{folder}/r"
    with rescorer(address), uplink(folder, address) as u, attended(u) as stub:
        with grpc.insecure_channel(f"unix:{u.path}") as channel:
            raw = channel.unary_unary("/earshot.v1.Uplink/Forward", bytes, bytes)
            calls = [raw.future(HOSTILE[i % 5], timeout=PATIENCE) for i in range(900)]
            calls += [raw.future(bytes(MOST_BYTES * 4), timeout=PATIENCE) for _ in range(50)]
            huge = question()
            huge.request.parcel.packed = bytes(MOST_BYTES)
            calls += [raw.future(huge.SerializeToString(), timeout=PATIENCE) for _ in range(50)]
            codes = {call.code().name for call in calls}
        assert "OK" not in codes
        assert {"INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"} <= codes
        assert stub.Forward(question(), timeout=PATIENCE).response.paths
        assert u.end()[0] == 0


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("http://reranker:80", "not encrypted"),
        ("tcp://reranker:80", "not encrypted"),
        ("reranker", "must be host:port"),
        ("reranker:0", "must be host:port"),
        ("ftp://reranker:1", "must be host:port"),
    ],
)
def test_an_address_that_is_none_or_not_encrypted_is_refused(
    address: str, complaint: str, tmp_path: Path
) -> None:
    config = tmp_path / "uplink.toml"
    config.write_text(f'[uplink]\naddress = "{address}"\n', encoding="utf-8")
    with pytest.raises(SettingsError, match=complaint):
        load(config)


@pytest.mark.parametrize(
    "line", ["idle_seconds = 0", "audit_days = -1", "audit_bytes = 10", "plain = true"]
)
def test_settings_that_cannot_be_are_refused(line: str, tmp_path: Path) -> None:
    config = tmp_path / "uplink.toml"
    config.write_text(f"[uplink]\n{line}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=str(config)):
        load(config)


def test_over_tcp_it_speaks_tls_and_shows_its_certificate_and_token(folder: Path) -> None:
    certificates(folder)
    token = folder / "token"
    token.write_text("a-secret-of-24-letters--\n")
    token.chmod(0o600)
    known = "".join(f'{k} = "{folder / v}"\n' for k, v in {
        "ca": "ca", "certificate": "cert", "key": "key", "token": "token",
    }.items())  # fmt: skip
    with rescorer("localhost:0", token.read_text().strip(), folder) as (_, port):
        with uplink(folder, f"localhost:{port}", known) as u, attended(u) as stub:
            assert stub.Forward(question(), timeout=PATIENCE).response.paths
        token.write_text("another-secret-of-letters")
        with uplink(folder, f"localhost:{port}", known) as u, attended(u) as stub:
            told = refused(stub, question())  # in no words of the re-ranker's own
            assert told == ("UNAUTHENTICATED", "the re-ranker answers UNAUTHENTICATED")
        unknown = folder / "unknown"
        unknown.mkdir()
        with uplink(unknown, f"localhost:{port}", f'ca = "{folder / "ca"}"\n') as u:
            with grpc.insecure_channel(f"unix:{u.path}") as channel:
                stub = UplinkStub(channel)  # type: ignore[no-untyped-call]
                attending = stub.Attend(pb.AttendRequest(), timeout=PATIENCE)
                assert not next(iter(attending)).reachable  # it has no certificate to show
                time.sleep(0.5)
                assert refused(stub, question())[0] == "UNAVAILABLE"
            assert not u.log


def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("a-secret-of-24-letters--")
    token.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        Relay(UplinkSettings(address="localhost:1", token=token))


def test_killed_it_leaves_a_log_that_goes_on(folder: Path) -> None:
    address = f"unix:{folder}/r"
    with rescorer(address):
        with uplink(folder, address) as u, attended(u) as stub:
            stub.Forward(question(), timeout=PATIENCE)
            u.process.send_signal(signal.SIGKILL)
            u.ended()
        with uplink(folder, address) as u, attended(u) as stub:
            stub.Forward(question(), timeout=PATIENCE)
            until(lambda: [r.number for r in u.log if r.HasField("outcome")][-1:] == [2])


def test_two_cannot_serve_one_socket(folder: Path) -> None:
    with uplink(folder, "unix:/nowhere") as first, uplink(folder, "unix:/nowhere") as second:
        code, err = second.ended()
        assert (code, "another earshot is running there" in err) == (1, True)
        assert first.process.poll() is None
