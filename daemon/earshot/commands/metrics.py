"""earshot metrics: how the daemon is doing, for Prometheus; once, or served over TCP.

The daemon itself can serve them at a Unix socket: `[metrics] socket` of its settings.
"""

import argparse
import asyncio
from pathlib import Path

from earshot.commands.doors import add_doors, token_of
from earshot.commands.options import add_socket, socket_of
from earshot.listening import Address
from earshot.optional import needed
from earshot.vitals import vitals

USUAL = "127.0.0.1:9469"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    parser = subparsers.add_parser("metrics", help="metrics for Prometheus", description=__doc__)
    parser.add_argument(
        "--listen",
        nargs="?",
        const=USUAL,
        metavar="HOST:PORT",
        help=f"serve them there, over HTTP (without an address: {USUAL})",
    )
    add_doors(parser)
    add_socket(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print them, or serve them until a signal comes."""
    path = socket_of(options)
    if options.listen is None:
        with needed("see"):
            from earshot.metrics import exposition  # noqa: PLC0415 - may lack its library
        print(exposition(asyncio.run(vitals(path)))[0].decode(), end="")
        return 0
    address = Address.of(options.listen)
    asyncio.run(_serve(path, address, token_of(options, address), options.name))
    return 0


async def _serve(path: Path, address: Address, token: str, names: list[str]) -> None:
    with needed("see"):
        from earshot import exporter, serving_http  # noqa: PLC0415 - may lack their libraries
    app = exporter.exporter(lambda: vitals(path), token, names)
    async with serving_http.at_address(app, address) as url:
        print(f"metrics of {path} are served at {url}metrics", flush=True)
        await serving_http.until_stopped()
