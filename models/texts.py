"""The texts of the kit for language models: sentences by domain, less all that is tested on."""

import gzip
import lzma
import re
from collections.abc import Iterator
from pathlib import Path

from models.corpus import table

Counts = Iterator[tuple[tuple[str, ...], int]]

# Tables and lists of sentences, with how often each counts. Sampled templates hold odd sentences.
TABLES = {
    "nlu-eval/nlu_eval.tsv.gz": 2,
    "slurp/slurp_devel_test.tsv": 2,
    "massive-en/massive_en.tsv.gz": 2,
    "clinc150/clinc150.tsv.gz": 2,
    "snips/snips2017.tsv.gz": 2,
    "ohf-intents/ohf_en_sampled.tsv.gz": 1,
    "home-llm/homellm_en.tsv": 2,
}
LISTS = {"slurp/slurp_lm.txt": 1, "common-voice/cv_en.txt.gz": 1, "taskmaster/tm4_lm.txt": 1}
TRANSCRIPTS = "librispeech_train_clean_5 speechocean762 an4 kathleen synthetic".split()
# Of what is said to a device, about one in a hundred is a single word: "stop", "yes".
COMMANDS = {"speech_commands": 60, "custom_speech_commands": 60}


def words_of(text: str) -> list[str]:
    """Lower-case words of letters and apostrophes."""
    return re.sub(r"[^a-z' ]+", " ", text.lower()).split()


def dev_texts(kit: Path) -> dict[str, list[str]]:
    """Transcripts of the dev recordings by corpus: never trained on."""
    found = {}
    for manifest in sorted((kit / "speech").glob("*/manifest.tsv")):
        texts = [row["text"] for row in table(manifest) if row["split"] == "dev"]
        if texts:
            found[manifest.parent.name] = texts
    return found


def sentences(kit: Path) -> Iterator[tuple[list[str], int]]:
    """(words, weight) of every sentence, each once, less the dev transcripts of all corpora.

    A single word may be in both: it is no sentence, and a word of a small set is said by all.
    """
    every = (words_of(text) for texts in dev_texts(kit).values() for text in texts)
    seen = {" ".join(words) for words in every if len(words) > 1}
    for text, weight in _raw(kit):
        words = words_of(text)
        key = " ".join(words)
        if words and key not in seen:
            seen.add(key)
            yield words, weight


def _raw(kit: Path) -> Iterator[tuple[str, int]]:
    yield from _transcripts(kit, COMMANDS)
    for name, weight in TABLES.items():
        if (kit / "text" / name).exists():
            yield from ((row["text"], weight) for row in table(kit / "text" / name))
    for name, weight in LISTS.items():
        path = kit / "text" / name
        if path.exists():
            opener = gzip.open if path.suffix == ".gz" else open
            with opener(path, "rt", encoding="utf8") as file:
                yield from ((line, weight) for line in file)
    yield from _transcripts(kit, dict.fromkeys(TRANSCRIPTS, 1))


def _transcripts(kit: Path, weights: dict[str, int]) -> Iterator[tuple[str, int]]:
    for corpus, weight in weights.items():
        manifest = kit / "speech" / corpus / "manifest.tsv"
        if manifest.exists():
            yield from ((r["text"], weight) for r in table(manifest) if r["split"] == "train")


def book_counts(kit: Path, order: str) -> Counts:
    """(words, count) of the book tables: unigrams, bigrams or trigrams."""
    path = kit / "text" / "gutenberg" / f"{order}.tsv.xz"
    if path.exists():
        with lzma.open(path, "rt", encoding="utf8") as file:
            for line in file:
                words, _, count = line.rstrip("\n").partition("\t")
                yield tuple(words.split(" ")), int(count)
