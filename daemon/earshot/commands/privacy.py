"""earshot privacy: what may leave the device, and how it stands with that.

In local-only, the default, nothing leaves. In assisted the daemon hands lattices of words, never
audio, to the uplink, which has a re-ranker look at them; `earshot audit` tells what left. The mode
counts at once, and over restarts.
"""

import argparse
import sys

from earshot.client import connected, set_mode, status
from earshot.commands.options import add_socket, socket_of
from earshot.condition import UplinkState
from earshot.convert import MODES_BACK, UPLINKS_BACK
from earshot.events import Mode
from earshot.generated.v1.status_pb2 import GetStatusResponse

START = (
    "start one with `earshot uplink --config FILE`; the units in systemd/ start it by themselves "
    "once `earshot-uplink.path` is enabled"
)


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    parser = subparsers.add_parser(
        "privacy",
        help="what may leave the device",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    modes = [str(mode) for mode in Mode]
    parser.add_argument(
        "mode", nargs="?", choices=modes, help="from now on (default: only say how it is)"
    )
    add_socket(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Change the mode if asked to, and say how it is now."""
    with connected(socket_of(options)) as channel:
        notes = list(set_mode(channel, Mode(options.mode)).notes) if options.mode else []
        answer = status(channel)
    print(MODES_BACK.get(answer.mode, "unknown"))
    print(_uplink(answer))
    for note in notes:
        print(f"earshot: {note}", file=sys.stderr)
    return 0


def _uplink(answer: GetStatusResponse) -> str:
    """How it stands with the uplink, in a line."""
    state = UPLINKS_BACK.get(answer.assist.uplink)
    if state is UplinkState.OFF:
        return answer.assist.about
    if state is UplinkState.READY:
        return f"lattices go to {answer.assist.about}"
    about = f"no lattice leaves for now: {answer.assist.about}"
    return f"{about}; {START}" if state is UplinkState.ABSENT else about
