"""A virtual environment with earshot and just those versions of its libraries that were tested.

They are copied from the environment that runs this (`make setup` made it), so that nothing is
downloaded, and what is installed is what `make test` saw. Nothing in it says where it was built:
it may be moved by DESTDIR, and packed.
"""

import importlib.metadata
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
EXTRAS = frozenset({"see"})  # groups of optional dependencies that a full installation has
SCRIPTS = "console_scripts"
LAUNCHER = """\
#!{python} -IB
import sys

from {module} import {function}

sys.exit({function}())
"""


class InstallError(Exception):
    """What makes it impossible; says what to do."""


def build(site_of: Path, final: Path, python: Path) -> None:
    """Make an environment at `site_of`, which will be at `final`, for an interpreter there.

    Raises InstallError if the interpreter is another Python than this one.
    """
    version = version_of(python)
    site = site_of / "lib" / f"python{version.rpartition('.')[0]}" / "site-packages"
    site.mkdir(parents=True)
    own = _unpack_own(site)
    for distribution in closure(own):
        _copy(distribution, site)
    binaries = site_of / "bin"
    binaries.mkdir()
    (binaries / "python3").symlink_to(python)
    for entry in own.entry_points.select(group=SCRIPTS):
        launcher = binaries / entry.name
        here = final / "bin" / "python3"
        text = LAUNCHER.format(python=here, module=entry.module, function=entry.attr)
        launcher.write_text(text, encoding="utf-8")
        launcher.chmod(0o755)
    about = (
        f"home = {python.parent}",
        "include-system-site-packages = false",
        f"version = {version}",
    )
    (site_of / "pyvenv.cfg").write_text("\n".join(about) + "\n", encoding="utf-8")
    _compile(site, final / site.relative_to(site_of), python)


def closure(of: Distribution) -> list[Distribution]:
    """All that a distribution needs, by name. Raises InstallError for what is not here."""
    found: dict[str, Distribution] = {}
    waiting = list(_needs(of, EXTRAS))
    while waiting:
        need = waiting.pop()
        key = canonicalize_name(need.name)
        if key in found:
            continue
        try:
            found[key] = importlib.metadata.distribution(need.name)
        except importlib.metadata.PackageNotFoundError as error:
            message = f"{need.name} is not installed here; run `make setup` again"
            raise InstallError(message) from error
        waiting += _needs(found[key], need.extras)
    return [found[key] for key in sorted(found)]


def _needs(distribution: Distribution, extras: set[str] | frozenset[str]) -> Iterator[Requirement]:
    for text in distribution.requires or []:
        need = Requirement(text)
        wanted = need.marker is None or any(
            need.marker.evaluate({"extra": extra}) for extra in ("", *extras)
        )
        if wanted:
            yield need


def _copy(distribution: Distribution, site: Path) -> None:
    """Copy its files; not those outside of site-packages, its tests, and where it came from."""
    for file in distribution.files or []:
        if {"..", "__pycache__", "tests"} & set(file.parts) or file.name == "direct_url.json":
            continue
        target = site / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(str(file.locate()), target)


def _unpack_own(site: Path) -> Distribution:
    """Build the wheel of this repository, and unpack it: it is pure, so that is all."""
    with tempfile.TemporaryDirectory() as folder:
        build = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
        command = [sys.executable, "-m", "pip", *build, "--wheel-dir", folder, str(ROOT)]
        made = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
        if made.returncode:
            message = f"the wheel of earshot cannot be built: {made.stderr.strip()[-300:]}"
            raise InstallError(message)
        (wheel,) = Path(folder).glob("earshot-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
    (own,) = importlib.metadata.distributions(name="earshot", path=[str(site)])
    return own


def version_of(python: Path) -> str:
    """The version of an interpreter. Raises InstallError if it is another Python than this one."""
    ask = [str(python), "-IS", "-c", "import platform; print(platform.python_version())"]
    try:
        told = subprocess.run(ask, check=True, capture_output=True, text=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        message = f"{python} cannot be run; say which Python to use with SYSTEM_PYTHON=/path"
        raise InstallError(message) from error
    version: str = told.stdout.strip()
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if version.rpartition(".")[0] != here:
        message = (
            f"{python} is Python {version}, but .venv has {here}, and so have its libraries; "
            f"run `make clean setup PYTHON={python}`, or say SYSTEM_PYTHON=/path/of/python{here}"
        )
        raise InstallError(message)
    return version


def _compile(site: Path, final: Path, python: Path) -> None:
    """Compile all, for who runs it may not write there; for good, without a look at the source."""
    how = ["-q", "--invalidation-mode", "unchecked-hash", "-s", str(site), "-p", str(final)]
    command = [str(python), "-I", "-m", "compileall", "-j", "0", *how, str(site)]
    # Templates among the libraries' files are no Python, and stay uncompiled.
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL)  # noqa: S603
