"""CMUdict -> g2p.onnx, the grapheme-to-phoneme network of the bundle: how an unlisted word is said.

    python -m models.g2p --kit KIT --out g2p.onnx [--limit WORDS] [--steps N]

First every letter is given its chunk of no, one or two phones (models/aligner.py), then the network
of models/rewriter.py learns the chunks. One word in fifty is held out; the errors on those are
measured through the daemon's own search, on the int8 file.
"""

import argparse
from pathlib import Path

import numpy as np
from earshot.g2p import G2p

from models.aligner import LETTERS, align, learn, name
from models.lexicon import Dictionary, Phones
from models.phones import PHONES
from models.rewriter import STEPS, Shape, examples, held_out, train, write
from models.score import edits


def usable(dictionary: Dictionary, limit: int | None) -> dict[str, list[Phones]]:
    """Words of letters and apostrophes with their pronunciations; every n-th for about `limit`."""
    found = {
        word: [p for p in spoken if set(p) <= set(PHONES)]
        for word, spoken in dictionary.listed().items()
        if set(word) <= set(LETTERS)
    }
    words = sorted(word for word, spoken in found.items() if spoken)
    return {word: found[word] for word in words[:: max(1, len(words) // (limit or len(words)))]}


def measure(path: Path, wanted: dict[str, list[Phones]], most: int = 4) -> dict[str, float]:
    """Phone and word errors in percent: of the best, and of the best of `most` (oracle)."""
    g2p, phones = G2p(path), 0
    wrong, words = np.zeros(2), np.zeros(2)
    for word, references in wanted.items():
        given = [p for p, _ in g2p.pronounce(word, most)]
        apart = [min((edits(r, p), len(r)) for r in references) for p in given]
        phones += apart[0][1]
        few = np.array([apart[0][0], min(apart)[0]])
        wrong += few
        words += few > 0
    rates = np.stack([wrong / max(phones, 1), words / max(len(wanted), 1)]).ravel() * 100
    keys = ("PER", f"PER of {most}", "WER", f"WER of {most}")
    return dict(zip(keys, rates.tolist(), strict=True))


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="the file to write, g2p.onnx")
    parser.add_argument("--limit", type=int, help="about so many words, to try it out")
    parser.add_argument("--steps", type=int, default=STEPS, help="training steps")
    options = parser.parse_args()
    run(Dictionary(options.kit), options.out, options.limit, options.steps)


def run(dictionary: Dictionary, out: Path, limit: int | None, steps: int) -> dict[str, float]:
    """Align, train, write, measure. The errors in percent."""
    words = usable(dictionary, limit)
    pairs = [(w, p) for w, spoken in words.items() if not held_out(w) for p in spoken]
    aligned = align(learn(pairs), pairs)
    kept = [(word, row) for (word, _), row in zip(pairs, aligned, strict=True) if row]
    codes = sorted({code for _, row in kept for code in row})
    number = {code: i for i, code in enumerate(codes)}
    print(f"{len(kept)} of {len(pairs)} pronunciations aligned, {len(codes)} chunks", flush=True)
    letters = [[LETTERS.index(c) + 1 for c in word] for word, _ in kept]
    data = examples(letters, [[number[c] for c in row] for _, row in kept], len(codes))
    network = train(data, Shape(len(LETTERS), len(codes)), steps)
    write(network, "letters", {"letters": LETTERS, "chunks": " ".join(map(name, codes))}, out)
    errors = measure(out, {word: spoken for word, spoken in words.items() if held_out(word)})
    figures = ", ".join(f"{key} {value:.1f} %" for key, value in errors.items())
    print(f"{out}: {out.stat().st_size} bytes; {figures}")
    return errors


if __name__ == "__main__":
    main()
