"""make deb: a package for Debian and its children, by dpkg-deb alone.

It holds the same environment as `make install`, so it needs of the system only Python of the
version it was built with, PortAudio and systemd. Installing it starts nothing: what listens is
started by its owner.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from install.environment import ROOT, InstallError, version_of
from install.layout import Layout
from install.stage import Stage

SCRIPTS = ROOT / "systemd" / "install" / "debian"
COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: earshot

Files: *
Copyright: the authors of earshot
License: Apache-2.0
 The text is in /usr/share/common-licenses/Apache-2.0. The libraries in
 /usr/lib/earshot/lib have their own licences, in their *.dist-info folders.
"""
CONTROL = """\
Package: earshot
Version: {version}
Architecture: {architecture}
Maintainer: {maintainer}
Installed-Size: {size}
Depends: python3 (>= {python}~), python3 (<< {next}~), libc6 (>= 2.28), libportaudio2, systemd
Recommends: libasound2-plugins
Section: sound
Priority: optional
Description: on-device speech recognition
 A voice daemon for a Raspberry Pi or a laptop. It hears a room through one
 microphone, recognises English on the device and hands words, end-points and
 word lattices to local clients over gRPC. Nothing leaves the device.
"""
MAINTAINER = "The authors of earshot <earshot@localhost>"


def package(folder: Path, python: Path, compression: Sequence[str]) -> Path:
    """Build it into a folder. Raises InstallError, OSError."""
    with tempfile.TemporaryDirectory(prefix="earshot-deb-") as place:
        root = Path(place) / "root"
        root.mkdir(mode=0o755)
        stage = Stage(Layout.package(), root)
        stage.install(python)
        stage.at(Layout.package().record).unlink()  # dpkg has its own
        _documents(stage)
        control = root / "DEBIAN"
        control.mkdir(mode=0o755)
        facts = _facts(root, python)
        (control / "control").write_text(CONTROL.format(**facts), encoding="utf-8")
        settings = sorted(stage.at(Layout.package().settings).iterdir())
        names = "".join(f"/{path.relative_to(root)}\n" for path in settings)
        (control / "conffiles").write_text(names, encoding="utf-8")
        for script in sorted(SCRIPTS.iterdir()):
            shutil.copy(script, control / script.name)
            (control / script.name).chmod(0o755)
        _plain_modes(root)
        target = folder / f"earshot_{facts['version']}_{facts['architecture']}.deb"
        folder.mkdir(parents=True, exist_ok=True)
        _run("dpkg-deb", "--root-owner-group", *compression, "--build", str(root), str(target))
    return target


def _documents(stage: Stage) -> None:
    documents = Layout.package().documents
    if documents:
        place = stage.at(documents)
        place.mkdir(parents=True)
        (place / "copyright").write_text(COPYRIGHT, encoding="utf-8")
        shutil.copy(ROOT / "README.md", place / "README.md")


def _facts(root: Path, python: Path) -> dict[str, str]:
    major, minor, _ = version_of(python).split(".")
    size = sum(path.lstat().st_size for path in root.rglob("*") if path.is_file())
    return {
        "version": _own_version(),
        "architecture": _run("dpkg", "--print-architecture"),
        "maintainer": MAINTAINER,
        "size": str(size // 1024),
        "python": f"{major}.{minor}",
        "next": f"{major}.{int(minor) + 1}",
    }


def _own_version() -> str:
    code = "import earshot; print(earshot.__version__)"
    return _run(sys.executable, "-c", code)


def _plain_modes(root: Path) -> None:
    """Let all read, and only root write, whatever the umask of who builds."""
    for path in (root, *root.rglob("*")):
        if path.is_symlink():
            continue
        runs = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if runs else 0o644)


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    except FileNotFoundError as error:
        message = f"{command[0]} is not installed; packages are built on Debian"
        raise InstallError(message) from error
    except subprocess.CalledProcessError as error:
        message = f"{command[0]} failed: {error.stderr.strip()}"
        raise InstallError(message) from error
    return done.stdout.strip()


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the package, and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "deb", help="folder")
    parser.add_argument("--python", type=Path, default=Path("/usr/bin/python3"))
    parser.add_argument("--compression", default="-Zxz", help="options of dpkg-deb")
    options = parser.parse_args(arguments)
    try:
        print(package(options.out, options.python, options.compression.split()))
    except (InstallError, OSError) as error:
        print(f"earshot: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
