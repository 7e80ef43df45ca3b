"""Options of the commands that serve something over TCP: where, to whom, and who may ask."""

import argparse
from pathlib import Path

from earshot.credentials import read_token
from earshot.errors import SettingsError
from earshot.listening import Address


def add_doors(parser: argparse.ArgumentParser) -> None:
    """Let the token and further hosts be given."""
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="F",
        help="file (mode 0600) with the token that must be shown, as `Authorization: Bearer TOKEN`",
    )
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="HOST",
        help="a host that may be asked for, beside the address itself; may be given again",
    )


def token_of(options: argparse.Namespace, address: Address) -> str:
    """The token to ask for; empty where only this machine reaches the address.

    Raises SettingsError for a token that is none, or is missing.
    """
    if options.token_file:
        return read_token(options.token_file)
    if not address.local:
        message = (
            f"others reach {address.name}:{address.port}, so a token must be asked for; give "
            f"--token-file, or listen at 127.0.0.1"
        )
        raise SettingsError(message)
    return ""
