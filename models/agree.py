"""How far alignments of models.align are from the kit's own, set by set.

    python -m models.agree --kit KIT --align build/aligned [--sets NAME …] [--show 20]

Times are compared in frames of 10 ms: of words wherever both have the word, of phones and of when a
token is due (models/data.py, before its delay) where they have it said alike. The kit's are no
truth: they come from another recogniser, which is good to a frame or two on clean speech.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.corpus import Ints, aligned, alignment, sets

LARGE = 5  # frames
EARLY = 10  # frames of a phone, of whose middle it is due


@dataclass
class Differences:
    """Of a set: differences in frames, ours less the kit's, and words that are said otherwise."""

    recordings: int = 0
    words: int = 0
    frames: dict[str, list[int]] = field(default_factory=dict)
    changed: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, kits: str, ours: str) -> None:
        """Take two alignments of a recording."""
        self.recordings += 1
        pairs = list(zip(kits.split(), ours.split(), strict=True))
        self.words += len(pairs)
        for kit, our in pairs:
            (word, before), (_, after) = said(kit), said(our)
            _, a, b, _ = alignment(kit)
            _, x, y, _ = alignment(our)
            self._add("word starts", x[:1] - a[:1])
            self._add("word ends", y[-1:] - b[-1:])
            if before == after:
                self._add("phone starts", x - a)
                self._add("due", middle(x, y) - middle(a, b))
            else:
                self.changed[word, before, after] += 1

    def _add(self, what: str, frames: Ints) -> None:
        self.frames.setdefault(what, []).extend(frames.tolist())


def said(word: str) -> tuple[str, str]:
    """Letters and phones of 'the:DH@10,AH@14@18'."""
    letters, _, phones = word.partition(":")
    return letters, " ".join(phone.partition("@")[0] for phone in phones.split(","))


def middle(start: Ints, end: Ints) -> Ints:
    """Where a phone is heard surely, as models/data.py has it."""
    return np.asarray((start + np.minimum(end, start + EARLY)) // 2, np.int32)


def compare(kit: Path, corpus: str, alignments: Path) -> Differences:
    """Every recording of a set that both have, word for word."""
    found = Differences()
    ours = aligned(alignments, corpus)
    for path, kits in aligned(kit, corpus).items():
        if path in ours and len(ours[path].split()) == len(kits.split()):
            found.add(kits, ours[path])
    return found


def lines(corpus: str, found: Differences, show: int) -> Sequence[str]:
    """Lines for people."""
    changed = sum(found.changed.values())
    first = (
        f"{corpus}: {found.recordings} recordings, {found.words} words, "
        f"{100 * changed / max(1, found.words):.1f} % of them said otherwise"
    )
    rows = []
    for what, values in found.frames.items():
        frames = np.array(values)
        apart = np.abs(frames)
        rows.append(
            f"    {what}: mean {apart.mean():.2f}, median {np.median(apart):.0f}, later by "
            f"{frames.mean():+.2f}, more than {LARGE} apart {100 * (apart > LARGE).mean():.1f} %"
        )
    most = found.changed.most_common(show)
    return [first, *rows, *(f"    {n} times {w}: {a} -> {b}" for (w, a, b), n in most)]


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--align", type=Path, required=True, help="folder of models.align")
    parser.add_argument("--sets", nargs="+", metavar="NAME", help="instead of all English ones")
    parser.add_argument("--show", type=int, default=0, help="commonest changes of each set")
    options = parser.parse_args()
    for corpus in options.sets or sets(options.kit):
        found = compare(options.kit, corpus, options.align)
        if found.recordings:
            print("\n".join(lines(corpus, found, options.show)), flush=True)


if __name__ == "__main__":
    main()
