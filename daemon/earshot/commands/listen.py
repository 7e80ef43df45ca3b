"""earshot listen: follows the daemon, and prints events as they happen."""

import argparse
import json
from contextlib import suppress

from earshot.client import connected, listen
from earshot.commands.options import add_socket, socket_of
from earshot.events import EndPoint, Event, Revised
from earshot.lines import event_object, lattice_lines, line


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    parser = subparsers.add_parser("listen", help="follow the daemon", description=__doc__)
    parser.add_argument(
        "--lattice", action="store_true", help="the lattice of every result as well"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object an event")
    add_socket(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Follow until interrupted, which is how it is meant to end."""
    with suppress(KeyboardInterrupt), connected(socket_of(options)) as channel:
        for event in listen(channel, lattices=options.lattice):
            print(*_texts(event, options), sep="\n", flush=True)
    return 0


def _texts(event: Event, options: argparse.Namespace) -> list[str]:
    if options.json:
        found = event_object(event, lattice=options.lattice)
        return [json.dumps(found, ensure_ascii=False)]
    if options.lattice and isinstance(event, EndPoint | Revised):
        return [line(event), *lattice_lines(event.result.lattice)]
    return [line(event)]
