"""CMUdict -> p2g.onnx, the phoneme-to-grapheme network of the bundle: how an unknown word is spelt.

    python -m models.p2g --kit KIT --out p2g.onnx [--limit WORDS] [--steps N]

The alignment of models/g2p.py, read the other way: every phone has the letters that say it, silent
ones with the phone before them, or the first. Then the network of models/rewriter.py learns these
chunks. Words count the more the oftener books have them: of two spellings that sound alike, the
usual one wins. One pronunciation in fifty is held out with all its spellings; the errors on those
are measured through the daemon's own search, on the int8 file.
"""

import argparse
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from earshot.p2g import P2g
from earshot.rewriter import NOTHING

from models.aligner import align, learn, name
from models.g2p import usable
from models.lexicon import Dictionary, Phones
from models.phones import PHONES
from models.rewriter import Shape, examples, held_out, train, write
from models.score import edits
from models.texts import book_counts

RARE = 12  # words, fewer of which do not make a chunk
HIDDEN = (416, 256)  # of the network: as many chunks as there are need the room
DROPOUT = 0.1
STEPS = 7200
OFTEN = 100.0  # count in the books; ten times as often, and a word counts once more


class Spelt(NamedTuple):
    """A word with its phones, and the letters of each phone."""

    word: str
    phones: Phones
    letters: tuple[str, ...]


def spelt(word: str, row: Iterable[int]) -> Spelt:
    """Give each phone its letters, of the chunk of each letter."""
    phones: list[str] = []
    letters: list[str] = []
    silent = ""  # letters before the first phone
    for letter, code in zip(word, row, strict=True):
        said = name(code).split("+") if code else []
        if said:
            phones += said
            letters += [silent + letter, *[""] * (len(said) - 1)]
            silent = ""
        elif letters:
            letters[-1] += letter
        else:
            silent += letter
    return Spelt(word, tuple(phones), tuple(letters))


def chunk(letters: str) -> str:
    """The letters of a phone as the file names them."""
    return "+".join(letters) or NOTHING


def times(count: int) -> int:
    """How often a word counts that the books have so often."""
    return 1 + round(math.log10(1 + count / OFTEN))


def kept(words: list[Spelt]) -> tuple[list[Spelt], list[str]]:
    """Words without rare chunks, and the chunks that are left."""
    count = Counter(letters for word in words for letters in set(word.letters))
    found = [word for word in words if all(count[letters] >= RARE for letters in word.letters)]
    return found, sorted({letters for word in found for letters in word.letters})


def measure(path: Path, wanted: Mapping[Phones, set[str]], most: int = 4) -> dict[str, float]:
    """Letter and word errors in percent: of the best, and of the best of `most` (oracle)."""
    p2g, count = P2g(path), 0
    wrong, words = np.zeros(2), np.zeros(2)
    for phones, references in wanted.items():
        given = [text for text, _ in p2g.spell(phones, most)]
        apart = [min((edits(r, text), len(r)) for r in references) for text in given]
        count += apart[0][1]
        few = np.array([apart[0][0], min(apart)[0]])
        wrong += few
        words += few > 0
    rates = np.stack([wrong / max(count, 1), words / max(len(wanted), 1)]).ravel() * 100
    keys = ("LER", f"LER of {most}", "WER", f"WER of {most}")
    return dict(zip(keys, rates.tolist(), strict=True))


def run(kit: Path, out: Path, limit: int | None, steps: int) -> dict[str, float]:
    """Align, train, write, measure. The errors in percent."""
    listed = usable(Dictionary(kit), limit)
    spellings: dict[Phones, set[str]] = defaultdict(set)
    for word, spoken in listed.items():
        for phones in spoken:
            spellings[phones].add(word)
    unseen = {phones: texts for phones, texts in spellings.items() if held_out(" ".join(phones))}
    pairs = [(w, p) for p, texts in spellings.items() if p not in unseen for w in sorted(texts)]
    aligned = align(learn(pairs), pairs)
    rows = [spelt(word, row) for (word, _), row in zip(pairs, aligned, strict=True) if row]
    words, chunks = kept(rows)
    print(f"{len(words)} of {len(pairs)} pronunciations, {len(chunks)} chunks", flush=True)
    count = Counter({word: count for (word, *_), count in book_counts(kit, "unigrams")})
    number = {letters: i for i, letters in enumerate(chunks)}
    often = [word for word in words for _ in range(times(count[word.word]))]
    data = examples(
        [[PHONES.index(p) + 1 for p in word.phones] for word in often],
        [[number[letters] for letters in word.letters] for word in often],
        len(chunks),
    )
    network = train(data, Shape(len(PHONES), len(chunks), hidden=HIDDEN, dropout=DROPOUT), steps)
    facts = {"phones": " ".join(PHONES), "chunks": " ".join(map(chunk, chunks))}
    write(network, "phones", facts, out)
    errors = measure(out, unseen)
    figures = ", ".join(f"{key} {value:.1f} %" for key, value in errors.items())
    print(f"{out}: {out.stat().st_size} bytes; {figures}")
    return errors


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="the file to write, p2g.onnx")
    parser.add_argument("--limit", type=int, help="about so many words, to try it out")
    parser.add_argument("--steps", type=int, default=STEPS, help="training steps")
    options = parser.parse_args()
    run(options.kit, options.out, options.limit, options.steps)


if __name__ == "__main__":
    main()
