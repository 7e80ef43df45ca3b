"""earshot catalog: the names that are favoured, of people, devices, rooms and whatever else."""

import argparse
import json
import sys
from pathlib import Path

from earshot.commands.options import Act, add_act
from earshot.entries import HEAVIEST, Alias, Entry, Kind
from earshot.errors import RequestError
from earshot.importing import Refusal, table
from earshot.place import default_catalog
from earshot.readers import read
from earshot.store import Store

KINDS = [kind.value for kind in Kind]


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    parser = subparsers.add_parser("catalog", help="names to favour", description=__doc__)
    acts = parser.add_subparsers(metavar="ACT", required=True)
    adding = _act(acts, "add", add, "add a name, or more about one that is there")
    adding.add_argument("name")
    adding.add_argument("--kind", choices=KINDS, default=Kind.PHRASE.value)
    adding.add_argument("--said", default="", metavar="TEXT", help="how it sounds, as one spells")
    adding.add_argument(
        "--alias", action="append", default=[], metavar="NAME[=TEXT]", help="also called; repeat"
    )
    adding.add_argument("--weight", type=float, metavar="W", help=f"0 to {HEAVIEST:g}, usually 1")
    removing = _act(acts, "remove", remove, "remove a name")
    removing.add_argument("name")
    removing.add_argument("--kind", choices=KINDS, help="only of this kind")
    listing = _act(acts, "list", show, "what is in it")
    listing.add_argument("--kind", choices=KINDS, help="only of this kind")
    listing.add_argument("--json", action="store_true", help="one JSON object")
    importing = _act(acts, "import", take, "take names from files; what is there stays")
    importing.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="vCards (.vcf), tables with titles (.csv), registries of Home Assistant or its folder"
        " .storage, or lists, a name a line",
    )
    importing.add_argument("--kind", choices=KINDS, help="of what does not say it (list: phrase)")
    exporting = _act(acts, "export", give, "write all as a table that can be imported")
    exporting.add_argument("file", nargs="?", type=Path, help="(default: standard output)")


def _act(
    acts: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: Act, does: str
) -> argparse.ArgumentParser:
    parser = add_act(acts, f"catalog {name}", run, does)
    parser.add_argument("--catalog", type=Path, metavar="F", help="file of the catalog")
    return parser


def _open(options: argparse.Namespace) -> Store:
    return Store(options.catalog or default_catalog())


def _kind(options: argparse.Namespace) -> Kind | None:
    return Kind(options.kind) if options.kind else None


def add(options: argparse.Namespace) -> int:
    """Add one entry."""
    parts = (one.partition("=") for one in options.alias)
    aliases = [Alias(name, said) for name, _, said in parts]
    entry = Entry.of(Kind(options.kind), options.name, options.said, aliases, options.weight)
    with _open(options) as store:
        counts = store.put([entry])
    print("added" if counts.added else "changed" if counts.changed else "nothing new")
    return 0


def remove(options: argparse.Namespace) -> int:
    """Remove entries of one name. Raises RequestError where there are none."""
    with _open(options) as store:
        count = store.remove(options.name, _kind(options))
        if not count:
            message = f"{options.name}: not in {store.path}; `earshot catalog list` says what is"
            raise RequestError(message)
    print(f"removed {count}")
    return 0


def show(options: argparse.Namespace) -> int:
    """List entries, a line each."""
    with _open(options) as store:
        found = store.entries(_kind(options))
    if options.json:
        print(json.dumps({"entries": list(map(_object, found))}, ensure_ascii=False))
        return 0
    for entry in found:
        print(f"{entry.kind.value:9} {_names(entry)}")
    return 0


def _object(entry: Entry) -> dict[str, object]:
    return {
        "kind": entry.kind.value,
        "name": entry.name,
        "said": entry.said,
        "weight": entry.weight,
        "aliases": [{"name": alias.name, "said": alias.said} for alias in entry.aliases],
    }


def _names(entry: Entry) -> str:
    named = [(entry.name, entry.said), *((alias.name, alias.said) for alias in entry.aliases)]
    names = ", ".join(f"{name} [{said}]" if said else name for name, said in named)
    return names if entry.weight is None else f"{names} × {entry.weight:g}"


def take(options: argparse.Namespace) -> int:
    """Import files, each as a whole; 1 if anything in them was refused."""
    with _open(options) as store:
        whole = [_imported(store, path, _kind(options)) for path in options.files]
    return int(not all(whole))


def _imported(store: Store, path: Path, kind: Kind | None) -> bool:
    """Import a file, and say what came of it."""
    try:
        items = list(read(path, kind))
        counts = store.put(item for item in items if isinstance(item, Entry))
    except RequestError as error:
        print(f"earshot: {error}", file=sys.stderr)
        return False
    refused = [item for item in items if isinstance(item, Refusal)]
    for where, why in refused:
        print(f"earshot: {where}: {why}", file=sys.stderr)
    told = f"{counts.added} added, {counts.changed} changed, {counts.same} as before"
    print(f"{path}: {told}, {len(refused)} refused")
    return not refused


def give(options: argparse.Namespace) -> int:
    """Export everything. Raises RequestError where the file cannot be written."""
    with _open(options) as store:
        text = table(store.entries())
    if options.file is None:
        print(text, end="")
        return 0
    try:
        options.file.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{options.file}: {error.strerror}"
        raise RequestError(message) from error
    return 0
