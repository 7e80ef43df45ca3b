"""The owner's names in the sounds of a bundle: phrases to favour, and words that its lexicon lacks.

A name is said as its "sounds like" spelling has it, else as the dictionary knows its words, else as
the grapheme-to-phoneme network guesses. People are also spoken of as owners ("Anna's").
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import NamedTuple

from earshot.dictionary import Dictionary
from earshot.entries import Alias, Entry, Kind
from earshot.errors import LimitError, RequestError
from earshot.g2p import MOST_LETTERS
from earshot.lexicon import WORD_END
from earshot.saying import Words, ways

MOST_SOUNDS = 4  # of one way to say a name
AT_ONCE = 16  # words between two pauses; one that must be guessed takes some milliseconds
OWNER = "'s"
VOICELESS = frozenset({"P", "T", "K", "F", "TH"})
HISSING = frozenset({"S", "Z", "SH", "ZH", "CH", "JH"})
Tokens = tuple[int, ...]


class Refused(NamedTuple):
    """A name that cannot be favoured, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Names:
    """What a catalog brings to the search."""

    phrases: tuple[Tokens, ...] = ()
    weights: tuple[float, ...] = ()  # of each phrase
    words: tuple[str, ...] = ()  # beyond those of the language model
    spoken: tuple[tuple[str, Tokens], ...] = ()  # words, known or new, as the catalog says them
    refused: tuple[Refused, ...] = ()


class _Name(NamedTuple):
    """One way to say a name: words as they are written, and the words that they sound like."""

    written: Words
    said: Words
    weight: float


def names_of(
    entries: Sequence[Entry], dictionary: Dictionary, pause: Callable[[], None] = lambda: None
) -> Names:
    """All that entries bring. What cannot be said is refused, and the rest counts.

    `pause` is called after some words each; what it raises ends the work.
    """
    refused: list[Refused] = []
    asked = [one for entry in entries for one in _ways(entry, refused)]
    words = dict.fromkeys(word for one in asked for word in one.said)
    sounds = _Sounds(list(words), dictionary, pause)
    spoken: dict[tuple[str, Tokens], None] = {}
    phrases: dict[Tokens, float] = {}
    for one in asked:
        spoken |= dict.fromkeys(sounds.words(one))
        for phrase in sounds.phrases(one):
            phrases[phrase] = max(phrases.get(phrase, 0.0), one.weight)
    new = dict.fromkeys(word for word, _ in spoken if not dictionary.knows(word))
    weights = tuple(phrases.values())
    return Names(tuple(phrases), weights, tuple(new), tuple(spoken), tuple(refused))


def _ways(entry: Entry, refused: list[Refused]) -> Iterator[_Name]:
    """The ways to say an entry and its aliases."""
    weight = 1.0 if entry.weight is None else entry.weight
    for alias in (Alias(entry.name, entry.said), *entry.aliases):
        try:
            said = ways(alias.said or alias.name)
        except RequestError as error:
            refused.append(Refused(alias.name, str(error)))
            continue
        if long := [word for way in said for word in way if len(word) > MOST_LETTERS]:
            why = str(LimitError(long[0][:24] + "…", len(long[0]), MOST_LETTERS, "letters"))
            refused.append(Refused(alias.name, why))
            continue
        for way in said:
            written = way if not alias.said else tuple(alias.name.casefold().split())
            yield _Name(written, way, weight)
            if entry.kind is Kind.CONTACT:
                yield _Name(_owner(written), _owner(way), weight)


def _owner(words: Words) -> Words:
    """Words with the last one as an owner."""
    return (*words[:-1], words[-1] + OWNER)


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


class _Sounds:
    """The likeliest pronunciations of words, and of names made of them."""

    def __init__(
        self, words: Sequence[str], dictionary: Dictionary, pause: Callable[[], None]
    ) -> None:
        self._symbols = dictionary.symbols
        self._token = dictionary.token
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

    def phrases(self, one: _Name) -> Iterator[Tokens]:
        """The likeliest tokens of a name."""
        for sounds in islice(product(*(self._known[word] for word in one.said)), MOST_SOUNDS):
            tokens = tuple(token for word in sounds for token in word)
            yield tokens if len(one.written) == len(one.said) else self._one_word(tokens)

    def _one_word(self, tokens: Tokens) -> Tokens:
        """Tokens without the marks of words that end inside."""
        names = (self._symbols[token].removesuffix(WORD_END) for token in tokens[:-1])
        return (*(self._token[name] for name in names), tokens[-1])

    def words(self, one: _Name) -> Iterator[tuple[str, Tokens]]:
        """Each word of a name as it is written, with its pronunciations.

        Where it is said in another number of words, all of it is one word.
        """
        if len(one.written) == len(one.said):
            for word, said in zip(one.written, one.said, strict=True):
                yield from ((word, tokens) for tokens in self._known[said])
        else:
            yield from ((" ".join(one.written), tokens) for tokens in self.phrases(one))
