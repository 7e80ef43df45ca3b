"""Word pieces instead of phones, to compare: a cache like that of models/prepare.py, of pieces.

    python -m models.pieces --kit KIT --cache build/cache --out build/pieces --size 256

The pieces are learnt from the words of the training recordings (SentencePiece, BPE) and spread
evenly over the time of their word. Features are those of the other cache, by links.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece

from models.corpus import TRAIN_SETS, Ints, Recording, aligned, recordings
from models.data import Corpus
from models.phones import BLANK
from models.prepare import ragged

Processor = Any  # sentencepiece ships no types
Spoken = tuple[Recording, list[str]]  # a recording, and its words as they are written
MODEL, SYMBOLS = "bpe.model", "tokens.txt"


def spoken(
    kit: Path, corpora: Sequence[str], split: str, alignments: Path | None = None
) -> Iterator[Spoken]:
    """Every aligned recording of the corpora, in the order of models.corpus, with its words."""
    for corpus in corpora:
        folder = kit / "speech" / corpus
        if not folder.exists():
            continue
        known = aligned(kit, corpus, alignments)
        for one in recordings(kit, [corpus], split, alignments):
            parts = known[one.path.relative_to(folder).as_posix()].split()
            yield one, [part.partition(":")[0] for part in parts]


def respelt(one: Recording, words: Sequence[str], processor: Processor) -> Recording:
    """The recording with the pieces of its words, each for an even share of its word's time."""
    rows: list[tuple[int, int, int, int]] = []
    for number, word in enumerate(words):
        sounds = np.flatnonzero(one.word == number)
        pieces = processor.encode(word)
        borders = np.linspace(one.start[sounds[0]], one.end[sounds[-1]], len(pieces) + 1)
        times = (borders + 0.5).astype(int).tolist()
        rows += zip(pieces, times[:-1], times[1:], [number] * len(pieces), strict=True)
    token, start, end, word_of = np.array(rows, np.int32).reshape(-1, 4).T
    return replace(one, token=token, start=start, end=end, word=word_of)


def learn(every: Sequence[Spoken], size: int, out: Path) -> Processor:
    """Learn pieces; write their model and tokens.txt, where blank stands for what is unknown."""
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=(" ".join(words) for _, words in every),
        model_prefix=str((out / MODEL).with_suffix("")),
        model_type="bpe", vocab_size=size, character_coverage=1.0, num_threads=1, minloglevel=2,
        normalization_rule_name="identity", unk_id=0, bos_id=-1, eos_id=-1,
    )  # fmt: skip
    processor = opened(out)
    symbols = [BLANK, *(processor.id_to_piece(i) for i in range(1, size))]
    lines = [f"{symbol} {i}\n" for i, symbol in enumerate(symbols)]
    (out / SYMBOLS).write_text("".join(lines), encoding="utf8")
    return processor


def opened(folder: Path) -> Processor:
    """The pieces of a cache."""
    return sentencepiece.SentencePieceProcessor(model_file=str(folder / MODEL))


def write(kit: Path, cache: Path, out: Path, size: int, alignments: Path | None) -> None:
    """Write the cache. Raises SystemExit if the other one is not of the same recordings."""
    out.mkdir(parents=True, exist_ok=True)
    every, known = list(spoken(kit, TRAIN_SETS, "train", alignments)), Corpus(cache)
    if not np.array_equal(ragged([one for one, _ in every])["end"], known.end):
        message = (
            f"{cache}: not the recordings and alignments of {kit}; give a cache that "
            "models.prepare made of the kit alone, without --limit, and the same --align"
        )
        raise SystemExit(message)
    processor = learn(every, size, out)
    for path in (*cache.glob("speech*"), *cache.glob("noise*")):
        link = out / path.name
        link.unlink(missing_ok=True)
        link.symlink_to(path.resolve())
    found = [respelt(one, words, processor) for one, words in every]
    columns: dict[str, Ints | list[str]] = dict(ragged(found))
    np.savez(out / "alignments.npz", **columns, corpus=known.corpus, speaker=known.speaker)  # type: ignore[arg-type]
    count = sum(len(one.token) for one in found)
    print(f"{out}: {size} pieces, {count} of them in {len(found)} recordings", flush=True)


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True, help="folder of models.prepare")
    parser.add_argument("--align", type=Path, help="that of models.prepare")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", type=int, default=256, help="tokens, blank among them")
    options = parser.parse_args()
    write(options.kit, options.cache, options.out, options.size, options.align)


if __name__ == "__main__":
    main()
