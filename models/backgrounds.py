"""What streams are mixed with: music, several voices, one voice that talks on, steady noise.

What is heard is of the split alone, and never of the speaker of the stream.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.corpus import Samples, read, table
from models.sounds import piece, rms, steady
from models.tracks import Spoken

BABBLERS = 6
MUSIC = {"test": "test", "tune": "train"}  # the column `use`


def music_of(kit: Path, split: str) -> list[Path]:
    """The music of a split."""
    rows = table(kit / "noise" / "manifest.tsv")
    of = (row for row in rows if row.get("kind") == "music" and row["use"] == MUSIC[split])
    return [kit / "noise" / row["path"] for row in of]


@dataclass(frozen=True, slots=True)
class Backgrounds:
    """What there is to be mixed with. A kind of which there is nothing raises SystemExit."""

    music: Sequence[Path]
    crowd: Sequence[Spoken]
    """many speakers"""
    books: Sequence[Spoken]
    """few speakers who say much"""

    def draw(self, kind: str, speaker: str, length: int, dice: random.Random) -> Samples:
        """Samples [length] of a kind, without this speaker."""
        kinds = {"music": self._music, "babble": self._babble, "television": self._television}
        if kind == "steady":
            return steady(length, dice)
        try:
            return kinds[kind](speaker, length, dice)
        except IndexError:
            message = f"the kit has nothing for {kind} without {speaker}; leave this condition out"
            raise SystemExit(message) from None

    def _music(self, _speaker: str, length: int, dice: random.Random) -> Samples:
        return piece(dice.choice(self.music), length, dice)

    def _babble(self, speaker: str, length: int, dice: random.Random) -> Samples:
        others = [one for one in self.crowd if one.speaker != speaker]
        some = [dice.choice(others) for _ in range(BABBLERS)]
        parts = [talk([one], length, dice) for one in some]
        return np.asarray(np.sum([part / rms(part) for part in parts], 0), np.float32)

    def _television(self, speaker: str, length: int, dice: random.Random) -> Samples:
        other = dice.choice(sorted({one.speaker for one in self.books} - {speaker}))
        of = [one for one in self.books if one.speaker == other]
        return talk(dice.sample(of, len(of)), length, dice)


def talk(every: Sequence[Spoken], length: int, dice: random.Random) -> Samples:
    """Samples [length] of recordings one after the other, over and over, from somewhere on."""
    parts, total = list[Samples](), 0
    while total < 2 * length:
        one = every[len(parts) % len(every)]
        parts.append(read(one.path)[one.spans[0][0] : one.spans[-1][1]])
        total += max(1, len(parts[-1]))
    whole = np.concatenate(parts)
    begin = dice.randrange(len(whole) - length + 1)
    return whole[begin : begin + length]
