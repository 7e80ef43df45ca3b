"""earshot top: a live view of the daemon, in the terminal.

Level, speech, words as they come, how sure it is that the speaker is done, what was decided, what
was heard, and what that takes of the machine. Where the output is no terminal, or a dumb one, what
happens is printed as lines. It outlives the daemon, and finds it again. Ctrl-C ends it.
"""

import argparse
import asyncio
from pathlib import Path

from earshot.commands.options import add_socket, socket_of
from earshot.optional import needed


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    parser = subparsers.add_parser("top", help="a live view of the daemon", description=__doc__)
    parser.add_argument("--once", action="store_true", help="print one frame, and end")
    parser.add_argument("--svg", type=Path, metavar="OUT.svg", help="one frame, as a picture")
    parser.add_argument(
        "--after",
        type=float,
        default=1.2,
        metavar="SECONDS",
        help="of watching, before the one frame (default: 1.2)",
    )
    parser.add_argument("--lines", action="store_true", help="lines, also in a terminal")
    add_socket(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Show it until a signal comes."""
    with needed("see"):
        from rich.console import Console  # noqa: PLC0415 - may be missing

        from earshot import terminal  # noqa: PLC0415
    path, console = socket_of(options), Console(highlight=False)
    if options.once or options.svg:
        asyncio.run(terminal.once(path, console, options.after, options.svg))
    elif options.lines or not terminal.draws(console):
        asyncio.run(terminal.lines(path))
    else:
        asyncio.run(terminal.live(path, console))
    return 0
