"""A cache of features as models/prepare.py writes it, made up: words, readings, noise."""

from pathlib import Path
from typing import Any

import numpy as np

SPEEDS = (1.0, 0.9)  # of the versions
CORPORA = {"speech_commands": 12, "readings": 8, "an4": 10}  # recordings of each


def write(folder: Path, corpora: dict[str, int] = CORPORA, longest: int = 60) -> Path:
    """Write alignments, two versions of speech, and noise."""
    dice = np.random.default_rng(11)
    corpus = [name for name, count in corpora.items() for _ in range(count)]
    words = [1 if name == "speech_commands" else int(dice.integers(2, longest)) for name in corpus]
    known = [_alignment(count, dice) for count in words]
    names = ("token", "start", "end", "word")
    columns: dict[str, Any] = {
        n: np.concatenate([k[:, i] for k in known]) for i, n in enumerate(names)
    }
    np.savez(
        folder / "alignments.npz",
        **columns,
        tokens=np.array([len(k) for k in known], np.int32),
        corpus=np.array(corpus),
        speaker=np.array([f"s{i % 3}" for i in range(len(corpus))]),
    )
    for version, speed in enumerate(SPEEDS):
        counts = [int((k[-1, 2] + 30) / speed) for k in known]
        _features(folder / f"speech{version}", counts, speed, dice)
    _features(folder / "noise", [40, 300, 900], 1.0, dice)
    return folder


def _alignment(
    words: int, dice: np.random.Generator
) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    """Tokens, start and end frames, word numbers [U, 4]."""
    rows, at = [], int(dice.integers(5, 40))
    for word in range(words):
        for _ in range(int(dice.integers(1, 6))):
            stop = at + int(dice.integers(3, 20))
            rows.append((int(dice.integers(1, 79)), at, stop, word))
            at = stop
        at += int(dice.integers(0, 30))
    return np.array(rows, np.int32)


def _features(path: Path, counts: list[int], speed: float, dice: np.random.Generator) -> None:
    frames = dice.normal(-8, 3, (sum(counts), 80)).astype(np.float16)
    path.with_suffix(".f16").write_bytes(frames.tobytes())
    np.savez(path.with_suffix(".npz"), count=counts, speed=[speed] * len(counts))
