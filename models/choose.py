"""Which texts may be spoken by machine, and which of them are worth most.

Never spoken are: a sentence of a dev recording of any corpus; a sentence that the text tables mark
as devel or test; a person's name that the kit withholds for tests of unseen names (README of the
kit: every fifth by its hash), unless the word is an ordinary one as well ("winter"); and a word in
no dictionary, since nobody could tell how it should have been said.

Of the sentences there are to choose from, every second one is drawn at random, and every second one
is that which covers most, for its length, of what was seldom said before: words, and pairs of
phones (lazy greedy maximisation of a submodular gain; Minoux, 1978).
"""

import hashlib
import heapq
import random
import re
from collections import Counter
from collections.abc import Hashable, Iterator
from itertools import pairwise
from pathlib import Path

from models.corpus import table
from models.lexicon import Dictionary
from models.texts import TABLES, book_counts, dev_texts, words_of

WITHHELD = 5  # every fifth name
# A name is an ordinary word as well if so much of it in the books follows such a word.
ORDINARY = 0.15
BEFORE_ORDINARY = frozenset(
    "the a an i he she they you we not very so his her my our their your its no this that these "
    "some any more too could can would will shall must".split()
)
# So are these, which books do not show to be.
ALSO_ORDINARY = frozenset("born her hey june just miles pounds".split())
# What a voice says as it is meant though it has no vowel.
SAYABLE = frozenset("a i cd dvd mr mrs pm tv".split())
_VOWEL = re.compile(r"..*[aeiouy]|[aeiouy].")


def is_withheld(name: str) -> bool:
    """Whether the kit keeps a name for tests: its README, "Unseen names"."""
    digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    return int(digest, 16) % WITHHELD == 0


def withheld(kit: Path) -> frozenset[str]:
    """Names that nobody may say: the withheld ones that are no ordinary words as well."""
    lists = sorted((kit / "text/names").glob("*.tsv"))
    names = {name for path in lists for row in table(path) if is_withheld(name := row["name"])}
    count, ordinary = Counter[str](), Counter[str]()
    for words, times in book_counts(kit, "bigrams"):
        if words[-1] in names:
            count[words[-1]] += times
            ordinary[words[-1]] += times * (words[0] in BEFORE_ORDINARY)
    known = {name for name in names if ordinary[name] > ORDINARY * count[name]}
    return frozenset(names - known - ALSO_ORDINARY)


def held_out(kit: Path) -> frozenset[str]:
    """Sentences kept for tests; a single word is none, everybody says it."""
    texts = [text for found in dev_texts(kit).values() for text in found]
    paths = [path for name in TABLES if (path := kit / "text" / name).exists()]
    texts += [row["text"] for path in paths for row in table(path) if row["split"] != "train"]
    every = (words_of(text) for text in texts)
    return frozenset(" ".join(words) for words in every if len(words) > 1)


class Rules:
    """What may be spoken."""

    def __init__(self, kit: Path) -> None:
        self.dictionary = Dictionary(kit)
        self._listed = self.dictionary.listed()
        self._held_out, self._withheld = held_out(kit), withheld(kit)

    def allow(self, text: str) -> bool:
        """Whether a text may be spoken; letters in it are capitals."""
        if " ".join(words_of(text)) in self._held_out:
            return False
        return all(token.isupper() or self._allow_word(token) for token in text.split())

    def _allow_word(self, word: str) -> bool:
        sayable = word in SAYABLE or bool(_VOWEL.match(word))
        stem = word.removesuffix("'s")
        # Not a word put together from parts: it may be misspelt.
        return (
            sayable
            and stem not in self._withheld
            and (word in self._listed or stem in self._listed)
        )


class Coverage:
    """How often what makes up texts was said so far."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary
        self._said: Counter[Hashable] = Counter()

    def _parts(self, text: str) -> tuple[set[Hashable], int]:
        """Words and pairs of phones of a text, and how many phones it has."""
        words = words_of(text)
        phones = [p for word in words for p in self._dictionary.pronunciations(word)[0]]
        return {*words, *pairwise(phones)}, len(phones)

    def gain(self, text: str) -> float:
        """What a text would add, for each of its phones."""
        parts, length = self._parts(text)
        return sum(1 / (1 + self._said[part]) for part in parts) / length

    def add(self, text: str) -> None:
        """Take note of a text that is said."""
        self._said.update(self._parts(text)[0])

    def order(self, pool: list[str], dice: random.Random) -> Iterator[str]:
        """Each text once: by turns the one that adds most, and any."""
        heap = [(-self.gain(text), i) for i, text in enumerate(pool)]
        heapq.heapify(heap)
        left = dict.fromkeys(dice.sample(range(len(pool)), len(pool)))
        while left:
            i = self._best(heap, pool, left)
            del left[i]
            yield pool[i]
            if left:
                i = next(iter(left))
                del left[i]
                yield pool[i]

    def _best(self, heap: list[tuple[float, int]], pool: list[str], left: dict[int, None]) -> int:
        """Take the best from the heap. A gain only shrinks, so few have to be looked at again."""
        while True:
            i = heapq.heappop(heap)[1]
            if i not in left:
                continue
            now = -self.gain(pool[i])
            if not heap or now <= heap[0][0]:
                return i
            heapq.heappush(heap, (now, i))
