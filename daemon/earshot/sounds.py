"""How names sound: the likeliest pronunciations of their words, and of owners.

The lexicon knows them, or the grapheme-to-phoneme network guesses.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice, product

from earshot.dictionary import Dictionary
from earshot.lexicon import WORD_END
from earshot.saying import Words

MOST_SOUNDS = 4  # of one way to say a name
AT_ONCE = 16  # words between two pauses; one that must be guessed takes some milliseconds
OWNER = "'s"
VOICELESS = frozenset({"P", "T", "K", "F", "TH"})
HISSING = frozenset({"S", "Z", "SH", "ZH", "CH", "JH"})
Tokens = tuple[int, ...]


def _owned(word: str) -> str:
    return word.removesuffix(OWNER)


def _pronounced(words: Sequence[str], dictionary: Dictionary) -> dict[str, list[Tokens]]:
    """Pronunciations of words, the likeliest first."""
    rows = dictionary.said(words, "the catalog")
    columns = (rows.word.tolist(), rows.tokens.tolist(), rows.share.tolist())
    found: dict[str, list[tuple[float, Tokens]]] = {word: [] for word in words}
    for number, tokens, share in zip(*columns, strict=True):
        found[words[number]].append((-share, tuple(t for t in tokens if t)))
    return {word: [tokens for _, tokens in sorted(several)] for word, several in found.items()}


class Sounds:
    """The likeliest pronunciations of words, and of names made of them."""

    def __init__(
        self, words: Sequence[str], dictionary: Dictionary, pause: Callable[[], None]
    ) -> None:
        self._symbols = dictionary.symbols
        self._token = dictionary.token
        self.knows = dictionary.knows
        owners = {word for word in words if word.endswith(OWNER) and not dictionary.knows(word)}
        plain = list(dict.fromkeys(_owned(word) if word in owners else word for word in words))
        self._known: dict[str, list[Tokens]] = {}
        for first in range(0, len(plain), AT_ONCE):
            self._known |= _pronounced(plain[first : first + AT_ONCE], dictionary)
            pause()
        for word in owners:
            self._known[word] = [self._owner(tokens) for tokens in self._known[_owned(word)]]

    def _owner(self, tokens: Tokens) -> Tokens:
        """Tokens of a word and of the "'s" after it, whose sound is told by the one before."""
        last = self._symbols[tokens[-1]].removesuffix(WORD_END)
        sound = ["IH", "Z"] if last in HISSING else ["S"] if last in VOICELESS else ["Z"]
        sound[-1] += WORD_END
        return (*tokens[:-1], self._token[last], *(self._token[phone] for phone in sound))

    def phrases(self, written: Words, said: Words) -> Iterator[Tokens]:
        """The likeliest tokens of a name."""
        for sounds in islice(product(*(self._known[word] for word in said)), MOST_SOUNDS):
            tokens = tuple(token for word in sounds for token in word)
            yield tokens if len(written) == len(said) else self._one_word(tokens)

    def _one_word(self, tokens: Tokens) -> Tokens:
        """Tokens without the marks of words that end inside."""
        names = (self._symbols[token].removesuffix(WORD_END) for token in tokens[:-1])
        return (*(self._token[name] for name in names), tokens[-1])

    def words(self, written: Words, said: Words) -> Iterator[tuple[str, list[Tokens]]]:
        """Each word of a name as it is written, with its pronunciations.

        Where it is said in another number of words, all of it is one word.
        """
        if len(written) == len(said):
            for word, sound in zip(written, said, strict=True):
                yield word, self._known[sound]
        else:
            yield " ".join(written), list(self.phrases(written, said))
