"""earshot status: how the daemon stands."""

import argparse
import json

from earshot.client import connected, status
from earshot.commands.options import add_socket, socket_of
from earshot.convert import ECHOES_BACK, MODES_BACK, UPLINKS_BACK
from earshot.generated.v1 import status_pb2

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
        if value == "":  # a reason, where there is nothing to explain
            continue
        print(f"{key.replace('_', ' '):16} {_plain(value)}")
    return 0


def as_object(answer: status_pb2.GetStatusResponse) -> dict[str, object]:
    """Say the answer as a JSON object; times in seconds, audio that was lost in samples."""
    counters = answer.counters
    return {
        "ready": answer.ready,
        "mode": str(MODES_BACK.get(answer.mode, "unknown")),
        "muted": answer.muted,
        "sandbox": SANDBOXES.get(answer.sandbox, "unknown"),
        "sandbox_reason": answer.sandbox_reason,
        "bundle": f"{answer.bundle.name} {answer.bundle.version}",
        "source": answer.source,
        "echo": str(ECHOES_BACK.get(answer.echo_removal, "unknown")),
        "uptime_seconds": round(answer.uptime.ToNanoseconds() / 1e9, 3),
        "heard_seconds": round(counters.heard.ToNanoseconds() / 1e9, 3),
        "utterances": counters.utterances,
        "committed": counters.committed,
        "cancelled": counters.cancelled,
        "dropped_samples": counters.dropped_samples,
        "load": answer.load.name,
        "load_level": answer.load.level,
        "load_share": round(answer.load.share, 3),
        "load_changes": counters.load_changes,
        "queue_ms": answer.load.queue_ms,
        "clients": counters.clients,
        "clients_total": counters.clients_total,
        "clients_dropped": counters.clients_dropped,
        **_assist_object(answer.assist),
    }


def _assist_object(assist: status_pb2.Assist) -> dict[str, object]:
    """Say how it stands with the re-ranker."""
    return {
        "uplink": str(UPLINKS_BACK.get(assist.uplink, "unknown")),
        "uplink_about": assist.about,
        "uplink_since": assist.since.ToJsonString(),
        "lattices_asked": assist.asked,
        "lattices_confirmed": assist.confirmed,
        "lattices_revised": assist.revised,
        "lattices_late": assist.late,
        "lattices_failed": assist.failed,
    }


def _plain(value: object) -> object:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
