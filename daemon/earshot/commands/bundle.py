"""earshot bundle: what recognises, and whether it is whole."""

import argparse
import json
import sys
from pathlib import Path

from earshot.bundle import MANIFEST, Bundle, find, installed, open_bundle
from earshot.commands.options import add_act
from earshot.errors import BundleError


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    parser = subparsers.add_parser("bundle", help="what recognises", description=__doc__)
    acts = parser.add_subparsers(metavar="ACT", required=True)
    listing = add_act(acts, "bundle list", show, "the bundles that are installed")
    listing.add_argument("--json", action="store_true", help="one JSON object")
    verifying = add_act(
        acts, "bundle verify", verify, "every file against its checksum; 1 if one is wrong"
    )
    verifying.add_argument(
        "bundles",
        nargs="*",
        metavar="NAME|FOLDER",
        help="those to look at (default: all that are installed)",
    )


def show(options: argparse.Namespace) -> int:
    """List them, also those that are damaged."""
    found = [_facts(folder) for folder in installed()]
    if options.json:
        print(json.dumps({"bundles": found}, ensure_ascii=False))
        return 0
    for facts in found:
        size = f"{facts['megabytes']:.1f} MB"
        told = (facts["name"], facts["version"], facts["kind"], facts["language"], size)
        print("  ".join(str(fact) for fact in told), facts["folder"], sep="  ")
        if not facts["whole"]:
            print(f"    damaged: {facts['trouble']}")
    if not found:
        print("no bundle is installed")
    return 0


def _facts(folder: Path) -> dict[str, object]:
    """What is to be said of a bundle; its size is that of all files, in millions of bytes."""
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    trouble = ""
    name, version, kind, language = folder.name, "unknown", "unknown", "unknown"
    try:
        bundle = open_bundle(folder)
    except BundleError as error:
        trouble = str(error)
    else:
        name, version, kind = bundle.name, bundle.version, bundle.kind
        language = str(bundle.facts.get("language", language))
    return {
        "name": name,
        "version": version,
        "kind": kind,
        "language": language,
        "megabytes": round(size / 1e6, 3),
        "folder": str(folder),
        "whole": not trouble,
        "trouble": trouble,
    }


def verify(options: argparse.Namespace) -> int:
    """Look at each bundle; 1 if something is wrong, or nothing is there to look at."""
    names = options.bundles or [str(folder) for folder in installed()]
    if not names:
        print("earshot: no bundle is installed; give the folder of one", file=sys.stderr)
        return 1
    whole = [_verified(name) for name in names]  # each is looked at, also after a damaged one
    return int(not all(whole))


def _verified(name: str) -> bool:
    """Say of every file that it is right, or in one line what is wrong with the bundle."""
    try:
        bundle = open_bundle(find(name))
    except BundleError as error:
        print(f"earshot: {error}", file=sys.stderr)
        return False
    for line in _files(bundle):
        print(line)
    return True


def _files(bundle: Bundle) -> list[str]:
    """A line for every file that has a checksum."""
    sums = bundle.facts.get("files", {})
    if not sums:
        return [f"ok  {bundle.folder}: readable, but without {MANIFEST} no checksum is known"]
    return [
        f"ok  {bundle.file(name)}  {facts['bytes']} bytes  sha256 {facts['sha256']}"
        for name, facts in sorted(sums.items())
    ]
