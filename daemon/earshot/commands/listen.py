"""earshot listen: follows the daemon, and prints events as they happen."""

import argparse
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from earshot.client import connected, listen
from earshot.commands.options import add_socket, socket_of
from earshot.events import EndPoint, Event, Revised
from earshot.lines import (
    event_object,
    explanation_lines,
    interpretation_lines,
    lattice_lines,
    line,
)


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    parser = subparsers.add_parser("listen", help="follow the daemon", description=__doc__)
    parser.add_argument(
        "--lattice", action="store_true", help="the lattice of every result as well"
    )
    parser.add_argument(
        "--explain", action="store_true", help="which names of the catalog favoured a word"
    )
    parser.add_argument("--interpret", action="store_true", help="what every utterance means")
    parser.add_argument("--json", action="store_true", help="one JSON object an event")
    add_socket(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Follow until interrupted, which is how it is meant to end."""
    with _ended_by_interrupt(), connected(socket_of(options)) as channel:
        wish = {
            "lattices": options.lattice,
            "explanations": options.explain,
            "interpretations": options.interpret,
        }
        for event in listen(channel, **wish):
            print(*_texts(event, options), sep="\n", flush=True)
    return 0


@contextmanager
def _ended_by_interrupt() -> Iterator[None]:
    """Let an interrupt end the process at once: there is nothing to clean up.

    The usual exception is raised wherever the main thread is. Where that is a callback of gRPC's
    compiled part, it is swallowed, and the command goes on.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # otherwise whoever started us wants it ignored
        signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _texts(event: Event, options: argparse.Namespace) -> list[str]:
    if options.json:
        return [json.dumps(event_object(event, lattice=options.lattice), ensure_ascii=False)]
    found = [line(event)]
    if isinstance(event, EndPoint | Revised):
        found += interpretation_lines(event.result.interpretation, event.result.directed)
        found += explanation_lines(event.result)
        found += lattice_lines(event.result.lattice) if options.lattice else []
    return found
