"""earshot player: plays music for `earshot play`, and makes room while somebody speaks."""

import argparse
from pathlib import Path

from earshot import config
from earshot.commands.options import add_socket, socket_of
from earshot.playback.life import SOCKET, PlayerPlan
from earshot.playback.life import run as live


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    parser = subparsers.add_parser("player", help="plays music", description=__doc__)
    parser.add_argument("--config", type=Path, metavar="F", help="settings, a TOML file")
    parser.add_argument(
        "--null", action="store_true", help="play nowhere, at the pace of a sound device"
    )
    parser.add_argument(
        "--linger", type=float, metavar="SECONDS", help="end when nothing was played for so long"
    )
    add_socket(parser)
    add_player(parser)
    parser.set_defaults(run=run)


def add_player(parser: argparse.ArgumentParser) -> None:
    """Let the socket of the player be chosen."""
    parser.add_argument(
        "--player",
        type=Path,
        default=None,
        metavar="S",
        help=f"Unix socket of the player (default: {SOCKET} beside that of the daemon)",
    )


def player_of(options: argparse.Namespace) -> Path:
    """Find the socket of the player."""
    chosen: Path | None = options.player
    return chosen or socket_of(options).with_name(SOCKET)


def run(options: argparse.Namespace) -> int:
    """Play until a signal comes."""
    settings = config.load(options.config)
    place, daemon = player_of(options), socket_of(options)
    group, linger = settings.api.group, options.linger
    live(PlayerPlan(place, daemon, settings.playback, group, options.null, linger))
    return 0
