"""Metrics for Prometheus: what is told, by its conventions, and to whom."""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, UnixConnector
from earshot.__main__ import main
from earshot.events import Cancelled, Committed, Decision, EndPoint, EndPointKind, SpeechStarted
from earshot.generated.v1 import playback_pb2, status_pb2
from earshot.lattice import EMPTY
from earshot.metrics import exposition
from earshot.tally import Histogram, Tally
from earshot.usage import server_of, usage
from earshot.vitals import Vitals
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parsed_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parsed

from tests.fake_recogniser import loud, quiet
from tests.processes import PATIENCE, ROOT, daemon

LABELS = {"kind", "le", "bundle", "bundle_version", "version"}
UNITS = ("seconds", "bytes", "samples", "ratio", "level", "info")
COUNTED = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",), "gauge": ("",)}
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def status() -> status_pb2.GetStatusResponse:
    found = status_pb2.GetStatusResponse(ready=True, mode=status_pb2.MODE_LOCAL_ONLY)
    found.source = "microphone 'Siobhan'"
    found.counters.heard.FromMilliseconds(1_500)
    found.counters.utterances = 3
    found.latencies.ended.bounds.extend([0.1, 0.5])
    found.latencies.ended.counts.extend([1, 2, 4])
    found.latencies.ended.sum = 9.5
    return found


def families(text: str) -> list[Metric]:
    return list(parsed(text))


def values(text: str) -> dict[str, float]:
    return {
        sample.name
        + "".join(f" {key}={value}" for key, value in sorted(sample.labels.items())): sample.value
        for family in families(text)
        for sample in family.samples
    }


def lint(text: str) -> None:
    """What promtool looks at: names, units, types, help, labels."""
    for family in families(text):
        ours = family.name.startswith("earshot_")
        assert ours or family.name.startswith("process_"), family.name
        assert re.fullmatch(r"[a-z][a-z0-9_]*", family.name)
        assert family.documentation, family.name
        assert not ours or family.documentation.endswith("."), family.name
        assert family.type in COUNTED, (family.name, family.type)
        assert not re.search(r"_(ms|milliseconds|mb|percent|counter|gauge)(_|$)", family.name)
        for sample in family.samples:
            assert sample.name.endswith(COUNTED[family.type]), sample.name
            assert set(sample.labels) <= LABELS
        if family.type == "gauge":
            assert not family.name.endswith("_total")


def test_the_metrics_keep_the_conventions_and_hold_no_words() -> None:
    player = playback_pb2.GetPlaybackStatusResponse(playing=["Siobhan's song.ogg"])
    player.punctuality.xruns = 2
    text = exposition(Vitals(status(), player))[0].decode()
    lint(text)
    found = values(text)
    assert found["earshot_up"] == found["earshot_ready"] == found["earshot_local_only"] == 1
    assert found["earshot_audio_heard_seconds_total"] == 1.5
    assert found["earshot_player_late_blocks_total"] == 2
    final = "earshot_end_point_latency_seconds"
    assert found[f"{final}_bucket kind=final le=0.5"] == 3
    assert found[f"{final}_bucket kind=final le=+Inf"] == found[f"{final}_count kind=final"] == 7
    assert found[f"{final}_sum kind=final"] == 9.5
    assert found["process_cpu_seconds_total"] > 0
    assert "Siobhan" not in text


def test_who_asks_for_openmetrics_gets_them() -> None:
    body, content_type = exposition(Vitals(status()), OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text")
    told = parsed_openmetrics(body.decode())  # type: ignore[no-untyped-call]
    names = {family.name for family in told}
    assert {"earshot_utterances", "earshot_build", "earshot_recognition_delay_seconds"} <= names


def test_without_a_daemon_only_that_is_told() -> None:
    assert values(exposition(Vitals())[0].decode()) == {"earshot_up": 0}


def end_point(at: int, end: int, kind: EndPointKind = EndPointKind.FINAL) -> EndPoint:
    return EndPoint(at, 1, 1, kind, Decision("pause", ()), end, EMPTY)


def test_the_latencies_of_streams_are_kept_apart() -> None:
    tally = Tally()
    one, other = tally.stream(), tally.stream()
    one(SpeechStarted(100, 1, 0))
    one(end_point(16_000, 12_800, EndPointKind.SPECULATIVE))
    other(end_point(99_999, 99_999))
    one(Committed(20_800, 1, 1))
    other(Cancelled(99_999, 1, "muted"))
    assert (tally.announced.total, sum(tally.announced.counts)) == (0.2, 1)
    assert (tally.ended.total, sum(tally.ended.counts)) == (0.5, 1)
    assert (tally.utterances, tally.committed, tally.cancelled) == (1, 1, 1)


def test_a_number_on_a_bound_counts_as_below_it() -> None:
    found = Histogram((1.0, 2.0))
    for number in (0.5, 1.0, 1.5, 3.0):
        found.add(number)
    assert (found.counts, found.total) == ([2, 1, 1], 6.0)


def test_the_kernel_tells_who_serves_a_socket_and_what_it_takes(tmp_path: Path) -> None:
    path = tmp_path / "s"
    assert server_of(path) is None
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        assert server_of(path) is None
        listening.listen()
        assert server_of(path) == os.getpid()
    own = usage(os.getpid())
    assert own is not None
    assert own.cpu_seconds > 0
    assert own.resident_bytes > 1 << 20
    assert usage(0) is None


async def get(
    url: str, headers: dict[str, str] | None = None, path: Path | None = None
) -> tuple[int, str, str]:
    """Status, text and type of an answer, over TCP or at a Unix socket."""
    connector = UnixConnector(str(path)) if path else None
    async with (
        ClientSession(connector=connector) as client,
        client.get(url, headers=headers) as answer,
    ):
        found = answer.status, await answer.text(), answer.headers["Content-Type"]
    await asyncio.sleep(0)  # its connection is closed in the next turn
    return found


def test_the_daemon_serves_them_where_its_owner_wants(tmp_path: Path) -> None:
    config, place = tmp_path / "earshot.toml", tmp_path / "m.sock"
    config.write_text(f"[metrics]\nsocket = {json.dumps(str(place))}\n", encoding="utf-8")
    with daemon("--source", "-", "--config", str(config)) as d:
        d.hear(loud(0.3))
        d.hear(quiet(0.5))
        d.until(lambda answer: answer.counters.committed == 1)
        code, text, kind = asyncio.run(get("http://x/metrics", path=place))
        assert (code, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
        lint(text)
        found = values(text)
        assert found["earshot_utterances_committed_total"] == 1
        assert found["earshot_recognition_delay_seconds_count"] > 0
        assert '"word' not in text
        assert place.stat().st_mode & 0o777 == 0o660
        kept = d.status().sandbox == status_pb2.SANDBOX_ENFORCED
        assert found["earshot_sandboxed"] == kept
        d.end()
        assert not place.exists()


@contextmanager
def serving(*options: str) -> Iterator[str]:
    """A command that serves something; the address that it prints."""
    command = [sys.executable, "-m", "earshot", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=-1, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()
            assert process.wait(PATIENCE) == 0


def test_a_command_serves_them_over_tcp_and_outlives_the_daemon(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("0123456789abcdef", encoding="ascii")
    token.chmod(0o600)
    path = tmp_path / "e.sock"
    options = ("--listen", "127.0.0.1:0", "--token-file", str(token), "--socket", str(path))
    shown = {"Authorization": "Bearer 0123456789abcdef"}
    with serving("metrics", *options) as url:
        assert asyncio.run(get(url))[0] == 401
        assert asyncio.run(get(url, {"Authorization": "Bearer 0123456789abcdee"}))[0] == 401
        assert asyncio.run(get(url, {"Host": "evil.example", **shown}))[0] == 421
        assert "earshot_up 0.0" in asyncio.run(get(url, shown))[1]
        with daemon("--source", "-", path=path) as d:
            d.until(lambda _: True)
            code, text, _ = asyncio.run(get(url, shown))
            assert code == 200
            lint(text)
            assert values(text)["earshot_up"] == 1
            assert values(text)["process_resident_memory_bytes"] > 1 << 20


def test_the_command_prints_them_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["metrics", "--socket", str(tmp_path / "e.sock")]) == 0
    assert values(capsys.readouterr().out) == {"earshot_up": 0}
    assert main(["metrics", "--listen", "0.0.0.0:0"]) == 1
    assert "--token-file" in capsys.readouterr().err
