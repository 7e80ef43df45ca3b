"""Network, lexicon, language model and g2p -> a bundle: the folder that earshot opens.

    python -m models.bundle --network build/export --lexicon build/lexicon --lm build/lm/words.lm \
        --g2p build/g2p.onnx [--add FILE …] --out models/bundles/en [--tuning T.toml …]
        [--measured M.json]
    python -m models.bundle --update models/bundles/en [--add FILE …] [--tuning T.toml …]
        [--measured M.json]

The second form changes only the files it adds, what bundle.toml says of tuning and measurements,
and what it counts. What may be added is in the table ADDED; it keeps its name.
The same files give the same bundle, byte for byte. What is written is opened before this ends.
"""

import argparse
import json
import shutil
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from earshot import attention, ending, nlu
from earshot.bundle import MANIFEST, NETWORK, PHONE_FILES, SPELLER, checksum, open_bundle
from earshot.engine import Tuning
from earshot.ngram import Ngram
from earshot.settings import assemble

Table = Mapping[str, Any]
FACTS = Path(__file__).with_name("facts.toml")
FILES = (*(f"{part}.onnx" for part in NETWORK), "tokens.txt", *PHONE_FILES)
# What not every bundle has.
ADDED = (SPELLER, *attention.FILES, *ending.FILES, nlu.FILE)


def lines(table: Table, name: str = "") -> Iterator[str]:
    """A table as lines of TOML: what is plain first, then tables, then lists of tables."""
    plain = {k: v for k, v in table.items() if not isinstance(v, Mapping) and not _tables(v)}
    if name and (plain or not table):
        yield f"\n[{name}]"
    yield from (f"{_key(key)} = {literal(value)}" for key, value in plain.items())
    for key, value in table.items():
        full = f"{name}.{_key(key)}" if name else _key(key)
        if isinstance(value, Mapping):
            yield from lines(value, full)
        elif _tables(value):
            for one in value:
                yield f"\n[[{full}]]"
                yield from (f"{_key(k)} = {literal(v)}" for k, v in one.items())


def _tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _key(key: str) -> str:
    """A key of TOML, in quotes where it has to be."""
    plain = key.replace("_", "").replace("-", "")
    return key if plain.isascii() and plain.isalnum() else literal(key)


def literal(value: object) -> str:
    """A value of TOML: text, number, truth or a list of these. Raises TypeError for others."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(literal(one) for one in value)}]"
    if isinstance(value, bool | int | float | str):
        # What JSON writes of these, TOML reads; but for the character 127.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    message = f"{value!r} cannot be written as TOML"
    raise TypeError(message)


def held(folder: Path) -> list[str]:
    """Names of the files of a bundle, with those that not every one has."""
    return [*FILES, *(name for name in ADDED if (folder / name).exists())]


def listed(folder: Path) -> dict[str, dict[str, int | str]]:
    """Bytes and sum of every file."""
    return {
        name: {"bytes": (folder / name).stat().st_size, "sha256": checksum(folder / name)}
        for name in held(folder)
    }


def sizes(folder: Path) -> dict[str, int]:
    """What is in the files, counted."""
    network = (onnx.load(folder / f"{part}.onnx") for part in NETWORK)
    model = Ngram(folder / "words.lm")
    return {
        "bytes": sum((folder / name).stat().st_size for name in held(folder)),
        "parameters": sum(
            int(np.prod(weights.dims)) for part in network for weights in part.graph.initializer
        ),
        "tokens": len((folder / "tokens.txt").read_text(encoding="utf8").splitlines()),
        "words": len(model.words),
        "pronunciations": len((folder / "lexicon").read_text(encoding="utf8").splitlines()),
    }


def changed(settings: object, always: Collection[str] = ()) -> dict[str, Any]:
    """What is not the default of some settings, or is told always."""
    every = fields(settings)  # type: ignore[arg-type]
    pairs = ((f.name, getattr(settings, f.name), f.default) for f in every)
    return {name: value for name, value, usual in pairs if name in always or value != usual}


def tuning_of(paths: Sequence[Path]) -> dict[str, Any]:
    """The [tuning] of files, each table from the last that has it. Raises SettingsError."""
    found: dict[str, Any] = {}
    for path in paths:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf8"))["tuning"]
        assemble(Tuning, table, str(path), "tuning.")
        found |= table
    return found


def measured_of(path: Path) -> dict[str, Any]:
    """What models.evaluate measured, as far as a user of the bundle wants to know it."""
    found = json.loads(path.read_text(encoding="utf8"))
    keys = ("kind", "recordings", "words", "wer", "low", "high")
    return {name: {k: one[k] for k in keys} for name, one in found["sets"].items()}


def write(folder: Path, facts: Table) -> None:
    """Write bundle.toml, and open what it describes. Raises BundleError."""
    text = "\n".join(lines({**facts, "sizes": sizes(folder), "files": listed(folder)})) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf8")
    bundle = open_bundle(folder)
    total = bundle.facts["sizes"]["bytes"] / 2**20
    print(f"{folder}: {bundle.label}, {total:.2f} MiB in {len(held(folder))} files")


def pack(options: argparse.Namespace) -> None:
    """Copy all files into the folder."""
    options.out.mkdir(parents=True, exist_ok=True)
    sources = {name: options.network / name for name in FILES if name not in PHONE_FILES}
    sources |= {"lexicon": options.lexicon, "words.lm": options.lm, "g2p.onnx": options.g2p}
    adapter = (options.network / name for name in attention.FILES)
    sources |= {path.name: path for path in adapter if path.exists()}
    for name in ADDED:
        (options.out / name).unlink(missing_ok=True)  # of a bundle that lay there before
    for name, source in sources.items():
        shutil.copyfile(source, options.out / name)


def add(options: argparse.Namespace, folder: Path) -> None:
    """Copy what not every bundle has into its folder. Raises SystemExit for what none has."""
    for path in options.add:
        if path.name not in ADDED:
            message = f"{path}: no bundle holds {path.name}; one may hold {', '.join(ADDED)}"
            raise SystemExit(message)
        shutil.copyfile(path, folder / path.name)


def described(options: argparse.Namespace) -> dict[str, Any]:
    """All that bundle.toml says and that is not counted."""
    folder = options.update or options.out
    old: dict[str, Any] = {}
    if (folder / MANIFEST).exists():
        old = tomllib.loads((folder / MANIFEST).read_text(encoding="utf8"))
    facts: dict[str, Any] = tomllib.loads(options.facts.read_text(encoding="utf8"))
    if options.name:
        facts["name"] = options.name
    if options.version:
        facts["version"] = options.version
    facts = {"name": facts.pop("name"), "version": facts.pop("version"), "kind": "phones", **facts}
    if options.tuning:
        facts["tuning"] = tuning_of(options.tuning)
    elif "tuning" in old:
        facts["tuning"] = old["tuning"]
    if options.measured:
        facts["measured"] = measured_of(options.measured)
    elif options.update and "measured" in old:  # of another network, they would be wrong
        facts["measured"] = old["measured"]
    return facts


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--network", type=Path, help="folder of models.export, and models.export_attention"
    )
    parser.add_argument("--lexicon", type=Path)
    parser.add_argument("--lm", type=Path, help="words.lm of models.lm")
    parser.add_argument("--g2p", type=Path, help="g2p.onnx of models.g2p")
    parser.add_argument(
        "--add", type=Path, nargs="+", default=[], metavar="FILE", help=f"one of {', '.join(ADDED)}"
    )
    parser.add_argument("--out", type=Path, help="folder of the bundle")
    parser.add_argument("--update", type=Path, help="a bundle of which only bundle.toml changes")
    parser.add_argument(
        "--tuning", type=Path, nargs="+", metavar="T", help="[tuning] as models.tune writes it"
    )
    parser.add_argument("--measured", type=Path, help="JSON of models.evaluate")
    parser.add_argument("--facts", type=Path, default=FACTS)
    parser.add_argument("--name", help="instead of that in the facts")
    parser.add_argument("--version", help="instead of that in the facts")
    options = parser.parse_args()
    needed = (options.network, options.lexicon, options.lm, options.g2p, options.out)
    if options.update is None:
        if None in needed:
            parser.error("--network --lexicon --lm --g2p --out are needed, or --update")
        pack(options)
    add(options, options.update or options.out)
    write(options.update or options.out, described(options))


if __name__ == "__main__":
    main()
