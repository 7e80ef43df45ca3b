"""The Debian package in a booted machine: systemd starts the service as it ships, and ends it."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.booted import Machine, NoMachine, machine
from tests.recordings import recording
from tests.sound_server import ALSA, SoundServer

pytestmark = [pytest.mark.slow, pytest.mark.microphone]

SOUND = "/srv/sound"
# The microphone is that of a sound server outside. The watchdog is to bite sooner.
DROP_IN = f"""
[Service]
Environment=PULSE_SERVER=unix:{SOUND}/native PULSE_SOURCE=room.monitor
WatchdogSec=3
TimeoutAbortSec=1
"""
UNIT = "earshot.service"


@pytest.fixture(scope="module")
def booted(server: SoundServer, package: Path) -> Iterator[Machine]:
    home = Path(server.environment["HOME"])
    home.chmod(0o755)  # the service is a user of its own
    shutil.copy(package, home / "earshot.deb")
    try:
        with machine(home, SOUND) as running:
            running.write("/etc/asound.conf", ALSA)
            running.write(f"/etc/systemd/system/{UNIT}.d/test.conf", DROP_IN)
            running.run("dpkg", "--install", f"{SOUND}/earshot.deb")
            yield running
    except NoMachine as reason:
        pytest.skip(str(reason))


def status(booted: Machine) -> dict[str, object]:
    found: dict[str, object] = json.loads(booted.run("earshot", "status", "--json"))
    return found


def main_pid(booted: Machine) -> str:
    return booted.shown(UNIT, "MainPID")["MainPID"]


def test_it_is_installed_and_starts_nothing(booted: Machine) -> None:
    assert booted.run("earshot", "--version").startswith("earshot ")
    assert "earshot-clients" in booted.run("getent", "group", "earshot-clients")
    assert booted.shown(UNIT, "ActiveState", "UnitFileState") == {
        "ActiveState": "inactive",
        "UnitFileState": "disabled",
    }


@pytest.mark.parametrize("manager", ["system", "user"])
def test_systemd_has_nothing_to_say_against_any_unit_as_it_is_installed(
    manager: str, booted: Machine
) -> None:
    units = booted.run("sh", "-c", f"ls /usr/lib/systemd/{manager} | grep earshot").split()
    assert UNIT in units
    names = [name.replace("@.", "@one.") for name in units]
    place = ["env", "XDG_RUNTIME_DIR=/run"]
    verify = ["systemd-analyze", f"--{manager}", "--man=no", "verify", *names]
    said = booted.run(*place, "sh", "-c", 'exec "$@" 2>&1', "sh", *verify)
    assert [line for line in said.splitlines() if "earshot" in line] == []


def test_it_is_not_ready_until_there_is_a_microphone_and_says_so(
    booted: Machine, server: SoundServer
) -> None:
    server.unplug()
    booted.run("systemctl", "start", "--no-block", UNIT)
    booted.until(UNIT, ActiveState="activating", StatusText="the microphone cannot be opened")
    assert status(booted)["ready"] is False  # but clients are served
    server.plug()
    booted.until(UNIT, ActiveState="active", StatusText="microphone ")
    found = status(booted)
    assert (found["ready"], found["sandbox"]) == (True, "enforced")


def test_only_members_of_the_group_reach_it(booted: Machine) -> None:
    nobody = ["setpriv", "--reuid=65534", "--regid=65534"]
    ask = ["earshot", "status", "--json", "--socket", "/run/earshot/earshot.sock"]
    assert booted.run(*nobody, "--clear-groups", *ask, check=False) == ""
    told = json.loads(
        booted.run(*nobody, "--clear-groups", "earshot", "doctor", "--json", check=False)
    )
    (mend,) = [found["mend"] for found in told["findings"] if found["what"] == "socket"]
    assert mend.startswith("`usermod -aG earshot-clients ")
    group = booted.run("getent", "group", "earshot-clients").split(":")[2]
    assert json.loads(booted.run(*nobody, f"--groups={group}", *ask))["ready"]


def test_what_is_said_is_heard_and_no_word_is_in_the_journal(
    booted: Machine, server: SoundServer
) -> None:
    spoken = recording("librispeech_sentence2")
    server.play(spoken.path)
    for _ in range(60):
        if status(booted)["committed"]:
            break
        booted.run("sleep", "1")
    assert status(booted)["committed"]
    lines = [json.loads(line) for line in booted.journal(UNIT, "--output=json").splitlines()]
    ours = [line for line in lines if line.get("_COMM") == "earshot"]
    said = [str(line["MESSAGE"]) for line in ours]
    assert any(text.startswith("ready: microphone") for text in said)
    assert not [text for text in said if text.startswith(("<", "earshot:"))]
    assert {line["PRIORITY"] for line in ours} <= {"4", "6"}
    words = set(spoken.text.lower().split())
    assert not [text for text in said if len(words & set(text.lower().split())) > 2]


def test_it_is_back_when_it_was_killed(booted: Machine) -> None:
    before = main_pid(booted)
    booted.run("kill", "-KILL", before)
    booted.until(UNIT, ActiveState="active", NRestarts="1", StatusText="microphone ")
    assert main_pid(booted) != before


def test_the_watchdog_restarts_it_when_the_audio_stands_still(booted: Machine) -> None:
    booted.run("kill", "-STOP", main_pid(booted))
    booted.until(UNIT, ActiveState="active", NRestarts="2", StatusText="microphone ")
    assert "Watchdog timeout" in booted.journal(UNIT)


SESSION = """
[Service]
Type=notify
User=ann
RuntimeDirectory=ann
Environment=XDG_RUNTIME_DIR=/run/ann
ExecStart=/lib/systemd/systemd --user
Delegate=yes
"""


def test_a_user_has_one_of_her_own(booted: Machine) -> None:
    booted.run("useradd", "--create-home", "ann")
    booted.write("/etc/systemd/system/session.service", SESSION)
    booted.write(f"/etc/systemd/user/{UNIT}.d/test.conf", DROP_IN)
    booted.run("systemctl", "start", "session")
    ann = ["setpriv", "--reuid=ann", "--regid=ann", "--init-groups"]
    ann += ["env", "HOME=/home/ann", "XDG_RUNTIME_DIR=/run/ann"]
    booted.run(*ann, "systemctl", "--user", "start", "earshot")
    found = json.loads(booted.run(*ann, "earshot", "status", "--json"))
    assert (found["ready"], found["sandbox"]) == (True, "enforced")
    well = json.loads(booted.run(*ann, "earshot", "doctor", "--json"))
    states = {one["what"]: one["state"] for one in well["findings"]}
    assert (well["well"], states["units"], states["daemon"]) == (True, "ok", "ok")
    booted.run(*ann, "systemctl", "--user", "stop", "earshot")


def test_it_stops_politely_and_tells_its_figures(booted: Machine) -> None:
    booted.run("systemctl", "stop", UNIT)
    assert booted.shown(UNIT, "ActiveState", "Result") == {
        "ActiveState": "inactive",
        "Result": "success",
    }
    (last,) = [line for line in booted.journal(UNIT).splitlines() if "]: stopped: " in line][-1:]
    assert "s of audio heard" in last


def test_the_owners_settings_outlive_it_and_nothing_outlives_a_purge(booted: Machine) -> None:
    files = booted.run("dpkg", "--listfiles", "earshot").split()
    booted.run("systemctl", "enable", UNIT)
    booted.run("dpkg", "--remove", "earshot")
    look = "for path; do [ ! -f $path ] || echo $path; done"
    settings = [file for file in files if re.fullmatch(r"/etc/earshot/.+", file)]
    assert booted.run("sh", "-c", look, "sh", *files).split() == settings
    assert booted.run("ls", "/var/lib/private/earshot") == ""  # there, with nothing in it
    booted.run("dpkg", "--purge", "earshot")
    find = ["find", "/usr", "/etc", "/var/lib", "-xdev", "-name", "*earshot*"]
    assert booted.run(*find, "-not", "-path", "/etc/systemd/*").split() == []
