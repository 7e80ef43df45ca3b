"""Options that several commands share."""

import argparse
from collections.abc import Callable
from pathlib import Path

from earshot.errors import SettingsError
from earshot.place import nearest_socket, refuse_network

Act = Callable[[argparse.Namespace], int]


def add_act(
    acts: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: Act, does: str
) -> argparse.ArgumentParser:
    """Add an act of a command; `name` is that of both, as "bundle list"."""
    about = f"earshot {name}: {does}."
    parser = acts.add_parser(name.partition(" ")[2], help=does, description=about)
    parser.set_defaults(run=run)
    return parser


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Let the settings be given, and another bundle than theirs."""
    parser.add_argument("--config", type=Path, metavar="F", help="settings, a TOML file")
    parser.add_argument("--bundle", metavar="B", help="name or folder of the bundle (default: en)")


def add_socket(parser: argparse.ArgumentParser) -> None:
    """Let the socket be chosen."""
    parser.add_argument(
        "--socket", type=_socket, default=None, metavar="S", help="Unix socket of the daemon"
    )


def _socket(text: str) -> Path:
    try:
        refuse_network(Path(text))
    except SettingsError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return Path(text)


def socket_of(options: argparse.Namespace) -> Path:
    """Find the chosen socket, or the one of this user's daemon, or of the system's."""
    chosen: Path | None = options.socket
    return chosen or nearest_socket()
