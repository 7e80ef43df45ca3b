"""The owner's names in the sounds of a bundle: phrases to favour, and words that its lexicon lacks.

A name is said as its "sounds like" spelling has it, else as the dictionary knows its words, else as
the grapheme-to-phoneme network guesses. People are also spoken of as owners ("Anna's").
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import NamedTuple

from earshot.dictionary import Dictionary
from earshot.entries import USUAL_WEIGHTS, Alias, Entry, Kind, KindWeights
from earshot.errors import LimitError, RequestError
from earshot.events import Named
from earshot.g2p import MOST_LETTERS
from earshot.lexicon import WORD_END
from earshot.saying import Words, ways

MOST_SOUNDS = 4  # of one way to say a name
AT_ONCE = 16  # words between two pauses; one that must be guessed takes some milliseconds
CLASS = "$"  # begins the word of a language model that stands for all names of a kind
# How often an entry is called as its owner wrote it, by its first or its last word, as several; and
# a name so that something is its own. Guesses: no kit counts them.
WHOLE, FIRST, LAST, SEVERAL, OWNERS = 1.0, 0.3, 0.1, 0.02, 0.1
OWNER = "'s"
NONE = -1  # no word
VOICELESS = frozenset({"P", "T", "K", "F", "TH"})
HISSED = ("s", "x", "z", "ch", "sh")
HISSING = frozenset({"S", "Z", "SH", "ZH", "CH", "JH"})
Tokens = tuple[int, ...]


def class_of(kind: Kind) -> str:
    """The word of a language model that stands for all entries of a kind."""
    return CLASS + kind.value


class Refused(NamedTuple):
    """A name that cannot be favoured, and why."""

    name: str
    why: str


class Form(NamedTuple):
    """A name and the words that it is written in."""

    named: Named
    words: Words


def named_of(entry: Entry) -> Named:
    """An entry as events tell of it."""
    return Named(entry.kind.value, entry.name)


class OwnWord(NamedTuple):
    """A word of names of one kind, at its place: names that begin alike share their first words."""

    text: str
    kind: Kind
    before: int
    """the own word that comes before it in the name; NONE for the first of a name"""
    whole: bool
    """a name may end here"""
    said: tuple[Tokens, ...]
    weight: float = 1.0
    share: float = WHOLE
    """how often entries with it are called so, beside others of their names"""


@dataclass(frozen=True, slots=True)
class Names:
    """What a catalog brings to the search."""

    phrases: tuple[Tokens, ...] = ()  # where no class of the language model says where they belong
    weights: tuple[float, ...] = ()  # of each phrase
    words: tuple[OwnWord, ...] = ()
    forms: tuple[Form, ...] = ()
    refused: tuple[Refused, ...] = ()


class _Name(NamedTuple):
    """One way to say a name: words as they are written, and the words that they sound like."""

    entry: Entry
    weight: float
    written: Words
    said: Words
    share: float = WHOLE
    """how often an entry is called so"""

    @property
    def form(self) -> Form:
        """What it says, and of which entry."""
        return Form(named_of(self.entry), self.written)


def names_of(
    entries: Sequence[Entry],
    dictionary: Dictionary,
    weights: KindWeights = USUAL_WEIGHTS,
    pause: Callable[[], None] = lambda: None,
) -> Names:
    """All that entries bring. What cannot be said is refused, and the rest counts.

    `pause` is called after some words each; what it raises ends the work.
    """
    refused: list[Refused] = []
    asked = [one for entry in entries for one in _ways(entry, weights.of(entry), refused)]
    words = dict.fromkeys(word for one in asked for word in one.said)
    sounds = _Sounds(list(words), dictionary, pause)
    own, phrases = _Own(), dict[Tokens, float]()
    for one in asked:
        if one.entry.kind is Kind.PHRASE:
            own.scatter(one, sounds)
        else:
            own.join(one, sounds)
        if one.share == WHOLE and not dictionary.knows(class_of(one.entry.kind)):
            for phrase in sounds.phrases(one):
                phrases[phrase] = max(phrases.get(phrase, 0.0), one.weight)
    forms = dict.fromkeys(one.form for one in asked if one.share == WHOLE)
    return Names(tuple(phrases), tuple(phrases.values()), own.words(), tuple(forms), tuple(refused))


def _ways(entry: Entry, weight: float, refused: list[Refused]) -> Iterator[_Name]:
    """The ways to say an entry and its aliases."""
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
            yield from _forms(_Name(entry, weight, written, way))


def _forms(one: _Name) -> Iterator[_Name]:
    """A name, and what people make of it: "Anna's", "the Kowalskis", "Anna" alone, "two lamps"."""
    yield one
    kind = one.entry.kind
    if kind in {Kind.CONTACT, Kind.DEVICE}:
        several = (*one.written[:-1], plural(one.written[-1]))
        yield one._replace(written=several, said=_owner(one.said), share=SEVERAL)
    if kind is Kind.CONTACT:
        yield _of_owner(one)
        if 1 < len(one.written) == len(one.said):
            for part, share in ((slice(1), FIRST), (slice(-1, None), LAST)):
                alone = one._replace(written=one.written[part], said=one.said[part], share=share)
                yield from (alone, _of_owner(alone))


def _of_owner(one: _Name) -> _Name:
    written, said = _owner(one.written), _owner(one.said)
    return one._replace(written=written, said=said, share=one.share * OWNERS)


def _owner(words: Words) -> Words:
    """Words with the last one as an owner."""
    return (*words[:-1], words[-1] + OWNER)


def plural(word: str) -> str:
    """More than one of it; in English it sounds as its owner does."""
    return word + ("es" if word.endswith(HISSED) else "s")


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

    def phrases(self, one: _Name) -> Iterator[Tokens]:
        """The likeliest tokens of a name."""
        for sounds in islice(product(*(self._known[word] for word in one.said)), MOST_SOUNDS):
            tokens = tuple(token for word in sounds for token in word)
            yield tokens if len(one.written) == len(one.said) else self._one_word(tokens)

    def _one_word(self, tokens: Tokens) -> Tokens:
        """Tokens without the marks of words that end inside."""
        names = (self._symbols[token].removesuffix(WORD_END) for token in tokens[:-1])
        return (*(self._token[name] for name in names), tokens[-1])

    def words(self, one: _Name) -> Iterator[tuple[str, list[Tokens]]]:
        """Each word of a name as it is written, with its pronunciations.

        Where it is said in another number of words, all of it is one word.
        """
        if len(one.written) == len(one.said):
            for word, said in zip(one.written, one.said, strict=True):
                yield word, self._known[said]
        else:
            yield " ".join(one.written), list(self.phrases(one))


class _Own:
    """The words of names while they are gathered."""

    def __init__(self) -> None:
        self._number: dict[tuple[Kind, int, str], int] = {}
        self._said: list[dict[Tokens, None]] = []
        self._weight: list[float] = []
        self._share: list[float] = []
        self._whole: set[int] = set()

    def _add(self, one: _Name, before: int, text: str, said: Sequence[Tokens]) -> int:
        number = self._number.setdefault((one.entry.kind, before, text), len(self._number))
        if number == len(self._said):
            self._said.append({})
            self._weight.append(0.0)
            self._share.append(0.0)
        self._said[number] |= dict.fromkeys(said)
        self._weight[number] = max(self._weight[number], one.weight)
        self._share[number] = max(self._share[number], one.share)
        return number

    def join(self, one: _Name, sounds: _Sounds) -> None:
        """Take up a name whose words come one after the other."""
        before = NONE
        for text, said in sounds.words(one):
            before = self._add(one, before, text, said)
        self._whole.add(before)

    def scatter(self, one: _Name, sounds: _Sounds) -> None:
        """Take up the words of a phrase, each of which may be said alone; known ones are known."""
        for text, said in sounds.words(one):
            if one.written != one.said or not sounds.knows(text):
                self._whole.add(self._add(one, NONE, text, said))

    def words(self) -> tuple[OwnWord, ...]:
        """All of them; a word comes after those before it."""
        rows = zip(self._number, self._said, self._weight, self._share, strict=True)
        return tuple(
            OwnWord(text, kind, before, i in self._whole, tuple(said), *rest)
            for i, ((kind, before, text), said, *rest) in enumerate(rows)
        )
