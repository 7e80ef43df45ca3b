"""earshot understand: what a text means, without sound: an intent and its slots."""

import argparse
import json
import sys
from pathlib import Path

from earshot.bundle import find, open_bundle
from earshot.errors import RequestError
from earshot.explain import Index
from earshot.lines import interpretation_lines, interpretation_object
from earshot.names import forms_of
from earshot.nlu import FILE
from earshot.readers import entries_of
from earshot.saying import ways
from earshot.understanding import Understanding, template_file


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    parser = subparsers.add_parser("understand", help="what a text means", description=__doc__)
    parser.add_argument("text", nargs="+", metavar="TEXT", help="words, in quotes or not")
    parser.add_argument(
        "--bundle", default="en", metavar="B", help="name or folder of the bundle (default: en)"
    )
    parser.add_argument(
        "--commands",
        type=Path,
        metavar="FILE",
        help="sentence templates of a TOML file, which go before what the bundle has learnt",
    )
    parser.add_argument(
        "--catalog",
        type=Path,
        metavar="F",
        help="entries that slots may name: a catalog, a list, vCards or a table",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Understand; 1 where there is nothing to understand."""
    understanding = Understanding.of(bundle := open_bundle(find(options.bundle)))
    if options.commands:
        understanding = understanding.with_templates(template_file(options.commands))
    elif understanding.nlu is None:
        message = f"{bundle.label} holds no {FILE}; give sentence templates with --commands"
        raise RequestError(message)
    found = understanding.text(said(" ".join(options.text)), _index(options.catalog))
    if options.json:
        print(json.dumps(found and interpretation_object(found), ensure_ascii=False))
    else:
        print(*(line.strip() for line in interpretation_lines(found) or ["nothing"]), sep="\n")
    return int(found is None)


def said(text: str) -> list[str]:
    """A text as it is said, word by word: "7 PM" is "seven p m". Raises RequestError."""
    parts = (part for part in text.split() if any(map(str.isalnum, part)))
    return [word for part in parts for word in ways(part)[0]]


def _index(catalog: Path | None) -> Index:
    if catalog is None:
        return Index()
    entries, refusals = entries_of(catalog)
    for where, why in refusals:
        print(f"earshot: {where}: {why}", file=sys.stderr)
    return Index(forms_of(entries))
