"""Kit texts and book tables -> words.lm, the word language model of the bundle.

    python -m models.lm --kit KIT --out DIR [--megabytes 7.5] [--share 0.6]

Kit texts: interpolated Kneser-Ney. Books: absolute discounting on tables that were cut at a count.
Both are mixed on the union of their n-grams; then those go whose loss changes the model least
(relative entropy, Stolcke, 1998), and back-off weights make every context sum to one again.
N-grams are packed into whole numbers, 16 bits a word, and every step works on sorted arrays.
"""

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from earshot.ngram import BITS, END, START, Ngram, write
from models.lexicon import Dictionary
from models.texts import book_counts, dev_texts, sentences, words_of

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
MASK = (1 << BITS) - 1
MOST_WORDS = 65_000
KIT_DISCOUNT, BOOK_DISCOUNT = 0.75, 0.7
LEAST_BACKOFF = 0.02
BYTES2, BYTES3, BYTES_CONTEXT = 3, 3, 9  # of a bigram, a trigram, a context in the file


def at(keys: Ints, wanted: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Positions of keys in a sorted array, and whether they are there."""
    if not len(keys):
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), np.bool_)
    found = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return found, keys[found] == wanted


def value(keys: Ints, values: npt.NDArray[np.float64], wanted: Ints) -> Floats:
    """Values of keys, 0 where there is none."""
    found, hit = at(keys, wanted)
    return np.where(hit, values[found], 0.0) if len(keys) else np.zeros(len(wanted))


def summed(keys: Ints, values: Floats) -> tuple[Ints, Floats]:
    """Sorted unique keys and the sums of their values."""
    unique, inverse = np.unique(keys, return_inverse=True)
    return unique, np.bincount(inverse, values, len(unique))


@dataclass(frozen=True)
class Source:
    """One model to mix: log-free probabilities of any n-grams, given packed keys."""

    unigram: Floats  # [V]
    keys: tuple[Ints, Ints]  # bigrams, trigrams
    direct: tuple[Floats, Floats]  # discounted probability of each
    contexts: tuple[Ints, Ints]  # contexts of bigrams, of trigrams
    lower: tuple[Floats, Floats]  # weight of the lower order in each context

    def probability(self, order: int, key: Ints) -> Floats:
        """P(last word | words before) of packed n-grams of an order."""
        if order == 1:
            return self.unigram[key]
        below = self.probability(order - 1, key & ((1 << BITS * (order - 1)) - 1))
        i = order - 2
        found, hit = at(self.contexts[i], key >> BITS)
        weight = np.where(hit, self.lower[i][found], 1.0) if len(self.lower[i]) else 1.0
        return value(self.keys[i], self.direct[i], key) + weight * below


def kit_source(counts: tuple[Ints, Floats], size: int) -> Source:
    """Interpolated Kneser-Ney from trigram counts."""
    key3, c3 = counts
    key2, c2 = summed(key3 & (1 << 2 * BITS) - 1, np.ones(len(key3)))
    key1, c1 = summed(key2 & MASK, np.ones(len(key2)))
    unigram = np.full(size, KIT_DISCOUNT * len(key1) / c1.sum() / size)
    unigram[key1] += (c1 - KIT_DISCOUNT).clip(0) / c1.sum()
    parts = [_discounted(key2, c2), _discounted(key3, c3)]
    return Source(unigram, (key2, key3), *zip(*parts, strict=True))  # type: ignore[arg-type]


def _discounted(key: Ints, count: Floats) -> tuple[Floats, Ints, Floats]:
    """Kneser-Ney of one order: direct probability, contexts, weight of the lower order."""
    context, total = summed(key >> BITS, count)
    _, kinds = summed(key >> BITS, np.minimum(count, KIT_DISCOUNT))
    found, _ = at(context, key >> BITS)
    return (count - KIT_DISCOUNT).clip(0) / total[found], context, kinds / total


def book_source(tables: list[tuple[Ints, Floats]], size: int) -> Source:
    """Absolute discounting: what the followers of a context lack goes to the lower order."""
    (key1, c1), (key2, c2), (key3, c3) = tables
    unigram = np.full(size, 0.5)
    unigram[key1] = c1
    unigram[START] = 0
    context1, totals1 = key1, c1
    parts = [_cut(key2, c2, (context1, totals1)), _cut(key3, c3, (key2, c2))]
    return Source(unigram / unigram.sum(), (key2, key3), *zip(*parts, strict=True))  # type: ignore[arg-type]


def _cut(key: Ints, count: Floats, context: tuple[Ints, Floats]) -> tuple[Floats, Ints, Floats]:
    total = value(*context, key >> BITS)
    direct = np.where(total > 0, (count - BOOK_DISCOUNT) / np.maximum(total, count), 0.0)
    contexts, given = summed(key >> BITS, direct)
    return direct, contexts, np.maximum(1 - given, LEAST_BACKOFF)


def vocabulary(kit: Path, dictionary: Dictionary, least: int) -> list[str]:
    """<s>, </s>, every word of the kit with a pronunciation, then the books' words seen `least` times."""
    words = {"<s>": None, "</s>": None}
    for sentence, _ in sentences(kit):
        words.update(dict.fromkeys(sentence))
    books = sorted(book_counts(kit, "unigrams"), key=lambda row: -row[1])
    words.update({word[0]: None for word, count in books if count >= least and word[0][0] not in "<'"})
    found = [w for w in words if w[0] == "<" or dictionary.pronunciations(w)]
    return found[:MOST_WORDS]


def kit_counts(kit: Path, number: dict[str, int]) -> tuple[Ints, Floats]:
    """Packed trigrams of the sentences and their weighted counts; a sentence breaks at unknown words."""
    keys: list[int] = []
    weights: list[int] = []
    for words, weight in sentences(kit):
        row = [START, START, *(number.get(w, -1) for w in words), END]
        for i in range(2, len(row)):
            a, b, c = row[i - 2 : i + 1]
            if min(a, b, c) >= 0:
                keys.append(a << 2 * BITS | b << BITS | c)
                weights.append(weight)
    return summed(np.array(keys, np.int64), np.array(weights, np.float64))


def book_table(kit: Path, order: str, number: dict[str, int]) -> tuple[Ints, Floats]:
    """Packed n-grams of the books within the vocabulary and their counts, sorted."""
    keys, counts = [], []
    for words, count in book_counts(kit, order):
        row = [number.get(w, -1) for w in words]
        if min(row) >= 0:
            key = 0
            for n in row:
                key = key << BITS | n
            keys.append(key)
            counts.append(count)
    return summed(np.array(keys, np.int64), np.array(counts, np.float64))


@dataclass
class Model:
    """A backing-off trigram with explicit n-grams; everything in natural logs."""

    unigram: Floats
    key2: Ints
    logp2: Floats
    key3: Ints
    logp3: Floats
    backoff1: Floats | None = None  # [V]
    context3: Ints | None = None  # bigram keys
    backoff2: Floats | None = None

    def normalise(self) -> None:
        """Back-off weights that make every context sum to one."""
        word, follower = self.key2 >> BITS, self.key2 & MASK
        self.backoff1 = _weights(word, len(self.unigram), self.logp2, self.unigram[follower])
        self.context3, context = np.unique(self.key3 >> BITS, return_inverse=True)
        below = self.bigram(self.key3 & (1 << 2 * BITS) - 1)
        self.backoff2 = _weights(context, len(self.context3), self.logp3, below)

    def bigram(self, key: Ints) -> Floats:
        """Log P(w | v) of packed bigrams, backing off."""
        found, hit = at(self.key2, key)
        back = self.backoff1[key >> BITS] + self.unigram[key & MASK]  # type: ignore[index]
        return np.where(hit, self.logp2[found], back) if len(self.key2) else back


def _weights(context: Ints, size: int, logp: Floats, below: Floats) -> Floats:
    top = 1 - np.bincount(context, np.exp(logp), size)
    low = 1 - np.bincount(context, np.exp(below), size)
    return np.log(np.clip(top, 1e-4, 1) / np.clip(low, 1e-4, 1))


def mixed(parts: list[Source], weights: list[float], keys: tuple[Ints, Ints]) -> Model:
    """The mixture on the given bigrams and trigrams."""
    size = len(parts[0].unigram)

    def logs(order: int, key: Ints) -> Floats:
        total = sum(w * p.probability(order, key) for w, p in zip(weights, parts, strict=True))
        return np.log(np.maximum(total, 1e-12))

    unigram = logs(1, np.arange(size))
    unigram[START] = -60.0
    unigram -= math.log(np.exp(unigram).sum())
    model = Model(unigram, keys[0], logs(2, keys[0]), keys[1], logs(3, keys[1]))
    model.normalise()
    return model


def prune(model: Model, budget: int) -> Model:
    """The n-grams whose loss would change the model most, in `budget` bytes."""
    history1 = np.exp(model.unigram)
    history1[START] = math.exp(model.unigram[END])  # as many sentences begin as end
    p2 = history1[model.key2 >> BITS] * np.exp(model.logp2)
    back2 = model.backoff1[model.key2 >> BITS] + model.unigram[model.key2 & MASK]  # type: ignore[index]
    gain2 = p2 * (model.logp2 - back2)
    found, hit = at(model.key2, model.key3 >> BITS)
    history2 = np.where(hit, p2[found], 1e-9)
    context, _ = at(model.context3, model.key3 >> BITS)  # type: ignore[arg-type]
    back3 = model.backoff2[context] + model.bigram(model.key3 & (1 << 2 * BITS) - 1)  # type: ignore[index]
    gain3 = history2 * np.exp(model.logp3) * (model.logp3 - back3)
    worth2, worth3 = gain2 / BYTES2, gain3 / (BYTES3 + 1.5)  # contexts cost as well
    steps = np.quantile(np.concatenate([worth2, worth3]), np.linspace(0, 1, 10_000))
    low, high = 0, len(steps) - 1
    while low < high:  # the lowest step that fits
        middle = (low + high) // 2
        fits = _bytes(*_kept(model, worth2, worth3, steps[middle])) <= budget
        low, high = (low, middle) if fits else (middle + 1, high)
    return _only(model, *_kept(model, worth2, worth3, steps[low]))


def _kept(model: Model, worth2: Floats, worth3: Floats, least: float) -> tuple[Ints, Ints]:
    """Bigrams and trigrams worth more than `least`, and the bigrams that these trigrams follow."""
    keep3 = model.key3[worth3 > least]
    return np.union1d(model.key2[worth2 > least], np.unique(keep3 >> BITS)), keep3


def _bytes(keep2: Ints, keep3: Ints) -> int:
    contexts = len(np.unique(keep3 >> BITS))
    return BYTES2 * len(keep2) + BYTES3 * len(keep3) + BYTES_CONTEXT * contexts


def _only(model: Model, keep2: Ints, keep3: Ints) -> Model:
    """The model on fewer n-grams; bigrams that are only contexts get what backing off gave them."""
    found, _ = at(model.key3, keep3)
    smaller = Model(model.unigram, keep2, model.bigram(keep2), keep3, model.logp3[found])
    smaller.normalise()
    return smaller


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
    back3, book_back = coded(model.backoff2)  # type: ignore[arg-type]
    context, _ = at(model.key2, model.context3)  # type: ignore[arg-type]
    of_context = np.searchsorted(model.key3 >> BITS, model.context3)  # type: ignore[call-overload]
    sections = {
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
    write(path, sections)  # type: ignore[arg-type]


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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--megabytes", type=float, default=7.5)
    parser.add_argument("--share", type=float, default=0.6, help="of the kit's texts in the mixture")
    parser.add_argument("--least", type=int, default=200, help="count of a word of the books to be known")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    words = vocabulary(options.kit, Dictionary(options.kit), options.least)
    number = {w: i for i, w in enumerate(words)}
    (options.out / "words.txt").write_text("\n".join(words[END + 1 :]), encoding="utf8")
    kit = kit_source(kit_counts(options.kit, number), len(words))
    books = book_source([book_table(options.kit, o, number) for o in ("unigrams", "bigrams", "trigrams")], len(words))
    key3 = np.union1d(kit.keys[1], books.keys[1])
    key2 = np.union1d(np.union1d(kit.keys[0], books.keys[0]), key3 >> BITS)
    whole = mixed([kit, books], [options.share, 1 - options.share], (key2, key3))
    print(f"{len(words)} words, {len(key2)} bigrams, {len(key3)} trigrams")
    budget = int(options.megabytes * 2**20) - 12 * len(words)
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
