"""A bundle: the folder from which earshot recognises.

    encoder.onnx decoder.onnx joiner.onnx tokens.txt     the network, in sherpa-onnx's convention
    lexicon words.lm g2p.onnx                            of a phone bundle: what spells
    p2g.onnx                                             and words outside the lexicon
    nlu.bin                                              what utterances mean
    bpe.model                                            of a word-piece bundle, where it has one
    bundle.toml                                          name, version, sums, tuning, measurements

A folder of a sherpa-onnx streaming transducer without bundle.toml is taken as it is, if its tokens
are word pieces. Everything that is wrong with a folder is told in one sentence that names the file.
"""

import hashlib
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from earshot.errors import INSTALL, BundleError

MANIFEST = "bundle.toml"
BUNDLES, RESCORERS = "bundles", "rescorers"  # folders, and what is in them
NETWORK = ("encoder", "decoder", "joiner")
PHONE_FILES = ("lexicon", "words.lm", "g2p.onnx")
SPELLER = "p2g.onnx"  # without it, words outside the lexicon are not looked for
WORD_START = "▁"  # begins the pieces that begin a word


@dataclass(frozen=True, slots=True)
class Bundle:
    """A folder that is whole: all files are there and, where sums are known, as they were made."""

    folder: Path
    name: str
    version: str
    kind: str  # "phones" or "pieces"
    symbols: tuple[str, ...]  # [V] by token
    network: tuple[Path, Path, Path]  # encoder, decoder, joiner
    tuning: Mapping[str, Any] = field(default_factory=dict)  # tables of settings it brings
    facts: Mapping[str, Any] = field(default_factory=dict)  # all of bundle.toml

    @property
    def label(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"

    def file(self, name: str) -> Path:
        """A file of the folder by its name."""
        return self.folder / name

    def holds(self, name: str) -> bool:
        """Whether a file belongs to the bundle: bundle.toml lists it."""
        return name in self.facts.get("files", {})


def places(kind: str = BUNDLES) -> tuple[Path, ...]:
    """Folders in which bundles (or rescorers) are looked for by name, first to last."""
    package = Path(__file__).parent
    # A service has no home, and then nothing of a user's.
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")  # noqa: PTH111
    shipped = (package / kind, package.parents[1] / "models" / kind)
    return (Path(data, "earshot", kind), Path("/var/lib/earshot", kind), *shipped)


def installed(kind: str = BUNDLES) -> Iterator[Path]:
    """Folders of the bundles that have a name; of two with one name, the first counts."""
    seen = set()
    for place in places(kind):
        # Of the service's own folder only the service may know what is in it.
        for folder in sorted(place.iterdir()) if os.access(place, os.R_OK | os.X_OK) else ():
            if folder.is_dir() and folder.name not in seen:
                seen.add(folder.name)
                yield folder


def find(name: str, kind: str = BUNDLES) -> Path:
    """The folder of a bundle, given its name or a path. Raises BundleError if there is none."""
    if os.sep in name or Path(name).is_dir():
        return Path(name)
    known = {folder.name: folder for folder in installed(kind)}
    if name in known:
        return known[name]
    names = ", ".join(sorted(known)) or "none"
    message = (
        f"there is no {kind[:-1]} {name!r}; installed: {names}; a folder can be given as ./{name}"
    )
    raise BundleError(message)


def open_bundle(folder: Path) -> Bundle:
    """Read a folder, and verify it. Raises BundleError."""
    if not folder.is_dir():
        message = f"{folder}: there is no such folder; give a bundle's name or folder"
        raise BundleError(message)
    if not (folder / MANIFEST).exists():
        return _foreign(folder)
    facts = _manifest(folder / MANIFEST)
    kind = facts["kind"]
    wanted = [f"{part}.onnx" for part in NETWORK] + ["tokens.txt"]
    wanted += PHONE_FILES if kind == "phones" else ()
    for name in wanted:
        verify(folder / name, facts["files"].get(name))
    for name in sorted(set(facts["files"]) - set(wanted)):
        verify(folder / name, facts["files"][name])
    network = tuple(folder / f"{part}.onnx" for part in NETWORK)
    symbols = read_symbols(folder / "tokens.txt")
    tuning = facts.get("tuning", {})
    return Bundle(folder, facts["name"], facts["version"], kind, symbols, network, tuning, facts)  # type: ignore[arg-type]


def _manifest(path: Path) -> dict[str, Any]:
    """Read bundle.toml, and look at what must stand there."""
    facts = read_manifest(path, {"name": str, "version": str, "kind": str, "files": dict})
    if facts["kind"] not in {"phones", "pieces"}:
        message = f"{path}: kind is {facts['kind']!r}, but must be 'phones' or 'pieces'"
        raise BundleError(message)
    if not isinstance(facts.get("tuning", {}), dict):
        message = f"{path}: tuning is {facts['tuning']!r}, but must be a table; {INSTALL}"
        raise BundleError(message)
    return facts


def read_manifest(path: Path, wanted: Mapping[str, type]) -> dict[str, Any]:
    """Read a manifest that must have these keys. Raises BundleError."""
    try:
        facts = tomllib.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError) as error:
        message = f"{path}: cannot be read ({error}); {INSTALL}"
        raise BundleError(message) from error
    for key, kind in wanted.items():
        if not isinstance(facts.get(key), kind):
            message = f"{path}: {key} is missing or not a {kind.__name__}; {INSTALL}"
            raise BundleError(message)
    return facts


def verify(path: Path, known: object, manifest: str = MANIFEST) -> None:
    """Compare a file with its entry in its manifest. Raises BundleError."""
    if not isinstance(known, dict) or not {"bytes", "sha256"} <= known.keys():
        message = f"{path}: {manifest} does not list its bytes and sha256; {INSTALL}"
        raise BundleError(message)
    try:
        size = path.stat().st_size
        if size != known["bytes"]:
            message = f"{path}: has {size} bytes, but must have {known['bytes']}; {INSTALL}"
            raise BundleError(message)
        found = checksum(path)
    except OSError as error:
        message = f"{path}: {(error.strerror or str(error)).lower()}; {INSTALL}"
        raise BundleError(message) from error
    if found != known["sha256"]:
        message = f"{path}: its sha256 is not that of {manifest}, so it is damaged; {INSTALL}"
        raise BundleError(message)


def checksum(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_symbols(path: Path) -> tuple[str, ...]:
    """The symbols [V] of tokens.txt, a symbol and its number a line. Raises BundleError."""
    found: dict[int, str] = {}
    try:
        lines = path.read_text(encoding="utf8").rstrip("\n").split("\n")
        for line in lines:  # not splitlines: a symbol may be one of Unicode's other line ends
            symbol, _, number = line.rstrip().rpartition(" ")
            found[int(number)] = symbol or " "  # a line with only a number is the space
    except (OSError, ValueError) as error:
        message = f"{path}: not a table of tokens ({error}); {INSTALL}"
        raise BundleError(message) from error
    if sorted(found) != list(range(len(lines))):
        message = f"{path}: its numbers do not run from 0 on without a gap; {INSTALL}"
        raise BundleError(message)
    return tuple(found[i] for i in range(len(found)))


def _foreign(folder: Path) -> Bundle:
    """A sherpa-onnx streaming transducer as it was published, its network found by name."""
    symbols = read_symbols(folder / "tokens.txt")
    if not any(symbol.startswith(WORD_START) for symbol in symbols):
        message = f"{folder / MANIFEST}: missing, and the tokens are no word pieces; {INSTALL}"
        raise BundleError(message)
    network = tuple(_part(folder, part) for part in NETWORK)
    return Bundle(folder, folder.resolve().name, "unversioned", "pieces", symbols, network)  # type: ignore[arg-type]


def _part(folder: Path, part: str) -> Path:
    """The one file of a part of the network; int8 before fp32 where both are there."""
    found = sorted(folder.glob(f"{part}*.onnx"))
    small = [path for path in found if ".int8." in path.name]
    chosen = small or found
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(path.name for path in chosen) or "none"
    message = f"{folder}: one {part}*.onnx is needed, but there is {names}; leave only one there"
    raise BundleError(message)
