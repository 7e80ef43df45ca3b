"""Dictionary and alignments -> the bundle's lexicon: words, how each is said, and how often so.

    python -m models.lexicon --kit KIT --words words.txt --out lexicon [--g2p g2p.onnx]
        [--align ALIGNED]

Words in no dictionary are left out, or said as the network of models/g2p.py has it.
"""

import argparse
import gzip
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from earshot.errors import RequestError
from earshot.g2p import G2p

from models.corpus import TRAIN_SETS, aligned, table
from models.phones import PHONES

Phones = tuple[str, ...]
SIBILANTS = frozenset(("S", "Z", "SH", "ZH", "CH", "JH"))
VOICELESS = frozenset(("P", "T", "K", "F", "TH"))
LETTERS = "abcdefghijklmnopqrstuvwxyz"
SHORTEST_PART = 3  # letters of a part of a joined word
GUESSES = 2  # of a word in no dictionary at most
WITHIN = 1.0  # nats: a second guess much less likely than the first would only be in the way


def _plain(phones: Iterable[str]) -> Phones:
    """Without stress."""
    return tuple(re.sub(r"\d", "", phone) for phone in phones)


class Dictionary:
    """CMUdict, the kit's own words, and what can be put together from them."""

    def __init__(self, kit: Path) -> None:
        known: dict[str, list[Phones]] = defaultdict(list)
        with gzip.open(kit / "text/cmudict/cmudict.dict.gz", "rt", encoding="utf8") as file:
            for line in file:
                word, *phones = line.split("#")[0].split() or [""]
                if phones and _plain(phones) not in known[re.sub(r"\(\d+\)$", "", word)]:
                    known[re.sub(r"\(\d+\)$", "", word)].append(_plain(phones))
        extra = kit / "text/cmudict/kit_words.dict"
        for line in extra.read_text(encoding="utf8").splitlines() if extra.exists() else ():
            word, *phones = line.split()
            known.setdefault(word, [_plain(phones)])
        for letter in LETTERS:  # as it is spelt out, first; "a" is mostly the article
            spelt, said = known.get(letter + ".", []), known.get(letter, [])
            known[letter] = list(dict.fromkeys([*spelt, *said]))
        self._known = dict(known)

    def listed(self) -> dict[str, list[Phones]]:
        """Every word that is listed as a whole, with its pronunciations."""
        return dict(self._known)

    def pronunciations(self, word: str) -> list[Phones]:
        """All of a word, from its parts where the whole is not listed; [] where unknown."""
        if word in self._known:
            return self._known[word]
        if word.endswith("s'") and word[:-1] in self._known:
            return self._known[word[:-1]]
        for ending in ("'s", "s"):
            stem = word.removesuffix(ending)
            if stem != word and len(stem) > 1 and stem in self._known:
                return [plural(phones) for phones in self._known[stem]]
        for i in range(SHORTEST_PART, len(word) - SHORTEST_PART + 1):
            if word[:i] in self._known and word[i:] in self._known:
                return [self._known[word[:i]][0] + self._known[word[i:]][0]]
        return []


def plural(phones: Phones) -> Phones:
    """With the ending of a plural or possessive."""
    last = phones[-1]
    ending = ("IH", "Z") if last in SIBILANTS else ("S",) if last in VOICELESS else ("Z",)
    return (*phones, *ending)


def spoken(kit: Path, alignments: Path | None = None) -> dict[str, Counter[Phones]]:
    """How often each pronunciation was heard in the training recordings, as these are aligned."""
    counts: dict[str, Counter[Phones]] = defaultdict(Counter)
    for corpus in TRAIN_SETS:
        folder = kit / "speech" / corpus
        if not folder.exists():
            continue
        manifest = table(folder / "manifest.tsv")
        training = {row["path"] for row in manifest if row["split"] == "train"}
        for path, words in aligned(kit, corpus, alignments).items():
            for part in words.split() if path in training else ():
                word, _, phones = part.partition(":")
                counts[word][tuple(p.partition("@")[0] for p in phones.split(","))] += 1
    return counts


def shares(known: list[Phones], heard: Counter[Phones], prior: float = 2.0) -> dict[Phones, float]:
    """Natural log share of each pronunciation; where none was heard, the earlier the likelier."""
    weight = {phones: heard[phones] + prior / (1 + i) for i, phones in enumerate(known)}
    # The commonest costs nothing: variants must not make a word unlikely.
    best = max(weight.values())
    return {phones: math.log(value / best) for phones, value in weight.items()}


def guessed(
    g2p: G2p, word: str, count: int = GUESSES, within: float = WITHIN
) -> dict[Phones, float]:
    """Pronunciations of a word in no dictionary and their log shares; none for a sign like <s>."""
    try:
        found = g2p.pronounce(word, count)
    except RequestError:
        return {}
    best = found[0][1]
    return {phones: logp - best for phones, logp in found if logp >= best - within}


def main() -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--words", type=Path, required=True, help="vocabulary, a word a line")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--g2p", type=Path, help="g2p.onnx, for words in no dictionary")
    parser.add_argument("--align", type=Path, help="alignments of models.align, for how often")
    options = parser.parse_args()
    dictionary, heard = Dictionary(options.kit), spoken(options.kit, options.align)
    g2p = G2p(options.g2p) if options.g2p else None
    lines, guesses = [], 0
    for word in sorted(set(options.words.read_text(encoding="utf8").split())):
        known = [p for p in dictionary.pronunciations(word) if set(p) <= set(PHONES)]
        rows = shares(known, heard.get(word, Counter())) if known else {}
        if not rows and g2p:
            rows = guessed(g2p, word)
            guesses += bool(rows)
        lines += [f"{word}\t{share:.3f}\t{' '.join(phones)}\n" for phones, share in rows.items()]
    options.out.write_text("".join(lines), encoding="utf8")
    print(f"{options.out}: {len(lines)} pronunciations, {guesses} words guessed")


if __name__ == "__main__":
    main()
