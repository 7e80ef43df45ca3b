"""Options that several commands share."""

import argparse
from pathlib import Path

from earshot.place import nearest_socket


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Let the settings be given, and another bundle than theirs."""
    parser.add_argument("--config", type=Path, metavar="F", help="settings, a TOML file")
    parser.add_argument("--bundle", metavar="B", help="name or folder of the bundle (default: en)")


def add_socket(parser: argparse.ArgumentParser) -> None:
    """Let the socket be chosen."""
    parser.add_argument(
        "--socket", type=Path, default=None, metavar="S", help="Unix socket of the daemon"
    )


def socket_of(options: argparse.Namespace) -> Path:
    """Find the chosen socket, or the one of this user's daemon, or of the system's."""
    chosen: Path | None = options.socket
    return chosen or nearest_socket()
