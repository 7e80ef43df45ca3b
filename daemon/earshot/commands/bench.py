"""earshot bench: the measurements behind the numbers of the README.

They are scripts of the repository, and what follows the name is theirs: `earshot bench endpoint
--kit KIT --count 20 --json`. They need a working copy of it, and the data kit.
"""

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import earshot
from earshot.errors import RequestError

HELP = {"-h", "--help"}
SPEECH = "speech"  # a folder of every data kit


@dataclass(frozen=True, slots=True)
class Bench:
    """A script that measures."""

    module: str
    about: str
    implied: frozenset[str] = frozenset()
    """arguments that say what it does anyway"""


BENCHES = {
    "engine": Bench("models.bench", "errors, cost and delay, beside others", frozenset({"--json"})),
    "endpoint": Bench("models.endpoint", "how late after the last word it ends, how often before"),
    "bias": Bench("models.bias", "what a catalog of names gains and costs"),
    "privacy": Bench(
        "models.privacy",
        "what leaves in mode assisted, and what it costs in time",
        frozenset({"--json"}),
    ),
    "music": Bench("models.music", "music and speech on the same cores"),
    "echo": Bench("models.echo", "words while our own music plays, its echo taken out and left in"),
}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    parser = subparsers.add_parser("bench", help="measure it", description=__doc__)
    names = "; ".join(f"{name}: {bench.about}" for name, bench in BENCHES.items())
    parser.add_argument("name", choices=BENCHES, metavar="NAME", help=names)
    parser.add_argument(
        "arguments",
        nargs=argparse.REMAINDER,
        metavar="ARGUMENT",
        help="of the measurement; try --help",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the script; its exit code."""
    bench, root = BENCHES[options.name], Path(earshot.__file__).parents[2]
    script = root.joinpath(*bench.module.split(".")).with_suffix(".py")
    if not script.is_file():
        message = (
            f"{script} is not there: measuring takes a working copy of the repository, set up with "
            "`make setup`; run .venv/bin/earshot of it"
        )
        raise RequestError(message)
    given = [one for one in options.arguments if one not in bench.implied]
    if not HELP & set(given):
        _check_kit(given)
    path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", bench.module, *given]
    done = subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": path})  # noqa: S603 - our own module
    return done.returncode


def _check_kit(given: list[str]) -> None:
    """Raise RequestError where no data kit was given."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--kit", type=Path)
    kit: Path | None = parser.parse_known_args(given)[0].kit
    what = "the data kit, a folder with speech/, noise/ and text/"
    if kit is None:
        message = f"nothing to measure with: give --kit FOLDER, {what}"
        raise RequestError(message)
    if not (kit / SPEECH).is_dir():
        message = f"{kit} has no folder {SPEECH}: --kit takes {what}"
        raise RequestError(message)
