"""earshot mute, earshot unmute: close the microphone of the daemon, and open it again."""

import argparse
import sys

from earshot.client import connected, set_muted
from earshot.commands.options import add_socket, socket_of

MUTE = "close the microphone of the daemon, over restarts too, until `earshot unmute`"
UNMUTE = "open the microphone of the daemon again, and hear by it"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of these commands."""
    for name, text, muted in (("mute", MUTE, True), ("unmute", UNMUTE, False)):
        parser = subparsers.add_parser(name, help=text.partition(",")[0], description=text)
        add_socket(parser)
        parser.set_defaults(run=run, muted=muted)


def run(options: argparse.Namespace) -> int:
    """Switch, and say how it is now."""
    with connected(socket_of(options)) as channel:
        answer = set_muted(channel, muted=options.muted)
    print("muted" if answer.muted else "unmuted")
    for note in answer.notes:
        print(f"earshot: {note}", file=sys.stderr)
    return 0
