"""The owner's names in the sounds of a bundle: phrases to favour, and words that its lexicon lacks.

A name is said as its "sounds like" spelling has it, else as the dictionary knows its words, else as
the grapheme-to-phoneme network guesses. People are also spoken of as owners ("Anna's").
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from earshot.dictionary import Dictionary
from earshot.entries import USUAL_WEIGHTS, Alias, Entry, Kind, KindWeights
from earshot.errors import LimitError, RequestError
from earshot.events import Named
from earshot.g2p import MOST_LETTERS
from earshot.saying import Words, ways
from earshot.sounds import OWNER, Sounds, Tokens

ATTENDED = 2  # sounds of one way to say a name that are attended to
CLASS = "$"  # begins the word of a language model that stands for all names of a kind
# How often an entry is called as its owner wrote it, by its first or its last word, as several; and
# a name so that something is its own. Guesses: no kit counts them.
WHOLE, FIRST, LAST, SEVERAL, OWNERS = 1.0, 0.3, 0.1, 0.02, 0.1
NONE = -1  # no word
HISSED = ("s", "x", "z", "ch", "sh")


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
    sounds: tuple[tuple[Named, Tokens], ...] = ()
    """how entries are called most, for a network that attends to them"""
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

    @property
    def way(self) -> tuple[Words, Words]:
        """As it is written and as it is said."""
        return self.written, self.said


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
    sounds = Sounds(list(words), dictionary, pause)
    own, phrases = _Own(), dict[Tokens, float]()
    for one in asked:
        if one.entry.kind is Kind.PHRASE:
            own.scatter(one, sounds)
        else:
            own.join(one, sounds)
        if one.share == WHOLE and not dictionary.knows(class_of(one.entry.kind)):
            for phrase in sounds.phrases(*one.way):
                phrases[phrase] = max(phrases.get(phrase, 0.0), one.weight)
    forms = dict.fromkeys(one.form for one in asked if one.share == WHOLE)
    return Names(
        tuple(phrases), tuple(phrases.values()), own.words(), tuple(forms),
        tuple(_heard(asked, sounds)), tuple(refused),
    )  # fmt: skip


def forms_of(entries: Sequence[Entry]) -> tuple[Form, ...]:
    """The words that entries are written in, where nothing has to be heard."""
    every = (one for entry in entries for one in _ways(entry, 1.0, []))
    return tuple(dict.fromkeys(one.form for one in every if one.share == WHOLE))


def _heard(asked: Sequence[_Name], sounds: Sounds) -> dict[tuple[Named, Tokens], None]:
    """How entries are called most; whole names first, and those that count more."""
    often = [one for one in asked if one.share >= FIRST and one.weight]
    often.sort(key=lambda one: (-one.share, -one.weight))
    return dict.fromkeys(
        (named_of(one.entry), tokens)
        for one in often
        for tokens in islice(sounds.phrases(*one.way), ATTENDED)
    )


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

    def join(self, one: _Name, sounds: Sounds) -> None:
        """Take up a name whose words come one after the other."""
        before = NONE
        for text, said in sounds.words(*one.way):
            before = self._add(one, before, text, said)
        self._whole.add(before)

    def scatter(self, one: _Name, sounds: Sounds) -> None:
        """Take up the words of a phrase, each of which may be said alone; known ones are known."""
        for text, said in sounds.words(*one.way):
            if one.written != one.said or not sounds.knows(text):
                self._whole.add(self._add(one, NONE, text, said))

    def words(self) -> tuple[OwnWord, ...]:
        """All of them; a word comes after those before it."""
        rows = zip(self._number, self._said, self._weight, self._share, strict=True)
        return tuple(
            OwnWord(text, kind, before, i in self._whole, tuple(said), *rest)
            for i, ((kind, before, text), said, *rest) in enumerate(rows)
        )
