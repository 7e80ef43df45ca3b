"""The command `earshot`. Exit codes: 0 done, 2 wrong use, 1 anything else."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from earshot import __version__, journal
from earshot.errors import EarshotError

# Each is a module of earshot.commands.
COMMANDS = (
    "run", "listen", "transcribe", "catalog", "status", "mute", "doctor", "bundle", "bench",
    "understand", "play", "player", "metrics", "privacy", "uplink", "rescorer", "audit", "top",
    "web",
)  # fmt: skip
ELSEWHERE = {"unmute": "mute"}  # the module of a command that has none of its own


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for. Errors of ours are one line on standard error."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = parser(given).parse_args(given)
    level = logging.DEBUG if options.verbose else logging.INFO
    journal.begin(level)
    try:
        return int(options.run(options))
    except EarshotError as error:
        journal.complain(str(error))
    except BrokenPipeError:
        # Whoever read the output has enough. Python must not try to flush the rest on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        pass  # whoever pressed the keys knows
    return 1


def parser(arguments: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Build the command line of the command that is asked for; where none is, of all.

    To load what all of them need would take seconds on a small machine.
    """
    found = argparse.ArgumentParser(
        prog="earshot", description="A voice daemon that keeps what it hears on the device."
    )
    found.add_argument("--version", action="version", version=f"earshot {__version__}")
    found.add_argument("--verbose", action="store_true", help="log what helps to find an error")
    subparsers = found.add_subparsers(metavar="COMMAND", required=True)
    asked = next((one for one in arguments if not one.startswith("-")), "")
    asked = ELSEWHERE.get(asked, asked)
    for name in [asked] if asked in COMMANDS else COMMANDS:
        import_module(f"earshot.commands.{name}").add_parser(subparsers)
    return found


if __name__ == "__main__":
    sys.exit(main())
