"""The daemon does all it does with no other system calls than the units allow."""

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from earshot.generated.v1.status_pb2 import SANDBOX_ENFORCED

from models.calls import UNIT, allowed, live, number
from models.packets import Used, call, mute
from tests.processes import ROOT, process
from tests.recordings import recording
from tests.sound_server import NoSoundServer, sound_server

USER_UNIT = UNIT.parent / "user" / UNIT.name


def resolved() -> bool:
    try:
        return number("read") is not None
    except OSError:
        return False


listed = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None or not resolved(),
    reason="systemd-analyze and libseccomp write the lists out; they are not installed",
)


def numbers(unit: Path, path: Path) -> str:
    """A file with the numbers of the calls that a unit allows."""
    found = [str(one) for name in sorted(allowed(unit)) if (one := number(name)) is not None]
    path.write_text("\n".join(found), encoding="ascii")
    return str(path)


@listed
def test_with_the_calls_of_the_unit_it_hears_recognises_is_muted_and_stops(tmp_path: Path) -> None:
    command = ("tests.confined", numbers(UNIT, tmp_path / "calls"), "earshot", "run", "--quiet")
    with ExitStack() as stack:
        try:
            server = stack.enter_context(sound_server())
        except NoSoundServer:
            server = None
        config = tmp_path / "earshot.toml"
        config.write_text('[microphone]\ndevice = "pulse"\n', encoding="utf-8")
        environment = {**(server.environment if server else os.environ)}
        environment |= {"STATE_DIRECTORY": str(tmp_path), "OMP_NUM_THREADS": "1"}
        source = "mic" if server else "-"
        options = ("--source", source, "--config", str(config), "--require-sandbox")
        d = stack.enter_context(process(*command, *options, environment=environment))
        d.until(lambda answer: answer.sandbox == SANDBOX_ENFORCED)
        if server:
            live(d, tmp_path, server)
        else:
            spoken = recording("librispeech_sentence2")
            d.hear(spoken.samples())
            call(d, spoken, Used())
            mute(d, spoken, Used())
        assert d.end()[0] == 0


@listed
def test_the_user_unit_allows_no_less_and_some_timers() -> None:
    assert allowed(USER_UNIT) - allowed(UNIT) > {"timerfd_create"}
    assert allowed(UNIT) <= allowed(USER_UNIT)


@listed
@pytest.mark.parametrize(
    "name",
    ["ptrace", "mount", "bpf", "chown", "setuid", "io_uring_setup", "keyctl", "unshare", "reboot"],
)
def test_what_it_never_needs_is_refused(name: str) -> None:
    assert name not in allowed(UNIT)


@listed
def test_a_command_prints_the_list() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "models.calls"], cwd=ROOT, check=True, stdout=-1, text=True
    )
    assert '"may": [' in done.stdout
    assert '"openat"' in done.stdout
