"""Kit texts, made-up sentences and book tables -> words.lm, the language model of the bundle.

    python -m models.lm --kit KIT --out DIR [--megabytes 7.5] [--least 60]

Texts: interpolated Kneser-Ney, each source by itself. Books: absolute discounting on tables that
were cut at a count. They are mixed by models.mixture; then those n-grams go whose loss changes the
model least (relative entropy, Stolcke, 1998), and back-off weights make every context sum to one.
"""

import argparse
from collections import Counter, defaultdict
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from earshot.ngram import BITS, END, Ngram, write

from models.classes import CLASSES, calls, tables
from models.counts import (
    MASK,
    MASK2,
    Floats,
    Ints,
    Source,
    at,
    book_source,
    book_table,
    kit_source,
    trigrams,
)
from models.coverage import spoken
from models.lexicon import Dictionary
from models.made import made, made_with_classes
from models.mixture import LEAST, Model, best_shares, is_held_out, mixed
from models.perplexity import perplexity
from models.texts import SINGLE, Texts, dev_texts, sentences
from models.vocabulary import vocabulary

BYTES2, BYTES3, BYTES_CONTEXT = 3, 3, 9  # of a bigram, a trigram, a context in the file
BYTES_WORD = 8  # of a word beside its letters: unigram, back-off, start of its followers
BYTES_REST = 3 * 256 * 4 + 512  # codebooks, header, gaps


def prune(model: Model, budget: int) -> Model:
    """Keep the n-grams whose loss would change the model most, in `budget` bytes."""
    found, hit = at(model.key2, model.key3 >> BITS)
    word = model.key2 >> BITS
    context, _ = at(model.context3, model.key3 >> BITS)
    below2, below3 = model.unigram[model.key2 & MASK], model.bigram(model.key3 & MASK2)
    loss2 = _loss(model.logp2, below2, word, model.left2())
    loss3 = _loss(model.logp3, below3, context, model.left3())
    met2 = np.where(hit, (model.met[word] * np.exp(model.logp2))[found], LEAST)
    worth2 = model.met[word] * loss2 / BYTES2
    worth3 = met2 * loss3 / (BYTES3 + 1.5)  # contexts cost as well
    steps = np.quantile(np.concatenate([worth2, worth3]), np.linspace(0, 1, 10_000))
    low, high = 0, len(steps) - 1
    while low < high:  # the lowest step that fits
        middle = (low + high) // 2
        fits = _bytes(*_kept(model, worth2, worth3, steps[middle])) <= budget
        low, high = (low, middle) if fits else (middle + 1, high)
    return _only(model, *_kept(model, worth2, worth3, steps[low]))


def _loss(logp: Floats, below: Floats, context: Ints, left: tuple[Floats, Floats]) -> Floats:
    """Relative entropy of a context's followers, with and without each of its n-grams [N] nats."""
    here, there = (part[context] for part in left)
    old = np.log(here / there)
    new = np.log((here + np.exp(logp)) / (there + np.exp(below)))
    return np.asarray(np.exp(logp) * (logp - below - new) + here * (old - new), np.float64)


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
    return Model(model.unigram, model.met, keep2, model.bigram(keep2), keep3, model.logp3[found])


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


def texts_of(kit: Path, dictionary: Dictionary) -> Texts:
    """Sentences of the kit and made up, by source."""
    found: dict[str, list[list[str]]] = defaultdict(list)
    for words, source in sentences(kit):
        found[source].append(words)
    usual = Counter(word for texts in found.values() for words in texts for word in words)
    common = [word for word, _ in usual.most_common() if dictionary.pronunciations(word)]
    classed = chain(tables(kit), calls(kit), made_with_classes(kit, dictionary))
    for words, source in chain(made(kit, dictionary, common), classed):
        found[source].append(words)
    return dict(found)


def mixture(kit: Path, words: list[str], texts: Texts) -> Model:
    """Count the texts and the books and mix them as held-out sentences have it."""
    number = {w: i for i, w in enumerate(words)}
    tables = [book_table(kit, order, number) for order in ("unigrams", "bigrams", "trigrams")]
    books = book_source(tables, len(words))

    def sources(some: Texts) -> dict[str, Source]:
        counted = {name: trigrams(rows, number) for name, rows in some.items()}
        return {name: kit_source(one, len(words)) for name, one in counted.items()} | {
            "books": books
        }

    # What is said as a single word is all there is: it is learnt and held out.
    learnt, held = (
        {
            name: [one for one in rows if name == SINGLE or is_held_out(one) == out]
            for name, rows in texts.items()
        }
        for out in (False, True)
    )
    shares = best_shares(sources(learnt), held, number)
    for name in shares[1]:
        print(f"  {name}: shares {', '.join(f'{shares[order][name]:.3f}' for order in shares)}")
    return mixed(sources(texts), shares)


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--megabytes", type=float, default=7.5)
    parser.add_argument(
        "--least", type=int, default=60, help="count of a word of the books to be known"
    )
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    dictionary = Dictionary(options.kit)
    texts = texts_of(options.kit, dictionary)
    words = vocabulary(options.kit, dictionary, options.least, texts)
    spelt = words[END + 1 + len(CLASSES) :]
    (options.out / "words.txt").write_text("\n".join(spelt), encoding="utf8")
    whole = mixture(options.kit, words, texts)
    print(f"{len(words)} words, {len(whole.key2)} bigrams, {len(whole.key3)} trigrams")
    budget = int(options.megabytes * 2**20) - fixed_bytes(words)
    save(prune(whole, budget), words, options.out / "words.lm")
    report(options.out / "words.lm", options.kit)


def report(path: Path, kit: Path) -> None:
    """Size and perplexities of a written model."""
    model = Ngram(path)
    print(f"{path.name}: {path.stat().st_size / 2**20:.2f} MiB")
    dev = {name: rows for name, rows in dev_texts(kit).items() if not name.endswith(("_de", "_es"))}
    for name, rows in {**dev, **spoken()}.items():
        figure, unknown = perplexity(model, rows)
        print(f"  {name}: perplexity {figure:.0f}, unknown words {unknown:.1f} %", flush=True)


if __name__ == "__main__":
    main()
