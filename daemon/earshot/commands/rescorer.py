"""earshot rescorer: the re-ranker, in the foreground. It gets lattices, and never any audio.

It is a process without recogniser and microphone. Also started as `earshot-rescorer`.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from earshot.commands import apart
from earshot.neural import open_rescorer
from earshot.rescorer import RescorerSettings, live, load

OPTIONS = ("config", "listen", "rescorer")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    parser = subparsers.add_parser(
        "rescorer",
        help="what orders the paths of lattices anew, for daemons in mode assisted",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_options(parser)
    parser.set_defaults(run=run)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="F", help="its settings, a TOML file")
    parser.add_argument("--listen", metavar="unix:PATH|HOST:PORT", help="where it is served")
    parser.add_argument("--rescorer", metavar="NAME", help="name or folder of what it ranks with")


def run(options: argparse.Namespace) -> int:
    """Become a process that has loaded nothing of what hears."""
    apart.become(__name__, options, OPTIONS)


def chosen(options: argparse.Namespace) -> RescorerSettings:
    """Read the settings: those of the file, and over them those of the command line."""
    settings = load(options.config)
    given = {name: getattr(options, name) for name in OPTIONS[1:]}
    return replace(settings, **{name: value for name, value in given.items() if value})


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal ends it. Errors of ours are one line."""
    parser = argparse.ArgumentParser(
        prog="earshot-rescorer",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_options(parser)
    return apart.work(parser, arguments, _serve)


def _serve(options: argparse.Namespace) -> None:
    settings = chosen(options)
    asyncio.run(live(settings, open_rescorer(settings.rescorer)))


if __name__ == "__main__":
    sys.exit(main())
