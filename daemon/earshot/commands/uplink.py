"""earshot uplink: the process that sends lattices to a re-ranker, in mode assisted.

It is another process than the daemon, and a small one: it has the network, the daemon has the
microphone, and neither has both. It writes down what leaves (`earshot audit`), and ends when the
mode is local-only. Also started as `earshot-uplink`.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from earshot.audit import AuditLog, Limits
from earshot.commands import apart
from earshot.place import AUDIT, default_socket, default_state, uplink_of
from earshot.relay import Relay, UplinkSettings, load
from earshot.uplink import live


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    parser = subparsers.add_parser(
        "uplink",
        help="what sends lattices to a re-ranker, in mode assisted",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_options(parser)
    parser.set_defaults(run=run)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="F", help="its settings, a TOML file")
    parser.add_argument(
        "--socket", type=Path, metavar="S", help="Unix socket for the daemon (default: beside its)"
    )


def run(options: argparse.Namespace) -> int:
    """Become a process that has loaded nothing of what hears."""
    apart.become(__name__, options, ("config", "socket"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until the daemon, a signal or loneliness ends it. Errors of ours are one line."""
    parser = argparse.ArgumentParser(
        prog="earshot-uplink",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_options(parser)
    return apart.work(parser, arguments, _serve)


def _serve(options: argparse.Namespace) -> None:
    settings = load(options.config)
    asyncio.run(_live(settings, options.socket or settings.socket))


async def _live(settings: UplinkSettings, place: Path | None) -> None:
    relay = Relay(settings)
    limits = Limits(settings.audit_days, settings.audit_bytes)
    log = AuditLog(default_state() / AUDIT, limits)
    try:
        await live(place or uplink_of(default_socket()), relay, log, settings.idle_seconds)
    finally:
        await relay.close()
        log.close()


if __name__ == "__main__":
    sys.exit(main())
