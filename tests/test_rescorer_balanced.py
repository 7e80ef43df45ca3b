"""Three re-rankers behind nginx as it is installed, with the configuration that ships."""

import os
import re
import shutil
import signal
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import psutil
import pytest
from earshot.credentials import shown
from earshot.generated.v1 import rescoring_pb2 as pb
from earshot.generated.v1.rescoring_pb2_grpc import RescoringStub
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub

from tests.processes import PATIENCE, until
from tests.rescorers import TOKEN, WANTED, Instance, instance, request, said, three, tls
from tests.test_rescorer import channel_of, refusal
from tests.test_systemd import FOLDER
from tests.uplinks import certificates

# The folder of programs for administrators is not in everybody's PATH.
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="there is no nginx (apt-get install nginx)")
SHIPPED = FOLDER / "nginx-rescorers.conf"
PORTS = (7443, 7444, 7445)  # of re-rankers, there
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
NAME = "localhost"  # in the certificates
Code = grpc.StatusCode
Asked = list["grpc.CallFuture[pb.RescoreResponse]"]


@dataclass
class Balanced:
    """nginx before re-rankers."""

    process: subprocess.Popen[bytes]
    channel: grpc.Channel
    errors: Path

    @property
    def log(self) -> str:
        return self.errors.read_text("utf8")

    @property
    def call(self) -> "grpc.UnaryUnaryMultiCallable[pb.RescoreRequest, pb.RescoreResponse]":
        return RescoringStub(self.channel).Rescore  # type: ignore[no-untyped-call,no-any-return]

    def ask(self, count: int) -> Asked:
        """So many at once."""
        call, metadata = self.call, shown(TOKEN)
        return [
            call.future(request(), metadata=metadata, timeout=4 * PATIENCE) for _ in range(count)
        ]


def answered(asked: Asked) -> Counter[str]:
    """How many the model of each version answered; every answer must be right."""
    answers = [one.result() for one in asked]
    assert [said(answer) for answer in answers] == [WANTED] * len(asked)
    return Counter(answer.model.version for answer in answers)


def configured(folder: Path, port: int, addresses: Sequence[str], ca: Path, name: str) -> str:
    """The configuration that ships, with the paths, the ports and the patience of the tests."""
    changes = {
        " 443 ": f" 127.0.0.1:{port} ",
        "/etc/earshot/rescorer.pem": str(folder / "cert"),
        "/etc/earshot/rescorer.key": str(folder / "key"),
        "/etc/earshot/ca.pem": str(ca),
        "reranker.example.org": name,
        "/run/nginx.pid": str(folder / "nginx.pid"),
        "/var/log/nginx/error.log": str(folder / "error.log"),
        "http {": "http {" + "".join(f"{kind}_temp_path {folder / kind};" for kind in TEMPORARY),
    }
    changes |= {f" 127.0.0.1:{old} ": f" {new} " for old, new in zip(PORTS, addresses, strict=True)}
    text = SHIPPED.read_text("utf8")
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return re.sub(r"(grpc_\w+_timeout) \ds;", rf"\1 {PATIENCE:.0f}s;", text)


@contextmanager
def balanced(
    folder: Path, addresses: Sequence[str], ca: Path | None = None, name: str = NAME
) -> Iterator[Balanced]:
    """nginx that finds re-rankers at the addresses, by `ca` and `name`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = folder / "nginx.conf"
    config.write_text(configured(folder, port, addresses, ca or folder / "ca", name), "utf8")
    with subprocess.Popen([str(NGINX), "-c", str(config), "-g", "daemon off;"]) as process:
        try:
            address = f"127.0.0.1:{port}"
            with channel_of(address, folder, shows=False, retries=False) as channel:
                grpc.channel_ready_future(channel).result(PATIENCE)
                yield Balanced(process, channel, folder / "error.log")
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Instance]]:
    """A re-ranker, and the folder of its certificates."""
    folder = tmp_path_factory.mktemp("one")
    certificates(folder)
    with instance(folder / "r", tls(folder), "127.0.0.1:0") as found:
        yield folder, found


def test_of_three_one_dies_with_calls_under_way_and_every_call_is_answered(tmp_path: Path) -> None:
    certificates(tmp_path)
    with three(tmp_path) as some, balanced(tmp_path, [each.address for each in some]) as found:
        before = answered(found.ask(50))
        some[1].process.send_signal(signal.SIGSTOP)  # what it gets from now on is under way
        asked = found.ask(60)
        until(lambda: sum(each.done() for each in asked) >= 30)
        assert not all(each.done() for each in asked)
        some[1].process.kill()
        after = answered([*asked, *found.ask(40)])  # these while those are tried once more
        logs = {name: some[i].end()[1] for i, name in enumerate("abc") if name != "b"}
    assert before.keys() == {"a", "b", "c"}
    assert after.keys() == {"a", "c"}
    assert (before + after).total() == 150
    for name, log in logs.items():
        assert f" {(before + after)[name]} requests answered" in log


def test_of_three_one_is_stopped_with_calls_under_way_and_answers_them(tmp_path: Path) -> None:
    certificates(tmp_path)
    with (
        three(tmp_path, "grace_ms = 20000\n") as some,
        balanced(tmp_path, [each.address for each in some]) as found,
    ):
        before = answered(found.ask(50))
        with some[1].paused():
            asked = found.ask(60)
            until(lambda: sum(each.done() for each in asked) >= 30)
            some[1].process.send_signal(signal.SIGTERM)
        during = answered(asked)
        some[1].process.wait(PATIENCE)
        after = answered(found.ask(40))
        logs = {name: some[i].end()[1] for i, name in enumerate("abc")}
    assert during.keys() == {"a", "b", "c"}
    assert after.keys() == {"a", "c"}
    for name, log in logs.items():
        assert f" {(before + during + after)[name]} requests answered" in log


def test_the_token_is_asked_for_and_never_logged(one: tuple[Path, Instance]) -> None:
    folder, instance = one
    with balanced(folder, [instance.address] * 3) as found:
        for token in ("", TOKEN[:-1]):
            code, text = refusal(found.call, request(), metadata=shown(token))
            assert (code, "Bearer TOKEN" in text) == (Code.UNAUTHENTICATED, True)
        assert refusal(found.call, request())[0] is Code.UNAUTHENTICATED
        answered(found.ask(1))
        assert TOKEN not in found.log


def test_only_re_rankers_with_the_right_certificate_are_asked(
    one: tuple[Path, Instance], tmp_path: Path
) -> None:
    folder, instance = one
    certificates(tmp_path)
    for ca, name in ((tmp_path / "ca", NAME), (folder / "ca", "reranker.example.org")):
        with balanced(folder, [instance.address] * 3, ca, name) as found:
            code, _ = refusal(found.call, request(), metadata=shown(TOKEN))
            assert code is Code.UNAVAILABLE
            assert "upstream SSL certificate" in found.log


def test_what_is_too_long_is_refused_and_not_written_to_a_disk(one: tuple[Path, Instance]) -> None:
    folder, instance = one
    with balanced(folder, [instance.address] * 3) as found:
        for size, told in ((20_000, "vs. 16384"), (25_000, "413"), (100_000, "413")):
            long = pb.RescoreRequest(parcel=pb.Parcel(packed=b"\1" * size))
            assert told in refusal(found.call, long, metadata=shown(TOKEN))[1]
        assert "temporary file" not in found.log


def test_nothing_else_is_served_and_nobody_privileged_serves_it(one: tuple[Path, Instance]) -> None:
    folder, instance = one
    with balanced(folder, [instance.address] * 3) as found:
        with pytest.raises(grpc.RpcError) as raised:
            HealthStub(found.channel).Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
        assert raised.value.code() is Code.UNIMPLEMENTED
        workers = psutil.Process(found.process.pid).children()
        assert workers
        assert all(worker.uids().effective for worker in workers)
