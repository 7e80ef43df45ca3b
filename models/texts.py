"""The texts of the kit for language models: sentences by domain, less all that is tested on."""

import gzip
import lzma
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from models.corpus import table

Counts = Iterator[tuple[tuple[str, ...], int]]
Texts = Mapping[str, list[list[str]]]  # sentences of each source, as words

# Tables, lists and transcripts, and the source of the language model that each is part of: what
# is said in the same way is counted together.
TABLES = {
    "nlu-eval/nlu_eval.tsv.gz": "assistant",
    "slurp/slurp_devel_test.tsv": "assistant",
    "massive-en/massive_en.tsv.gz": "assistant",
    "clinc150/clinc150.tsv.gz": "requests",
    "snips/snips2017.tsv.gz": "requests",
    "ohf-intents/ohf_en_sampled.tsv.gz": "home",
    "home-llm/homellm_en.tsv": "home",
}
LISTS = {
    "slurp/slurp_lm.txt": "assistant",
    "common-voice/cv_en.txt.gz": "read",
    "taskmaster/tm4_lm.txt": "orders",
}
SINGLE = "single"  # the source of words that are said alone
ALONE = {"speech_commands": SINGLE, "custom_speech_commands": SINGLE}
TRANSCRIPTS = {
    "librispeech_train_clean_5": "prose",
    "kathleen": "prose",
    "speechocean762": "plain",
    "an4": "spelt",
    "synthetic": "calls",
}


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


def sentences(kit: Path) -> Iterator[tuple[list[str], str]]:
    """(words, source) of every sentence, each once, less the dev transcripts of all corpora.

    A single word may be in both: it is no sentence, and a word of a small set is said by all.
    """
    every = (words_of(text) for texts in dev_texts(kit).values() for text in texts)
    seen = {" ".join(words) for words in every if len(words) > 1}
    for text, source in _raw(kit):
        words = words_of(text)
        key = " ".join(words)
        if words and key not in seen:
            seen.add(key)
            yield words, source


def _raw(kit: Path) -> Iterator[tuple[str, str]]:
    yield from _transcripts(kit, ALONE)
    for name, source in TABLES.items():
        if (kit / "text" / name).exists():
            yield from ((row["text"], source) for row in table(kit / "text" / name))
    for name, source in LISTS.items():
        path = kit / "text" / name
        if path.exists():
            opener = gzip.open if path.suffix == ".gz" else open
            with opener(path, "rt", encoding="utf8") as file:
                yield from ((line, source) for line in file)
    yield from _transcripts(kit, TRANSCRIPTS)


def _transcripts(kit: Path, sources: dict[str, str]) -> Iterator[tuple[str, str]]:
    for corpus, source in sources.items():
        manifest = kit / "speech" / corpus / "manifest.tsv"
        if manifest.exists():
            yield from ((r["text"], source) for r in table(manifest) if r["split"] == "train")


def book_counts(kit: Path, order: str) -> Counts:
    """(words, count) of the book tables: unigrams, bigrams or trigrams."""
    path = kit / "text" / "gutenberg" / f"{order}.tsv.xz"
    if path.exists():
        with lzma.open(path, "rt", encoding="utf8") as file:
            for line in file:
                words, _, count = line.rstrip("\n").partition("\t")
                yield tuple(words.split(" ")), int(count)
