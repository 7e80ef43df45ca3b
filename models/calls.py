"""The system calls that the daemon may make, and those that it makes.

    python -m models.calls [--watch]

What it may: what the system unit allows on this machine, its groups written out by
`systemd-analyze syscall-filter`, less what the daemon's own filter refuses (seccomp.py). With
--watch, the daemon runs under strace, hears a microphone (of a sound server of its own), a
client's audio and a change of the catalog, is muted, unmuted and stopped; what it called meanwhile
is listed, and what of it the unit would refuse. One JSON object on standard output; the exit code
is 1 if there is such a call.
"""

import argparse
import ctypes
import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from earshot.client import connected, set_muted
from earshot.entries import Entry, Kind
from earshot.seccomp import CASES, REFUSED
from earshot.store import Store

from models.packets import Used, call, until
from tests.processes import PATIENCE, Daemon, listening
from tests.recordings import recording
from tests.sound_server import SoundServer, sound_server

UNIT = Path(__file__).parents[1] / "systemd" / "earshot.service"
CALL = re.compile(r"^(?:\d+ +)?(\w+)\(", re.MULTILINE)
# Made by the service manager's own child before it is the daemon, or allowed with any list.
ALWAYS = "@default"
OF_ROOT = {
    "fchown"
}  # SQLite gives its log to the catalog's owner, and does without where it cannot


def groups() -> dict[str, set[str]]:
    """The groups of systemd, by their names, as they are written."""
    command = ["systemd-analyze", "--no-pager", "syscall-filter"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    found: dict[str, set[str]] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("@"):
            name = line.strip()
            found[name] = set()
        elif line.startswith("    ") and not line.strip().startswith("#"):
            found[name].add(line.strip())
        elif line.startswith("#"):  # what the kernel has beyond all groups
            name = "beyond"
            found.setdefault(name, set())
    return found


def expanded(name: str, known: dict[str, set[str]]) -> set[str]:
    """The calls of a group, and of the groups in it; or a call itself."""
    if not name.startswith("@"):
        return {name}
    return set().union(*(expanded(one, known) for one in known[name]))


def allowed(unit: Path) -> set[str]:
    """The calls that a unit allows, in the order of its lines: what is taken back is gone."""
    known = groups()
    found = expanded(ALWAYS, known)
    for line in unit.read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition("=")
        if key == "SystemCallFilter":
            named = [expanded(name, known) for name in value.lstrip("~").split()]
            calls = set().union(*named)
            found = found - calls if value.startswith("~") else found | calls
    return found


def number(name: str) -> int | None:
    """The number of a call on this machine; None where it has no such call.

    OSError where libseccomp is not there, which comes with systemd.
    """
    library = ctypes.CDLL("libseccomp.so.2")
    found: int = library.seccomp_syscall_resolve_name(name.encode())
    return found if found >= 0 else None


def watched() -> set[str]:
    """The calls of a daemon that does all it does, as strace sees them."""
    with sound_server() as server, tempfile.TemporaryDirectory(prefix="e") as home:
        folder, trace, place = Path(home), Path(home) / "trace", Path(home) / "run" / "e.sock"
        config = folder / "earshot.toml"
        config.write_text('[microphone]\ndevice = "pulse"\n', encoding="utf-8")
        environment = {**server.environment, "STATE_DIRECTORY": home, "OMP_NUM_THREADS": "1"}
        # With -D it is strace that is the child, so that signals go to the daemon.
        command = ["strace", "-D", "-f", "-qq", "-o", str(trace), sys.executable, "-m", "earshot"]
        command += ["run", "--quiet", "--config", str(config), "--socket", str(place)]
        with subprocess.Popen(command, env=environment, cwd=UNIT.parents[1]) as traced:  # noqa: S603
            try:
                live(Daemon(traced, place), folder, server)
                traced.send_signal(signal.SIGTERM)
                traced.wait(PATIENCE)
            finally:
                traced.kill()
        return set(CALL.findall(trace.read_text(encoding="utf-8", errors="replace")))


def live(d: Daemon, folder: Path, server: SoundServer) -> None:
    """Have a daemon do all that it does, save stop."""
    spoken = recording("librispeech_sentence2")
    until(d, lambda answer: answer.ready)
    with listening(d):
        server.play(spoken.path)
        until(d, lambda answer: answer.counters.committed > 0)
        call(d, spoken, Used())
        with Store(folder / "catalog.db") as store:
            store.put([Entry.of(Kind.CONTACT, "Siobhan O'Neill")])
        for muted in (True, False):
            with connected(d.path) as channel:
                set_muted(channel, muted=muted)
        until(d, lambda answer: answer.ready and not answer.muted)


def main() -> int:
    """Find out, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--watch", action="store_true", help="also what it calls; takes strace")
    options = parser.parse_args()
    known = {name for group in groups().values() for name in group if number(name) is not None}
    may = allowed(UNIT) & known
    own = set(REFUSED) & may
    machine = f"{platform.machine()}, Linux {platform.release()}"
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    figures = {"known": len(known), "may": len(may - own)}
    lists = {"may": sorted(may - own), "decided_by_an_argument": sorted(set(CASES) & may)}
    beyond = set[str]()
    if options.watch:
        seen = watched()
        beyond = seen - may - (OF_ROOT if os.geteuid() == 0 else set())
        figures |= {"called": len(seen), "called_and_refused": len(beyond)}
        lists |= {"called": sorted(seen), "called_and_refused": sorted(beyond)}
    found = {"bench": "calls", "data": f"{UNIT.name} and a life of the daemon"}
    found |= {"machine": machine, "date": date}
    print(json.dumps({**found, "figures": figures, **lists}))
    return int(bool(beyond))


if __name__ == "__main__":
    sys.exit(main())
