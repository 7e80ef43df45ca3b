"""The daemon is silent on the network: some seconds of what `models.packets` does for an hour."""

import json
import os
import subprocess
import sys

import pytest
from earshot import seccomp

from models.wire import NoNetworkError, apart
from tests.processes import ROOT

SILENT = ("packets", "packets_not_captured", "device_packets", "ip_requests", "ipv6_requests")
# Where the library that runs the networks finds one of these, it reports to nobody anyway.
HUSHES = ("CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS")


def own_network(command: list[str]) -> list[str]:
    """The command in a network of its own, or a reason to skip."""
    try:
        seccomp.check()
        return apart(command)
    except (NoNetworkError, OSError) as reason:
        pytest.skip(str(reason))


def environment(folder: str) -> dict[str, str]:
    named = {name: value for name, value in os.environ.items() if name not in HUSHES}
    return {**named, "HOME": folder, "XDG_CACHE_HOME": folder, "OMP_NUM_THREADS": "1"}


def test_a_while_of_use_sends_no_packet_where_an_unguarded_program_is_caught(tmp_path: str) -> None:
    command = own_network([sys.executable, "-m", "models.packets", "--inside", "--seconds", "3"])
    done = subprocess.run(
        command, cwd=ROOT, env=environment(str(tmp_path)), check=False, capture_output=True
    )
    if b"the kernel makes no device" in done.stderr:
        pytest.skip("the kernel has neither dummy nor veth devices")
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout)["figures"]
    assert {figures[name] for name in SILENT} == {0}
    assert min(figures["control_packets_before"], figures["control_packets_after"]) >= 2
    assert figures["audio_seconds"] >= 3
    assert min(figures[name] for name in ("starts", "utterances", "calls", "names", "mutes")) >= 1


def test_the_library_of_the_networks_is_told_to_report_to_nobody_whatever_was_said_before() -> None:
    code = "import earshot, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    told = {**os.environ, "ORT_DISABLE_TELEMETRY": "0"}
    for one in (code, code.replace("earshot", "models")):
        done = subprocess.run(
            [sys.executable, "-c", one], cwd=ROOT, env=told, check=True, stdout=-1, text=True
        )
        assert done.stdout == "1\n"
