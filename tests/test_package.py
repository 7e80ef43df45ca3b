"""The Debian package as a file: what it says, what is in it, and that what is in it works alone."""

import re
import subprocess
from pathlib import Path

import pytest
from earshot import __version__

from tests.recordings import recording

pytestmark = pytest.mark.slow


def told(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout


def test_it_says_what_it_is_and_what_it_needs(package: Path) -> None:
    fields = dict(
        line.split(": ", 1) for line in told("dpkg-deb", "--field", package).splitlines()[:9]
    )
    assert (fields["Package"], fields["Version"]) == ("earshot", __version__)
    assert fields["Architecture"] == told("dpkg", "--print-architecture").strip()
    assert "libportaudio2" in fields["Depends"]
    assert re.search(r"python3 \(>= 3\.\d+~\), python3 \(<< 3\.\d+~\)", fields["Depends"])


def test_it_is_roots_and_nobody_else_may_write_it(package: Path) -> None:
    for line in told("dpkg-deb", "--contents", package).splitlines():
        mode, owner, *_ = line.split()
        assert owner == "root/root"
        assert mode.startswith("l") or (mode[5], mode[8]) == ("-", "-"), line


def test_no_path_of_this_machine_is_in_its_texts(package: Path, tmp_path: Path) -> None:
    told("dpkg-deb", "--raw-extract", package, tmp_path)
    here = str(Path(__file__).parents[1])
    for path in tmp_path.rglob("*"):
        ours = "site-packages" not in path.parts or path.is_relative_to("earshot")
        if ours and path.is_file() and not path.is_symlink():
            assert here not in path.read_text("utf-8", errors="replace"), path
    for script in ("postinst", "prerm", "postrm"):
        told("sh", "-n", tmp_path / "DEBIAN" / script)
    conffiles = (tmp_path / "DEBIAN" / "conffiles").read_text().split()
    assert "/etc/earshot/earshot.toml" in conffiles
    (unit,) = (tmp_path / "usr/lib/systemd/system").glob("earshot.service")
    assert "ExecStart=/usr/lib/earshot/bin/earshot run" in unit.read_text()


def test_what_is_in_it_recognises_without_the_repository(package: Path, tmp_path: Path) -> None:
    told("dpkg-deb", "--extract", package, tmp_path)
    python = tmp_path / "usr" / "lib" / "earshot" / "bin" / "python3"
    if not python.exists():
        pytest.skip(f"{python.readlink()} is not here")
    spoken = recording("librispeech_sentence2")
    command = [str(python), "-I", "-m", "earshot", "transcribe", str(spoken.path)]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=True, env={})
    assert (len(done.stdout.split()) > 3, done.stderr) == (True, "")
    source = "import earshot; print(earshot.__file__)"
    assert told(python, "-I", "-c", source).startswith(str(tmp_path))
