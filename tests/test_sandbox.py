"""The kernel keeps the daemon off the network: tried in processes of their own."""

import errno
import json
import os
import pickle
import platform
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from earshot import landlock, sandbox, seccomp
from earshot.__main__ import main, parser
from earshot.checks.finding import Patient
from earshot.checks.machine import kernel
from earshot.commands.run import chosen
from earshot.config import Settings
from earshot.errors import DeviceError
from earshot.generated.v1.status_pb2 import SANDBOX_ENFORCED, SANDBOX_NONE

from tests.fake_recogniser import loud, quiet
from tests.house import kinds, spoken
from tests.processes import PATIENCE, ROOT, channel, daemon, process, recognition
from tests.recordings import recording
from tests.sound_server import SoundServer


def offered(check: Any) -> bool:
    try:
        check()
    except OSError:
        return False
    return True


filtering = pytest.mark.skipif(not offered(seccomp.check), reason="the kernel has no such filters")
free = pytest.mark.skipif(
    sandbox.refuses_internet() or not offered(seccomp.check),
    reason="a kernel cannot be pretended that leaves the network open",
)


@pytest.fixture(scope="module")
def tries() -> dict[str, Any]:
    """What a process met that tried everything with the sandbox on."""
    ours, theirs = socket.socketpair()
    with ours, theirs, socket.socket() as one, socket.socket() as other:
        socket.send_fds(ours, [b"x"], [one.fileno(), other.fileno()])
        command = [sys.executable, "-m", "tests.sandboxed", str(theirs.fileno())]
        done = subprocess.run(
            command, cwd=ROOT, pass_fds=[theirs.fileno()], check=True, stdout=-1, timeout=PATIENCE
        )
    return dict(json.loads(done.stdout))


@filtering
def test_every_way_to_the_network_is_refused_and_unix_sockets_work(tries: dict[str, Any]) -> None:
    assert tries["kept"] is True
    for who in ("refused", "refused to the thread from before"):
        assert len(tries[who]) > 80
        assert {way: met for way, met in tries[who].items() if met != "EPERM"} == {}
    assert tries["child"] == tries["fork"] == "EPERM"
    assert tries["terminal"] == ["EPERM", "out"]
    assert tries["unix"] == "heard"
    assert len(tries["threads"]) >= 1
    assert all(tries["threads"])


@filtering
@pytest.mark.skipif(not offered(landlock.version), reason="no Landlock that knows of TCP")
def test_landlock_refuses_a_socket_that_was_handed_over_and_the_memory_of_others(
    tries: dict[str, Any],
) -> None:
    assert tries["handed"] == ["EACCES", "EPERM"]
    assert tries["memory"] in {"EACCES", "EPERM"}


@filtering
def test_the_daemon_is_kept_off_the_network_and_serves(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with daemon("--source", "-", "--require-sandbox") as d:
        d.hear(quiet(0.2))
        assert d.until(lambda answer: answer.ready).sandbox == SANDBOX_ENFORCED
        assert main(["status", "--socket", str(d.path)]) == 0
        assert ["sandbox", "enforced"] in [t.split() for t in capsys.readouterr().out.splitlines()]
        with channel(d) as open_channel:
            call = recognition(open_channel).Recognize(iter(spoken(loud(0.5))), timeout=PATIENCE)
            assert kinds(answer.event for answer in call)[-2:] == ["end_point", "committed"]
        stands = [p.read_text() for p in Path(f"/proc/{d.process.pid}/task").glob("*/status")]
        assert all("Seccomp:\t2" in stand for stand in stands)
        code, _, err = d.end()
        assert (code, "off the network" in err) == (0, False)


@filtering
def test_code_that_came_in_with_the_audio_does_not_get_out() -> None:
    with process("tests.intruder", "0", "--source", "-") as d:
        d.until(lambda _: True)
        with channel(d) as open_channel:
            call = recognition(open_channel).Recognize(iter(spoken(loud(0.3), 9_600)), timeout=60)
            events = [answer.event for answer in call]
        (end,) = [event.end_point for event in events if event.WhichOneof("event") == "end_point"]
        assert {word.text for word in end.result.words} == {"EPERM"}


@free
@filtering
def test_a_socket_that_was_open_before_is_told_for_no_lock_closes_it() -> None:
    code = "from earshot.sandbox import keep_local as k; print(k(required=False))"
    for family, enforced in ((socket.AF_INET, False), (socket.AF_INET6, False), (1, True)):
        with socket.socket(family, socket.SOCK_DGRAM) as inherited:
            done = subprocess.run(
                [sys.executable, "-c", code], pass_fds=[inherited.fileno()], check=True, stdout=-1
            )
        assert f"enforced={enforced}".encode() in done.stdout
        assert (b"1 sockets of a network were open" in done.stdout) is not enforced


@free
def test_where_the_kernel_cannot_the_daemon_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with process("tests.old_kernel", "tests.fake_daemon", "0", "--source", "-") as d:
        answer = d.until(lambda _: True)
        assert answer.sandbox == SANDBOX_NONE
        assert main(["status", "--json", "--socket", str(d.path)]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["sandbox"] == "none"
        assert "seccomp: Function not implemented" in found["sandbox_reason"]
        d.process.send_signal(signal.SIGTERM)
        _, err = d.process.communicate(timeout=PATIENCE)
        (said,) = [line for line in err.decode().splitlines() if "off the network" in line]
        assert "seccomp: Function not implemented" in said
        assert "CONFIG_SECCOMP_FILTER" in said


@free
def test_where_the_kernel_cannot_and_must_nothing_runs() -> None:
    options = ("earshot", "run", "--source", "-", "--require-sandbox")
    with process("tests.old_kernel", *options) as d:
        _, err = d.process.communicate(timeout=PATIENCE)
        assert d.process.returncode == 1
        (said,) = err.decode().splitlines()
        assert said.startswith("earshot: the kernel does not keep earshot off the network")
        assert "or run without --require-sandbox" in said
        assert not d.path.exists()


@pytest.fixture(params=[errno.ENOSYS, errno.EINVAL])
def lacking(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """A kernel that answers every call so, and leaves the network open."""

    def refuse(*_: int) -> int:
        raise OSError(request.param, os.strerror(request.param))

    for module in (seccomp, landlock):
        monkeypatch.setattr(module, "system_call", refuse)
        monkeypatch.setattr(module, "no_new_privileges", refuse)
    monkeypatch.setattr(sandbox, "refuses_internet", lambda: False)
    return int(request.param)


def test_one_line_warns_of_a_kernel_that_lacks_it(
    lacking: int, caplog: pytest.LogCaptureFixture
) -> None:
    kept = sandbox.keep_local(required=False)
    assert not kept.enforced
    assert os.strerror(lacking) in kept.reason
    (record,) = caplog.records
    assert (record.levelname, record.getMessage().count("\n")) == ("WARNING", 0)
    assert os.strerror(lacking) in record.getMessage()


def test_a_kernel_that_lacks_it_is_refused_where_it_is_required(lacking: int) -> None:
    with pytest.raises(DeviceError, match=os.strerror(lacking)):
        sandbox.keep_local(required=True)


def test_what_the_kernel_has_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp, "system_call", lambda *_: 0)
    monkeypatch.setattr(landlock, "system_call", lambda *_: 7)
    assert sandbox.offered() == "seccomp, Landlock 7"
    monkeypatch.setattr(landlock, "system_call", lambda *_: 3)
    assert sandbox.offered().startswith("seccomp; no second lock (Landlock: version 3")
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(DeviceError, match="no filter for Linux on riscv64"):
        sandbox.offered()


@pytest.mark.parametrize(("required", "state"), [(False, "note"), (True, "TROUBLE")])
@pytest.mark.usefixtures("lacking")
def test_the_doctor_finds_a_kernel_that_lacks_it(required: bool, state: str) -> None:  # noqa: FBT001
    finding = kernel(Patient(Path("e.sock"), Settings(require_sandbox=required)))
    assert (finding.what, finding.state) == ("sandbox", state)
    assert "CONFIG_SECCOMP_FILTER" in finding.mend


def test_the_settings_or_the_command_line_require_it(tmp_path: Path) -> None:
    config = tmp_path / "earshot.toml"
    config.write_text("require_sandbox = true\n", encoding="utf-8")
    for options, required in (
        ([], False),
        (["--require-sandbox"], True),
        (["--config", str(config)], True),
    ):
        assert chosen(parser().parse_args(["run", *options])).require_sandbox is required


@pytest.mark.microphone
@filtering
def test_a_microphone_is_heard_all_the_same(server: SoundServer) -> None:
    code = "from earshot.sandbox import keep_local; from tests.microphone_process import main\n"
    code += "keep_local(required=True); main()"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=server.environment,
        stdin=-1,
        stdout=-1,
        stderr=-3,
    ) as microphone:
        try:
            assert microphone.stdout is not None
            pickle.load(microphone.stdout)  # noqa: S301 - it is our own
            server.play(recording("librispeech_sentence2").path)
            while not getattr(item := pickle.load(microphone.stdout), "samples", quiet(1)).any():  # noqa: S301
                pass
            assert item.samples.any()
        finally:
            microphone.kill()
