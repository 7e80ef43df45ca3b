"""Kit texts and book tables -> words.lm, the word language model of the bundle.

    python -m models.lm --kit KIT --out DIR [--megabytes 7.5] [--share 0.6]

Kit texts: interpolated Kneser-Ney. Books: absolute discounting on tables that were cut at a count.
Both are mixed on the union of their n-grams; then those go whose loss changes the model least
(relative entropy, Stolcke, 1998), and back-off weights make every context sum to one again.
"""

import argparse
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from earshot.ngram import BITS, END, START, Ngram, write

from models.counts import (
    MASK,
    MASK2,
    Floats,
    Ints,
    Source,
    at,
    book_source,
    book_table,
    kit_counts,
    kit_source,
)
from models.lexicon import Dictionary
from models.texts import dev_texts, words_of
from models.vocabulary import vocabulary

BYTES2, BYTES3, BYTES_CONTEXT = 3, 3, 9  # of a bigram, a trigram, a context in the file
BYTES_WORD = 8  # of a word beside its letters: unigram, back-off, start of its followers
BYTES_REST = 3 * 256 * 4 + 512  # codebooks, header, gaps


@dataclass
class Model:
    """A backing-off trigram with explicit n-grams; everything in natural logs."""

    unigram: Floats
    key2: Ints
    logp2: Floats
    key3: Ints
    logp3: Floats
    backoff1: Floats = field(init=False)  # [V]
    context3: Ints = field(init=False)  # bigram keys
    backoff2: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Find the back-off weights that make every context sum to one."""
        word, follower = self.key2 >> BITS, self.key2 & MASK
        self.backoff1 = _weights(word, len(self.unigram), self.logp2, self.unigram[follower])
        self.context3, context = np.unique(self.key3 >> BITS, return_inverse=True)
        below = self.bigram(self.key3 & MASK2)
        self.backoff2 = _weights(context, len(self.context3), self.logp3, below)

    def bigram(self, key: Ints) -> Floats:
        """Log P(w | v) of packed bigrams, backing off."""
        found, hit = at(self.key2, key)
        back = self.backoff1[key >> BITS] + self.unigram[key & MASK]
        return np.where(hit, self.logp2[found], back) if len(self.key2) else back


def _weights(context: Ints, size: int, logp: Floats, below: Floats) -> Floats:
    top = 1 - np.bincount(context, np.exp(logp), size)
    low = 1 - np.bincount(context, np.exp(below), size)
    ratio = np.clip(top, 1e-4, 1) / np.clip(low, 1e-4, 1)
    return np.asarray(np.log(ratio), np.float64)


def mixed(parts: list[Source], weights: list[float], keys: tuple[Ints, Ints]) -> Model:
    """Mix sources on the given bigrams and trigrams."""
    size = len(parts[0].unigram)

    def logs(order: int, key: Ints) -> Floats:
        shares = [w * p.probability(order, key) for w, p in zip(weights, parts, strict=True)]
        return np.asarray(np.log(np.maximum(sum(shares), 1e-12)), np.float64)

    unigram = logs(1, np.arange(size))
    unigram[START] = -60.0
    unigram -= math.log(np.exp(unigram).sum())
    return Model(unigram, keys[0], logs(2, keys[0]), keys[1], logs(3, keys[1]))


def prune(model: Model, budget: int) -> Model:
    """Keep the n-grams whose loss would change the model most, in `budget` bytes."""
    history1 = np.exp(model.unigram)
    history1[START] = math.exp(model.unigram[END])  # as many sentences begin as end
    p2 = history1[model.key2 >> BITS] * np.exp(model.logp2)
    back2 = model.backoff1[model.key2 >> BITS] + model.unigram[model.key2 & MASK]
    gain2 = p2 * (model.logp2 - back2)
    found, hit = at(model.key2, model.key3 >> BITS)
    history2 = np.where(hit, p2[found], 1e-9)
    context, _ = at(model.context3, model.key3 >> BITS)
    back3 = model.backoff2[context] + model.bigram(model.key3 & MASK2)
    gain3 = history2 * np.exp(model.logp3) * (model.logp3 - back3)
    worth2, worth3 = gain2 / BYTES2, gain3 / (BYTES3 + 1.5)  # contexts cost as well
    steps = np.quantile(np.concatenate([worth2, worth3]), np.linspace(0, 1, 10_000))
    low, high = 0, len(steps) - 1
    while low < high:  # the lowest step that fits
        middle = (low + high) // 2
        fits = _bytes(*_kept(model, worth2, worth3, steps[middle])) <= budget
        low, high = (low, middle) if fits else (middle + 1, high)
    return _only(model, *_kept(model, worth2, worth3, steps[low]))


def fixed_bytes(words: list[str]) -> int:
    """What the file takes before its first bigram."""
    return BYTES_REST + len("\n".join(words).encode()) + BYTES_WORD * len(words)


def _kept(model: Model, worth2: Floats, worth3: Floats, least: float) -> tuple[Ints, Ints]:
    """Bigrams and trigrams worth more than `least`, and the bigrams that these trigrams follow."""
    keep3 = model.key3[worth3 > least]
    return np.union1d(model.key2[worth2 > least], np.unique(keep3 >> BITS)), keep3


def _bytes(keep2: Ints, keep3: Ints) -> int:
    contexts = len(np.unique(keep3 >> BITS))
    return BYTES2 * len(keep2) + BYTES3 * len(keep3) + BYTES_CONTEXT * contexts


def _only(model: Model, keep2: Ints, keep3: Ints) -> Model:
    """Leave fewer n-grams; bigrams that are only contexts keep what backing off gave them."""
    found, _ = at(model.key3, keep3)
    return Model(model.unigram, keep2, model.bigram(keep2), keep3, model.logp3[found])


def coded(values: Floats) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Each value as the nearest of 256 (equal shares of the sorted values): codes and codebook."""
    if not len(values):
        return np.zeros(0, np.uint8), np.zeros(256, np.float32)
    shares = np.array_split(np.sort(values), 256)
    book = np.array([s.mean() if len(s) else values.max() for s in shares])
    borders = (book[1:] + book[:-1]) / 2
    return np.searchsorted(borders, values).astype(np.uint8), book.astype(np.float32)


def save(model: Model, words: list[str], path: Path) -> None:
    """Write the bundle's file."""
    size = len(words)
    code2, book2 = coded(model.logp2)
    code3, book3 = coded(model.logp3)
    back3, book_back = coded(model.backoff2)
    context, _ = at(model.key2, model.context3)
    of_context = np.searchsorted(model.key3 >> BITS, model.context3)
    sections: dict[str, npt.NDArray[Any]] = {
        "words": np.frombuffer("\n".join(words).encode(), np.uint8),
        "unigram": model.unigram,
        "backoff1": model.backoff1,
        "start2": np.searchsorted(model.key2 >> BITS, np.arange(size + 1)),
        "word2": model.key2 & MASK,
        "value2": code2,
        "context3": context,
        "backoff3": back3,
        "start3": np.append(of_context, len(model.key3)),
        "word3": model.key3 & MASK,
        "value3": code3,
        "codes": np.concatenate([book2, book3, book_back]),
    }
    write(path, sections)


def mixture(kit: Path, words: list[str], share: float) -> Model:
    """Count the kit's texts and the books and mix them; `share` is that of the kit's texts."""
    number = {w: i for i, w in enumerate(words)}
    texts = kit_source(kit_counts(kit, number), len(words))
    tables = [book_table(kit, order, number) for order in ("unigrams", "bigrams", "trigrams")]
    books = book_source(tables, len(words))
    key3 = np.union1d(texts.trigrams.key, books.trigrams.key)
    key2 = np.union1d(np.union1d(texts.bigrams.key, books.bigrams.key), key3 >> BITS)
    return mixed([texts, books], [share, 1 - share], (key2, key3))


def perplexity(model: Ngram, texts: list[str]) -> tuple[float, float]:
    """Perplexity of known words and sentence ends, and the share of unknown words in percent."""
    number = {w: i for i, w in enumerate(model.words)}
    total, known, unknown = 0.0, 0, 0
    for text in texts:
        state = np.array([model.start])
        for word in [*words_of(text), "</s>"]:
            if word not in number:
                unknown, state = unknown + 1, np.array([model.start])
                continue
            logp, state = model.both(state, np.array([number[word]]))
            total, known = total + float(logp[0]), known + 1
    return math.exp(-total / max(known, 1)), 100 * unknown / max(known + unknown, 1)


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--megabytes", type=float, default=7.5)
    parser.add_argument(
        "--share", type=float, default=0.6, help="of the kit's texts in the mixture"
    )
    parser.add_argument(
        "--least", type=int, default=60, help="count of a word of the books to be known"
    )
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    words = vocabulary(options.kit, Dictionary(options.kit), options.least)
    (options.out / "words.txt").write_text("\n".join(words[END + 1 :]), encoding="utf8")
    whole = mixture(options.kit, words, options.share)
    print(f"{len(words)} words, {len(whole.key2)} bigrams, {len(whole.key3)} trigrams")
    budget = int(options.megabytes * 2**20) - fixed_bytes(words)
    for name, model in (("whole.lm", whole), ("words.lm", prune(whole, budget))):
        save(model, words, options.out / name)
        report(options.out / name, options.kit)


def report(path: Path, kit: Path) -> None:
    """Size and perplexities of a written model."""
    model = Ngram(path)
    print(f"{path.name}: {path.stat().st_size / 2**20:.2f} MiB")
    for corpus, texts in dev_texts(kit).items():
        if corpus.endswith(("_de", "_es")):
            continue
        figure, unknown = perplexity(model, texts)
        print(f"  {corpus}: perplexity {figure:.0f}, unknown words {unknown:.1f} %", flush=True)


if __name__ == "__main__":
    main()
