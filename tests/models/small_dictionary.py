"""A kit of nothing but a dictionary whose words are said by rules."""

import gzip
from pathlib import Path

import numpy as np

# Consonants and vowels that are always said alike, but for a silent e and an x of two sounds.
SOUNDS = {"b": "B", "d": "D", "k": "K", "l": "L", "m": "M", "s": "S", "t": "T", "x": "K S"}
VOWELS = {"a": "AE", "i": "IH", "o": "AA"}


def kit(folder: Path, count: int) -> Path:
    """A kit with a dictionary of about `count` words of two syllables, spelt by the rules above."""
    dice = np.random.default_rng(0)
    lines = set()
    for _ in range(count):
        letters = [str(dice.choice(list(part))) for part in (SOUNDS, VOWELS) * 2]
        phones = [(SOUNDS | VOWELS)[letter] + "1" * (letter in VOWELS) for letter in letters]
        lines.add(f"{''.join(letters)}{'e' * int(dice.integers(2))} {' '.join(phones)}\n")
    (folder / "text/cmudict").mkdir(parents=True)
    with gzip.open(folder / "text/cmudict/cmudict.dict.gz", "wt", encoding="utf8") as file:
        file.writelines(sorted(lines))
    return folder
