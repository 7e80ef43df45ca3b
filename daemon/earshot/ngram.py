"""The word language model: a backing-off trigram in a flat, memory-mapped file.

Many words are looked up at a time. The file: a line of JSON (sizes and the order of the sections),
then the sections, little-endian, each of one kind of number. Log-probabilities are one byte, an
index into a codebook of their own.

    words      the vocabulary as text; 0 is <s>, 1 is </s>
    unigram    float16 [V]; backoff1 float16 [V]
    start2     uint32 [V + 1]; word2 uint16 [B], value2 uint8 [B]      followers of each word
    context3   uint32 [C]; backoff3 uint8 [C]                          bigrams that have followers
    start3     uint32 [C + 1]; word3 uint16 [T], value3 uint8 [T]      their followers
    codes      float32 [3, 256]                                        of value2, value3, backoff3

A state is a word (its followers) or V + 1 + the number of a bigram with followers: a history that
no trigram goes on from is its last word, so that more hypotheses meet. V is the word that is none
of the vocabulary, and the state after it: nothing is known of what follows. Its probability is 1,
as only who asks knows how likely it is: `both` gives what backing off to it costs.
"""

import json
import mmap
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from earshot.errors import INSTALL, BundleError

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
MAGIC = "earshot-ngram-1"
START, END = 0, 1
BITS = 16  # of a word number
SECTIONS = {
    "words": np.uint8,
    "unigram": np.float16,
    "backoff1": np.float16,
    "start2": np.uint32,
    "word2": np.uint16,
    "value2": np.uint8,
    "context3": np.uint32,
    "backoff3": np.uint8,
    "start3": np.uint32,
    "word3": np.uint16,
    "value3": np.uint8,
    "codes": np.float32,
}


def write(path: Path, sections: dict[str, npt.NDArray[Any]]) -> None:
    """Write the file."""
    counts = {name: int(sections[name].size) for name in SECTIONS}
    header = json.dumps({"magic": MAGIC, "counts": counts}).encode() + b"\n"
    with path.open("wb") as file:
        file.write(header + b" " * (-len(header) % 8))  # numbers begin at multiples of 8
        for name, kind in SECTIONS.items():
            data = np.ascontiguousarray(sections[name], np.dtype(kind).newbyteorder("<")).tobytes()
            file.write(data + b"\0" * (-len(data) % 8))


def _read(path: Path) -> dict[str, npt.NDArray[Any]]:
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    header = data.readline()
    counts = json.loads(header)["counts"]
    at, sections = len(header) + -len(header) % 8, {}
    for name, kind in SECTIONS.items():
        sections[name] = np.frombuffer(data, np.dtype(kind).newbyteorder("<"), counts[name], at)
        at += sections[name].nbytes + -sections[name].nbytes % 8
    if json.loads(header)["magic"] != MAGIC or at != len(data):
        message = f"{len(data)} bytes where {at} belong"
        raise ValueError(message)
    return sections


def _check(s: dict[str, npt.NDArray[Any]], size: int) -> None:
    """Raise ValueError where numbers would lead out of the sections."""
    pairs, contexts, triples = len(s["word2"]), len(s["context3"]), len(s["word3"])
    lengths = (
        ("unigram", size), ("backoff1", size), ("start2", size + 1), ("value2", pairs),
        ("backoff3", contexts), ("start3", contexts + 1), ("value3", triples), ("codes", 3 * 256),
    )  # fmt: skip
    for name, length in lengths:
        if len(s[name]) != length:
            message = f"{name} holds {len(s[name])} numbers, not {length}"
            raise ValueError(message)
    for name, end in (("start2", pairs), ("start3", triples)):
        start = s[name].astype(np.int64)
        if start[0] != 0 or start[-1] != end or (start[1:] < start[:-1]).any():
            message = f"{name} does not rise from 0 to {end}"
            raise ValueError(message)
    for name, limit in (("word2", size), ("word3", size), ("context3", pairs)):
        if (s[name] >= limit).any():
            message = f"{name} holds numbers of {limit} and more"
            raise ValueError(message)


class Ngram:
    """The language model at run time. Raises BundleError where the file is damaged."""

    def __init__(self, path: Path) -> None:
        try:
            s = _read(path)
            self.words: list[str] = bytes(s["words"]).decode("utf8").split("\n")
            _check(s, len(self.words))
        except (OSError, ValueError, KeyError, TypeError) as error:
            message = f"{path}: not a language model ({error}); {INSTALL}"
            raise BundleError(message) from error
        self.unigram = np.append(s["unigram"], 0.0).astype(np.float32)
        self._backoff1 = np.append(s["backoff1"], 0.0).astype(np.float32)
        codes = s["codes"].reshape(3, 256)
        self.unknown = size = len(self.words)
        # Keys cost memory, not disk: a binary search over them is a third of one over ranges.
        self._key2 = _keys(s["start2"], s["word2"])
        self._value2, self._code2 = _some(s["value2"]), codes[0]
        self._key3 = _keys(s["start3"], s["word3"])
        self._value3, self._code3 = _some(s["value3"]), codes[1]
        self._backoff3 = codes[2][s["backoff3"]]
        last = np.arange(size + 1), s["word2"][s["context3"]]
        self._last = np.concatenate(last).astype(np.int64)
        self._onward = np.full(len(self._value2), -1, np.int32)
        self._onward[s["context3"]] = np.arange(len(s["context3"])) + size + 1
        self.start = START

    def both(self, state: Ints, word: Ints) -> tuple[Floats, Ints]:
        """Natural log P(word | state) [N] and the states after the words [N]."""
        first, last = self.unknown + 1, self._last[state]
        at, hit = _find(self._key2, last << BITS | word)
        logp = np.where(
            hit, self._code2[self._value2[at]], self._backoff1[last] + self.unigram[word]
        )
        onward = self._onward[at]
        following = np.where(hit & (onward >= 0), onward, word)
        deep = np.flatnonzero(state >= first)
        if len(deep):
            context = state[deep] - first
            at, hit = _find(self._key3, context << BITS | word[deep])
            logp[deep] = np.where(
                hit, self._code3[self._value3[at]], self._backoff3[context] + logp[deep]
            )
        return logp.astype(np.float32), following.astype(np.int64)

    def score(self, state: Ints, word: Ints) -> Floats:
        """Natural log P(word | state) [N]."""
        return self.both(state, word)[0]

    def end_score(self, state: Ints) -> Floats:
        """Natural log P(end of sentence | state) [N]."""
        return self.score(state, np.full(len(state), END, np.int64))


def _keys(start: npt.NDArray[np.uint32], word: npt.NDArray[np.uint16]) -> Ints:
    first = start.astype(np.int64)
    row = np.repeat(np.arange(len(start) - 1), first[1:] - first[:-1])
    return row << BITS | word


def _some(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The values, or one to look at where there are none: what is not found is looked at, too."""
    return values if len(values) else np.zeros(1, values.dtype)


def _find(keys: Ints, wanted: Ints) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Where each key is or would be, and whether it is there."""
    if not len(keys):
        return np.zeros(len(wanted), np.intp), np.zeros(len(wanted), np.bool_)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return at, keys[at] == wanted
