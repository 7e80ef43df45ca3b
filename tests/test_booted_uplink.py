"""The units in a booted machine: systemd starts the uplink in mode assisted, and only then."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.booted import Machine, NoMachine, machine
from tests.processes import ROOT, until
from tests.test_systemd import FOLDER
from tests.uplinks import rescorer

pytestmark = pytest.mark.slow

SHARED, PYTHON, TREE = "/srv/shared", "/opt/python", "/opt/tree"
UPLINK = "earshot-uplink.service"
EXPIRY = ("earshot-audit.service", "earshot-audit.timer")
UNITS = ("earshot.service", UPLINK, "earshot-uplink.path", *EXPIRY)
# The interpreter of the tests and the repository may lie in a home, or in a folder for temporary
# files, which units do not see: another place for them.
PROGRAM = f"""#!/bin/sh
export LD_LIBRARY_PATH={PYTHON}/lib PYTHONPATH={TREE}/daemon:{TREE}:{{packages}}
exec {PYTHON}/bin/python{sys.version_info[0]}.{sys.version_info[1]} -B -m {{module}}
"""
PROGRAMS = {
    "earshot": 'earshot "$@"',
    "fake": 'tests.choosy_daemon 0 "$@"',
    "earshot-uplink": 'earshot.commands.uplink "$@"',
}
# What is missing of a machine's devices.
PREPARE = f"""
mkdir -p {PYTHON} {TREE} /dev/pts /dev/mqueue /dev/hugepages
ln -s pts/ptmx /dev/ptmx
mount --bind {sys.base_prefix} {PYTHON}
mount --bind {ROOT} {TREE}
chmod 755 /opt/earshot/bin/* /etc/earshot
for group in audio earshot-clients earshot-handover; do groupadd --system --force $group; done
systemctl daemon-reload
"""
LOG = "/var/lib/private/earshot-uplink/audit"
OLD = f"touch -d '91 days ago' {LOG}/000101.audit; touch -d '89 days ago' {LOG}/000102.audit"


@pytest.fixture
def booted(tmp_path: Path) -> Iterator[Machine]:
    tmp_path.chmod(0o755)
    if ROOT.is_relative_to("/tmp"):  # noqa: S108 - where others put it
        pytest.skip("the machine has a /tmp of its own, and the repository lies in this one's")
    try:
        with machine(tmp_path, SHARED) as running:
            packages = next(path for path in sys.path if path.endswith("site-packages"))
            packages = packages.replace(str(ROOT), TREE)
            for name, module in PROGRAMS.items():
                text = PROGRAM.format(packages=packages, module=module)
                running.write(f"/opt/earshot/bin/{name}", text)
            for unit in UNITS:
                text = (FOLDER / unit).read_text("utf-8").replace("bin/earshot run", "bin/fake")
                running.write(f"/etc/systemd/system/{unit}", text)
            running.write("/etc/earshot/earshot.toml", 'source = "-"\n')
            address = f'[uplink]\naddress = "unix:{SHARED}/r"\n'
            running.write("/etc/earshot/uplink.toml", address)
            running.run("sh", "-ec", PREPARE)
            yield running
    except NoMachine as reason:
        pytest.skip(str(reason))


def status(booted: Machine) -> dict[str, object]:
    answer = booted.run("/opt/earshot/bin/earshot", "status", "--json")
    found: dict[str, object] = json.loads(answer)
    return found


def test_the_uplink_runs_exactly_in_mode_assisted(booted: Machine, tmp_path: Path) -> None:
    with rescorer(f"unix:{tmp_path}/r"):
        (tmp_path / "r").chmod(0o777)
        booted.run("systemctl", "start", "earshot-uplink.path", "earshot.service")
        assert booted.shown(UPLINK, "ActiveState") == {"ActiveState": "inactive"}
        privacy = "/opt/earshot/bin/earshot", "privacy"
        booted.run(*privacy, "assisted")
        booted.until(UPLINK, ActiveState="active")
        until(lambda: status(booted)["uplink"] == "ready")
        found = booted.run("stat", "-c", "%a %G", "/run/earshot-uplink/uplink.sock")
        assert found == "660 earshot-handover\n"
        booted.run(*privacy, "local-only")
        booted.until(UPLINK, ActiveState="inactive", Result="success")
        booted.run(*privacy, "assisted")
        booted.until(UPLINK, ActiveState="active")
        booted.run("systemctl", "stop", "earshot.service")
        booted.until(UPLINK, ActiveState="inactive", Result="success")
        booted.run("systemctl", "start", "earshot.service")  # the mode lasts
        booted.until(UPLINK, ActiveState="active")


def test_what_left_long_ago_is_forgotten_also_where_no_uplink_runs(booted: Machine) -> None:
    booted.run("systemctl", "start", "earshot-uplink.path", "earshot.service")
    assert booted.shown(EXPIRY[1], "ActiveState") == {"ActiveState": "active"}
    for assisted in (True, False):
        if assisted:
            booted.run("/opt/earshot/bin/earshot", "privacy", "assisted")
            booted.until(UPLINK, ActiveState="active")
        booted.run("sh", "-ec", OLD)
        booted.run("systemctl", "start", EXPIRY[0])
        assert booted.run("ls", LOG) == "000102.audit\nlock\n"
        booted.run("/opt/earshot/bin/earshot", "privacy", "local-only")
        booted.until(UPLINK, ActiveState="inactive", Result="success")
