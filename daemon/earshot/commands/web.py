"""earshot web: a live page about the daemon, for browsers: sound, words, lattices and decisions.

It is a process of its own, as the daemon opens no network, and off unless it is started. It serves
this machine only; others only with a certificate. The token of the address that it prints is what
lets a browser see what is said. It changes nothing.
"""

import argparse
import asyncio
import secrets
import ssl
from dataclasses import dataclass
from pathlib import Path

from earshot.commands.doors import add_doors
from earshot.commands.options import add_socket, socket_of
from earshot.credentials import read_token
from earshot.errors import SettingsError
from earshot.listening import Address
from earshot.optional import needed

USUAL = "127.0.0.1:8765"


@dataclass(frozen=True, slots=True)
class _Site:
    """What is served, and where."""

    path: Path  # of the daemon's socket
    address: Address
    tls: ssl.SSLContext | None
    names: tuple[str, ...]


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    parser = subparsers.add_parser("web", help="a live page for browsers", description=__doc__)
    parser.add_argument("--listen", default=USUAL, metavar="HOST:PORT", help=f"default: {USUAL}")
    parser.add_argument("--certificate", type=Path, metavar="F", help="PEM, to serve HTTPS")
    parser.add_argument("--key", type=Path, metavar="F", help="PEM, of the certificate")
    add_doors(parser)
    add_socket(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until a signal comes."""
    address, path = Address.of(options.listen), socket_of(options)
    site = _Site(path, address, _tls(options, address), tuple(options.name))
    if options.token_file:  # that is known, and need not be printed
        asyncio.run(_serve(site, read_token(options.token_file), printed=""))
    else:
        token = secrets.token_urlsafe(24)
        asyncio.run(_serve(site, token, printed=f"#{token}"))
    return 0


def _tls(options: argparse.Namespace, address: Address) -> ssl.SSLContext | None:
    """How to serve HTTPS; None where HTTP will do. Raises SettingsError."""
    if not options.certificate and not options.key:
        if address.local:
            return None
        message = (
            f"others reach {address.name}:{address.port}, so it takes --certificate and --key; or "
            f"listen at 127.0.0.1, and reach it over SSH: ssh -L 8765:localhost:8765 HOST"
        )
        raise SettingsError(message)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(options.certificate or "", options.key)
    except (OSError, ssl.SSLError) as error:
        message = f"{options.certificate}, {options.key}: no certificate with its key ({error})"
        raise SettingsError(message) from error
    return context


async def _serve(site: _Site, token: str, *, printed: str) -> None:
    with needed("see"):
        from earshot import page, serving_http  # noqa: PLC0415 - may lack their libraries
    room = page.Room()
    following = asyncio.create_task(room.follow(site.path))
    stopped = asyncio.create_task(serving_http.until_stopped())
    app = page.page(room, token, site.names)
    async with serving_http.at_address(app, site.address, site.tls) as url:
        print(f"the live page of {site.path}: {url}{printed}", flush=True)
        await asyncio.wait({following, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if following.done():
            following.result()  # it ends only by what nobody expects
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
