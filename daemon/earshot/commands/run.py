"""earshot run: the daemon, in the foreground. It prints what it hears, and serves clients."""

import argparse
import os
import sys
from dataclasses import replace

from earshot import compose, config
from earshot.asked import Ends, Preset
from earshot.commands.options import add_settings, add_socket
from earshot.events import Event
from earshot.lines import line
from earshot.place import default_catalog
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
    engine = compose.load_engine(settings.bundle)
    if settings.templates:
        engine = engine.understanding(template_file(settings.templates))
    catalog, ends = settings.catalog or default_catalog(), Ends(Preset(settings.preset))
    mind = compose.mind_of(engine, catalog, settings.weights, ends)
    compose.run(settings, mind, None if options.quiet or _journalled() else show)
    return 0


def chosen(options: argparse.Namespace) -> config.Settings:
    """Read the settings: those of the file, and over them those of the command line."""
    settings = config.load(options.config)
    given = {"source": options.source, "bundle": options.bundle}
    given |= {"require_sandbox": options.require_sandbox}
    settings = replace(settings, **{key: value for key, value in given.items() if value})
    if options.socket:
        settings = replace(settings, api=replace(settings.api, socket=options.socket))
    return settings


def show(event: Event) -> None:
    """Print an event."""
    print(line(event), flush=True)


def _journalled() -> bool:
    """Whether standard output goes into systemd's journal, where spoken words must not be."""
    facts = os.fstat(sys.stdout.fileno())
    return os.environ.get("JOURNAL_STREAM") == f"{facts.st_dev}:{facts.st_ino}"
