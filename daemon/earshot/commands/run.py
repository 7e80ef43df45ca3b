"""earshot run: the daemon, in the foreground. It prints what it hears, and serves clients."""

import argparse
import sys
from dataclasses import replace
from functools import partial

from earshot import compose, config
from earshot.asked import Ends, Preset
from earshot.commands.options import add_settings, add_socket
from earshot.events import Event
from earshot.journal import journalled
from earshot.life import Mind
from earshot.lines import line
from earshot.notify import Notifier
from earshot.place import default_catalog, default_settings
from earshot.understanding import template_file


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    parser = subparsers.add_parser("run", help="the daemon, in the foreground", description=__doc__)
    add_settings(parser)
    parser.add_argument(
        "--source",
        metavar="mic|FILE|-|auto",
        help="the microphone (default); a recording, heard as fast as it was spoken; raw 16-bit "
        "mono audio at 16 kHz on standard input; or the microphone if there is one and else the "
        "recording that comes with earshot",
    )
    parser.add_argument(
        "--require-sandbox",
        action="store_true",
        help="refuse to run where the kernel does not keep the daemon off the network",
    )
    parser.add_argument("--quiet", action="store_true", help="print no events")
    add_socket(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until a signal comes."""
    settings = chosen(options)
    # A spoken word must not get into systemd's journal.
    shown = None if options.quiet or journalled(sys.stdout) else show
    compose.run(settings, partial(_mind, settings), shown)
    return 0


def _mind(settings: config.Settings) -> Mind:
    notifier = Notifier()
    notifier.starting()
    notifier.status(f"loading the bundle {settings.bundle}")
    engine = compose.load_engine(settings.bundle)
    if settings.templates:
        engine = engine.understanding(template_file(settings.templates))
    catalog, ends = settings.catalog or default_catalog(), Ends(Preset(settings.preset))
    return compose.mind_of(engine, catalog, settings.weights, ends)


def chosen(options: argparse.Namespace) -> config.Settings:
    """Read the settings: those of the file, and over them those of the command line."""
    settings = config.load(options.config or default_settings())
    given = {"source": options.source, "bundle": options.bundle}
    given |= {"require_sandbox": options.require_sandbox}
    settings = replace(settings, **{key: value for key, value in given.items() if value})
    if options.socket:
        settings = replace(settings, api=replace(settings.api, socket=options.socket))
    return settings


def show(event: Event) -> None:
    """Print an event."""
    print(line(event), flush=True)
