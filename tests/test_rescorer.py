"""The re-ranker as a process: who may ask it, what it answers, and how it ends."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import grpc
import pytest
from earshot.credentials import BY_TURNS, shown
from earshot.generated.v1 import rescoring_pb2 as pb
from earshot.generated.v1.rescoring_pb2_grpc import RescoringStub
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub

from tests.processes import PATIENCE, ROOT, until
from tests.rescorers import TOKEN, WANTED, Instance, instance, request, said, three, tls
from tests.uplinks import certificates

Code = grpc.StatusCode


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with instance(tmp_path_factory.mktemp("r"), "message_bytes = 4096\n") as found:
        yield found


@pytest.fixture
def stub(served: Instance) -> Iterator[RescoringStub]:
    with grpc.insecure_channel(served.address) as channel:
        yield RescoringStub(channel)  # type: ignore[no-untyped-call]


def refusal(
    call: "grpc.UnaryUnaryMultiCallable[pb.RescoreRequest, pb.RescoreResponse]",
    asked: pb.RescoreRequest,
    **more: object,
) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as raised:
        call(asked, timeout=PATIENCE, **more)  # type: ignore[arg-type]
    return raised.value.code(), raised.value.details() or ""


def test_it_answers_the_likeliest_paths_with_its_name(stub: RescoringStub) -> None:
    answer = stub.Rescore(request(n_best=3, id="7"), timeout=PATIENCE)
    assert said(answer) == WANTED
    assert (len(answer.paths), answer.id) == (3, "7")
    assert (answer.model.name, answer.model.version) == ("small", "1")
    scores = [path.score for path in answer.paths]
    assert scores == sorted(scores, reverse=True)
    assert 0.5 < sum(path.posterior for path in answer.paths) <= 1.0001


def test_one_path_is_answered_where_no_number_is_asked_for(stub: RescoringStub) -> None:
    assert len(stub.Rescore(request(), timeout=PATIENCE).paths) == 1


def test_limits_are_told_with_both_numbers(stub: RescoringStub) -> None:
    long = pb.RescoreRequest(parcel=pb.Parcel(packed=b"\1" * 5_000))
    for asked, told in (
        (request(n_best=65), "65 paths exceed the limit of 64"),
        (request(id="x" * 65), "65 bytes exceed the limit of 64"),
        (long, "(5006 vs. 4096)"),
    ):
        code, text = refusal(stub.Rescore, asked)
        assert (code, told in text) == (Code.RESOURCE_EXHAUSTED, True), text


def test_what_is_no_lattice_is_refused(stub: RescoringStub) -> None:
    for parcel in (pb.Parcel(), pb.Parcel(packed=b"\7\7\7"), pb.Parcel(word_list=5, packed=b"\1")):
        code, text = refusal(stub.Rescore, pb.RescoreRequest(parcel=parcel))
        assert (code, text != "") == (Code.INVALID_ARGUMENT, True)


def test_a_thousand_hostile_messages_leave_it_as_it_was(
    served: Instance, stub: RescoringStub
) -> None:
    with grpc.insecure_channel(served.address) as channel:
        raw = channel.unary_unary("/earshot.v1.Rescoring/Rescore", bytes, bytes)
        calls = [
            raw.future(bytes((i * j) % 256 for j in range(i % 90)), timeout=PATIENCE)
            for i in range(1_000)
        ]
        codes = {call.code() for call in calls}
    assert codes <= {Code.INVALID_ARGUMENT, Code.RESOURCE_EXHAUSTED}
    assert said(stub.Rescore(request(), timeout=PATIENCE)) == WANTED


def test_its_health_is_told(served: Instance) -> None:
    with grpc.insecure_channel(served.address) as channel:
        ask = HealthStub(channel)
        for service in ("", "earshot.v1.Rescoring"):
            answer = ask.Check(health_pb2.HealthCheckRequest(service=service), timeout=PATIENCE)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_many_at_once_all_get_the_answer(served: Instance) -> None:
    with grpc.insecure_channel(served.address) as channel:
        call = RescoringStub(channel).Rescore  # type: ignore[no-untyped-call]
        asked = [call.future(request(), timeout=PATIENCE) for _ in range(200)]
        assert {said(one.result()) for one in asked} == {WANTED}


def test_it_ends_politely_and_logs_no_word(tmp_path: Path) -> None:
    with instance(tmp_path) as found:
        with grpc.insecure_channel(found.address) as channel:
            RescoringStub(channel).Rescore(request(), timeout=PATIENCE)  # type: ignore[no-untyped-call]
        code, log = found.end()
    assert code == 0
    assert "1 requests answered" in log
    assert not any(word in log for word in ("turn", "lamp", "kite"))
    assert not (tmp_path / "r.sock").exists()


def test_over_tcp_only_with_tls(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "earshot.commands.rescorer", "--listen", "127.0.0.1:0"]
    with instance(tmp_path) as found:
        more = ["--rescorer", str(tmp_path / "small")]
        done = subprocess.run(
            [*command, *more], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert found.process.poll() is None
    assert done.returncode == 1
    assert "over TCP only with TLS" in done.stderr


def channel_of(
    address: str, folder: Path, *, shows: bool = True, retries: bool = True
) -> grpc.Channel:
    """A channel over TLS as the uplink's; `shows` a certificate of its own."""
    ca, key, chain = ((folder / name).read_bytes() for name in ("ca", "key", "cert"))
    credentials = grpc.ssl_channel_credentials(ca, key if shows else None, chain if shows else None)
    name = ("grpc.ssl_target_name_override", "localhost")
    again = ("grpc.enable_retries", int(retries))
    return grpc.secure_channel(address, credentials, [BY_TURNS, name, again])


def test_a_token_must_be_shown(tmp_path: Path) -> None:
    certificates(tmp_path)
    with (
        instance(tmp_path, tls(tmp_path), "127.0.0.1:0") as found,
        channel_of(found.address, tmp_path, shows=False) as channel,
    ):
        call = RescoringStub(channel).Rescore  # type: ignore[no-untyped-call]
        for token in ("", TOKEN[:-1], TOKEN + "0"):
            code, text = refusal(call, request(), metadata=shown(token))
            assert (code, "Bearer TOKEN" in text) == (Code.UNAUTHENTICATED, True)
        assert said(call(request(), timeout=PATIENCE, metadata=shown(TOKEN))) == WANTED


def test_who_has_no_certificate_is_not_let_in(tmp_path: Path) -> None:
    certificates(tmp_path)
    with instance(tmp_path, tls(tmp_path, client_ca=True, token=False), "127.0.0.1:0") as found:
        with channel_of(found.address, tmp_path, shows=False) as channel:
            call = RescoringStub(channel).Rescore  # type: ignore[no-untyped-call]
            assert refusal(call, request())[0] is Code.UNAVAILABLE
        with channel_of(found.address, tmp_path) as channel:
            call = RescoringStub(channel).Rescore  # type: ignore[no-untyped-call]
            assert said(call(request(), timeout=PATIENCE)) == WANTED


def addresses(some: Sequence[Instance]) -> str:
    """The target of a channel to all of them."""
    return "ipv4:" + ",".join(each.address for each in some)


def test_of_three_instances_one_may_die_and_nothing_is_lost(tmp_path: Path) -> None:
    certificates(tmp_path)
    found = list[str]()
    with three(tmp_path) as some:
        with channel_of(addresses(some), tmp_path) as channel:
            call = RescoringStub(channel).Rescore  # type: ignore[no-untyped-call]
            more = {"wait_for_ready": True, "metadata": shown(TOKEN), "timeout": PATIENCE}
            for number in range(150):
                if number == 50:
                    some[1].process.kill()
                    some[1].process.wait(PATIENCE)
                found.append(said(call(request(), **more)))
        logs = [each.end()[1] for each in (some[0], some[2])]
    assert found == [WANTED] * 150
    counts = [int(re.findall(r"(\d+) requests answered", log)[0]) for log in logs]
    assert min(counts) >= 50  # they took turns


@pytest.mark.parametrize(("number", "grace"), [(signal.SIGKILL, 2_000), (signal.SIGTERM, 0)])
def test_what_one_of_three_breaks_off_another_answers(
    tmp_path: Path, number: signal.Signals, grace: int
) -> None:
    certificates(tmp_path)
    with (
        three(tmp_path, f"grace_ms = {grace}\n") as some,
        channel_of(addresses(some), tmp_path) as channel,
    ):
        call = RescoringStub(channel).Rescore  # type: ignore[no-untyped-call]
        more = {"metadata": shown(TOKEN), "timeout": 2 * PATIENCE}
        known = set[str]()
        while len(known) < len(some):
            known.add(call(request(), **more).model.version)
        with some[1].paused():
            asked = [call.future(request(), **more) for _ in range(60)]
            until(lambda: sum(each.done() for each in asked) >= 30)
            assert not all(each.done() for each in asked)
            some[1].process.send_signal(number)
        assert [said(each.result()) for each in asked] == [WANTED] * 60


def test_stopped_it_says_so_at_once_and_answers_all_that_waits(tmp_path: Path) -> None:
    with (
        instance(tmp_path, "grace_ms = 20000\n") as found,
        grpc.insecure_channel(found.address, [("grpc.enable_retries", 0)]) as channel,
    ):
        asking = health_pb2.HealthCheckRequest(service="earshot.v1.Rescoring")
        health = HealthStub(channel).Watch(asking, timeout=2 * PATIENCE)
        assert next(health).status == health_pb2.HealthCheckResponse.SERVING
        call = RescoringStub(channel).Rescore  # type: ignore[no-untyped-call]
        with found.paused():
            asked = [call.future(request(), timeout=2 * PATIENCE) for _ in range(200)]
            found.process.send_signal(signal.SIGTERM)
        assert next(health).status == health_pb2.HealthCheckResponse.NOT_SERVING
        health.cancel()
        assert [said(each.result()) for each in asked] == [WANTED] * 200
        code, log = found.ended()
    assert (code, "200 requests answered" in log) == (0, True)


def test_nothing_of_what_hears_is_in_it() -> None:
    look = (
        "import sys, earshot.commands.rescorer\n"
        "hears = {'earshot.recogniser', 'earshot.microphone', 'earshot.search', 'sounddevice'}\n"
        "assert not hears & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", look], cwd=ROOT, check=True)
