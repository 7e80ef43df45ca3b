"""Weights of hashed features in few bytes, and a flat file of them.

A table has a row for each feature that counts, of one or more (column, weight). Features have no
names here: a *key* of `bits` bits stands for each, and the keys are sorted, so the higher part of
one is told by steps (in unary) and only the lower part is written out. That is 2 bits and
log2(2^bits / rows) a key: what a minimal perfect hash with fingerprints as sure as these takes too.
No two keys are equal, as a seed is chosen that makes them so; and of features that were never
seen, one in 2^bits / rows is taken for one that was. A weight is a place in `codes`, of few bits.

The file: a line of JSON (facts, and kind and length of each section), the sections as one piece of
LZMA (which makes a column 4 to 5 bits), CRC-32.
"""

import json
import lzma
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from earshot.errors import INSTALL, BundleError
from earshot.grammar import spread

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]
KEY_BITS = 64  # of a feature before it is cut to those of a table
MOST_BYTES = 4_000_000  # of a file; ours have 300,000
_MIX = np.uint64(0x9E3779B97F4A7C15)


def packed(values: Ints, bits: int) -> Bytes:
    """Numbers below 2^bits, without a gap between them."""
    return np.packbits((values[:, None] >> np.arange(bits - 1, -1, -1)) & 1)


def unpacked(data: Bytes, bits: int, count: int) -> Ints:
    """Read numbers that were packed. Raises ValueError for too few bytes."""
    if len(data) * 8 < bits * count or not 0 < bits < KEY_BITS:
        message = f"{len(data)} bytes for {count} numbers of {bits} bits"
        raise ValueError(message)
    digits = np.unpackbits(data, count=bits * count).reshape(count, bits)
    return digits.astype(np.int64) @ (1 << np.arange(bits - 1, -1, -1, dtype=np.int64))


def steps(values: Ints) -> Bytes:
    """Numbers that never fall: for each as many zeros as it rises, and a one."""
    marks = np.zeros(int(values[-1]) + len(values) if len(values) else 0, np.bool_)
    marks[values + np.arange(len(values))] = True
    return np.packbits(marks)


def climbed(data: Bytes, count: int) -> Ints:
    """Read numbers that never fall. Raises ValueError for too few."""
    ones = np.flatnonzero(np.unpackbits(data))
    if len(ones) != count:
        message = f"{len(ones)} numbers where {count} belong"
        raise ValueError(message)
    return ones - np.arange(count)


def cut(keys: Keys, seed: int, bits: int) -> Ints:
    """Keys of `bits` bits; another seed gives others."""
    mixed = (keys ^ np.uint64(seed)) * _MIX
    mixed = (mixed ^ (mixed >> np.uint64(32))) * _MIX
    return (mixed >> np.uint64(KEY_BITS - bits)).astype(np.int64)


class Entries(NamedTuple):
    """What a table says of some features: a line for each weight."""

    asked: Ints  # the place of the feature among those that were asked for
    column: Ints
    weight: Floats


@dataclass(frozen=True, slots=True)
class Table:
    """Weights of features: rows of (column, weight)."""

    seed: int
    bits: int
    keys: Ints  # [R], rising
    first: Ints  # [R + 1]
    column: Ints  # [W]
    code: Ints  # [W]
    codes: Floats

    def of(self, keys: Keys) -> Entries:
        """All weights of features [N] by their keys of 64 bits."""
        wanted = cut(keys, self.seed, self.bits)
        if not len(self.keys):
            return Entries(wanted[:0], wanted[:0], self.codes[:0])
        row = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        asked = np.flatnonzero(self.keys[row] == wanted)
        first, end = self.first[row[asked]], self.first[row[asked] + 1]
        which, at = spread(first, end - first)
        return Entries(asked[which], self.column[at], self.codes[self.code[at]])

    def sections(self, name: str) -> dict[str, npt.NDArray[Any]]:
        """The table as sections of a file."""
        low = _low(self.bits, len(self.keys))
        facts = (self.seed, self.bits, len(self.keys))
        return {
            f"{name}.facts": np.array(facts, np.uint32),
            f"{name}.high": steps(self.keys >> low),
            f"{name}.low": packed(self.keys & ((1 << low) - 1), low),
            f"{name}.counts": np.diff(self.first).astype(np.uint8),
            f"{name}.columns": self.column.astype(np.uint8),
            f"{name}.weights": self.code.astype(np.uint8),
            f"{name}.codes": self.codes.astype(np.float32),
        }

    @classmethod
    def read(cls, sections: Mapping[str, npt.NDArray[Any]], name: str, columns: int) -> Self:
        """Read what `sections` wrote. Raises ValueError or KeyError for what cannot be."""
        s = {key.removeprefix(f"{name}."): value for key, value in sections.items()}
        seed, bits, rows = s["facts"].tolist()
        if not 0 < bits < KEY_BITS:
            message = f"keys of {bits} bits"
            raise ValueError(message)
        low = _low(bits, rows)
        keys = (climbed(s["high"], rows) << low) | unpacked(s["low"], low, rows)
        first = np.append(0, np.cumsum(s["counts"].astype(np.int64)))
        column, code = s["columns"].astype(np.int64), s["weights"].astype(np.int64)
        found = cls(seed, bits, keys, first, column, code, s["codes"].astype(np.float32))
        found.check(columns)
        return found

    def check(self, columns: int) -> None:
        """Raise ValueError where numbers would lead out of the table."""
        beyond = (self.column >= columns).any() or (self.code >= len(self.codes)).any()
        rising = (np.diff(self.keys) > 0).all() and len(self.first) == len(self.keys) + 1
        even = self.first[-1] == len(self.column) == len(self.code)
        if beyond or not rising or not even:
            message = "numbers that lead nowhere"
            raise ValueError(message)
        if not np.isfinite(self.codes).all():
            message = "weights that are no numbers"
            raise ValueError(message)


def _low(bits: int, rows: int) -> int:
    """Bits of a key that are written out."""
    return max(1, bits - max(1, rows).bit_length())


def write(path: Path, magic: str, facts: Mapping[str, Any], sections: Mapping[str, Any]) -> None:
    """Write a file."""
    parts = {name: np.ascontiguousarray(data) for name, data in sections.items()}
    listed = {name: [data.dtype.newbyteorder("<").str, data.size] for name, data in parts.items()}
    header = json.dumps({"magic": magic, "facts": facts, "sections": listed}, separators=(",", ":"))
    body = b"".join(data.astype(data.dtype.newbyteorder("<")).tobytes() for data in parts.values())
    whole = header.encode() + b"\n" + lzma.compress(body, preset=9)
    path.write_bytes(whole + zlib.crc32(whole).to_bytes(4, "little"))


def read(path: Path, magic: str) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Facts and sections of a file. Raises BundleError where it is damaged."""
    try:
        return _read(path.read_bytes(), magic)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, lzma.LZMAError) as error:
        message = f"{path}: not {magic} ({error}); {INSTALL}"
        raise BundleError(message) from error


def _read(whole: bytes, magic: str) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    if len(whole) > MOST_BYTES or zlib.crc32(whole[:-4]).to_bytes(4, "little") != whole[-4:]:
        message = "its sum is wrong"
        raise ValueError(message)
    line, _, small = whole[:-4].partition(b"\n")
    body = lzma.LZMADecompressor().decompress(small, MOST_BYTES)
    header = json.loads(line)
    if header["magic"] != magic:
        message = f"it is {header['magic']}"
        raise ValueError(message)
    at, sections = 0, {}
    for name, (kind, size) in header["sections"].items():
        sections[name] = np.frombuffer(body, np.dtype(kind), size, at)
        at += sections[name].nbytes
    return header["facts"], sections
