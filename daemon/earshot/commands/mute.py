"""earshot mute, earshot unmute: close the microphone of the daemon, and open it again."""

import argparse
import json
import sys

from earshot.client import connected, set_muted
from earshot.commands.options import add_socket, socket_of

MUTE = "close the microphone of the daemon, over restarts too, until `earshot unmute`"
UNMUTE = "open the microphone of the daemon again, and hear by it"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of these commands."""
    for name, text, muted in (("mute", MUTE, True), ("unmute", UNMUTE, False)):
        parser = subparsers.add_parser(name, help=text.partition(",")[0], description=text)
        parser.add_argument("--json", action="store_true", help="one JSON object")
        add_socket(parser)
        parser.set_defaults(run=run, muted=muted)


def run(options: argparse.Namespace) -> int:
    """Switch, and say how it is now."""
    with connected(socket_of(options)) as channel:
        answer = set_muted(channel, muted=options.muted)
    if options.json:
        found = {"muted": answer.muted, "lasting": answer.lasting, "notes": list(answer.notes)}
        print(json.dumps(found, ensure_ascii=False))
        return 0
    print("muted" if answer.muted else "unmuted")
    for note in answer.notes:
        print(f"earshot: {note}", file=sys.stderr)
    return 0
