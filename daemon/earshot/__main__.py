"""The command `earshot`. Exit codes: 0 done, 2 wrong use, 1 anything else."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from earshot import __version__, journal
from earshot.commands import (
    audit,
    bench,
    bundle,
    catalog,
    doctor,
    listen,
    metrics,
    mute,
    play,
    player,
    privacy,
    rescorer,
    run,
    status,
    top,
    transcribe,
    understand,
    uplink,
    web,
)
from earshot.errors import EarshotError

COMMANDS = (
    run,
    listen,
    transcribe,
    catalog,
    status,
    mute,
    doctor,
    bundle,
    bench,
    understand,
    play,
    player,
    metrics,
    privacy,
    uplink,
    rescorer,
    audit,
    top,
    web,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for. Errors of ours are one line on standard error."""
    options = parser().parse_args(arguments)
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


def parser() -> argparse.ArgumentParser:
    """Build the command line."""
    found = argparse.ArgumentParser(
        prog="earshot", description="A voice daemon that keeps what it hears on the device."
    )
    found.add_argument("--version", action="version", version=f"earshot {__version__}")
    found.add_argument("--verbose", action="store_true", help="log what helps to find an error")
    subparsers = found.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(subparsers)
    return found


if __name__ == "__main__":
    sys.exit(main())
