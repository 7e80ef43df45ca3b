"""earshot status: how the daemon stands."""

import argparse
import json

from earshot.client import connected, status
from earshot.commands.options import add_socket, socket_of
from earshot.generated.v1 import status_pb2

MODES = {status_pb2.MODE_LOCAL_ONLY: "local-only"}
SANDBOXES = {status_pb2.SANDBOX_NONE: "none", status_pb2.SANDBOX_ENFORCED: "enforced"}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    parser = subparsers.add_parser("status", help="how the daemon stands", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    add_socket(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Ask, and print the answer."""
    with connected(socket_of(options)) as channel:
        found = as_object(status(channel))
    if options.json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    for key, value in found.items():
        print(f"{key.replace('_', ' '):16} {_plain(value)}")
    return 0


def as_object(answer: status_pb2.GetStatusResponse) -> dict[str, object]:
    """Say the answer as a JSON object; times in seconds, audio that was lost in samples."""
    counters = answer.counters
    return {
        "ready": answer.ready,
        "mode": MODES.get(answer.mode, "unknown"),
        "muted": answer.muted,
        "sandbox": SANDBOXES.get(answer.sandbox, "unknown"),
        "bundle": f"{answer.bundle.name} {answer.bundle.version}",
        "source": answer.source,
        "uptime_seconds": round(answer.uptime.ToNanoseconds() / 1e9, 3),
        "heard_seconds": round(counters.heard.ToNanoseconds() / 1e9, 3),
        "utterances": counters.utterances,
        "committed": counters.committed,
        "cancelled": counters.cancelled,
        "dropped_samples": counters.dropped_samples,
        "clients": counters.clients,
        "clients_total": counters.clients_total,
        "clients_dropped": counters.clients_dropped,
    }


def _plain(value: object) -> object:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
