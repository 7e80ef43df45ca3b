"""How what is written is said: the words of a name, in one or more ways, for a dictionary.

"Bedroom 2" is "bedroom two", "TV" is "t v", "1999" is said in pairs or as a whole. Signs that
nobody says are left out, emoji among them; a letter that English has no sound for is refused.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import islice, product

from earshot.counting import LARGEST, counted
from earshot.errors import RequestError
from earshot.wording import DIGITS, LETTERS, ORDINALS

MOST_WAYS = 4  # of one name
SPELT = range(2, 5)  # letters of a word in capitals that may be said one by one
Words = tuple[str, ...]

_SAID = {"&": "and", "+": "plus", "%": "percent", "@": "at", "°": "degrees"}
_APOSTROPHES = str.maketrans("\u2018\u2019\u02bc`´", "'''''")
# Latin letters that are no letter and a mark.
_LATIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ß": "ss"}
)
_DIGIT = {value: word for word, value in DIGITS.items()}
_ORDINAL = {cardinal: ordinal for ordinal, cardinal in ORDINALS.items()}
_PART = re.compile(
    r"\d+(?:st|nd|rd|th)\b|\d+(?:\.\d+)?|[^\W\d_]+(?:'[^\W\d_]+)*'?|[&+%@°]", re.IGNORECASE
)
_PAIRED = range(1100, 2100)  # numbers that may be years or houses: "nineteen ninety nine"
_LONG = 3  # digits, from which they may also be said one by one
_VOWELS = frozenset("aeiouy")


def ways(text: str) -> list[Words]:
    """The likeliest ways to say a text, at most MOST_WAYS. Raises RequestError for none."""
    parts = [_part(found[0], text) for found in _PART.finditer(text.translate(_APOSTROPHES))]
    if not parts:
        message = f"{text!r}: there is nothing to say; give how it sounds"
        raise RequestError(message)
    every = (tuple(word for part in way for word in part) for way in product(*parts))
    return list(islice(dict.fromkeys(every), MOST_WAYS))


def _part(part: str, text: str) -> list[Words]:
    """The ways to say a word, a number or a sign."""
    if part in _SAID:
        return [(_SAID[part],)]
    if part[0].isdecimal():
        return list(_number(part.lower()))
    word = _plain(part)
    if strange := next((c for c in word if c != "'" and c not in LETTERS), ""):
        message = f"{text!r}: {strange!r} is no letter to say in English; give how it sounds"
        raise RequestError(message)
    if part.isupper() and len(word) in SPELT and word.isalpha():
        spelt = tuple(word)
        return [spelt] if not _VOWELS & set(word) else [(word,), spelt]
    return [(word,)]


def _plain(word: str) -> str:
    """Small letters without marks."""
    return unmarked(word.casefold().translate(_LATIN))


def unmarked(text: str) -> str:
    """Letters without their accents and other marks."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(c for c in apart if not unicodedata.combining(c))


def _number(part: str) -> Iterator[Words]:
    """A number as a whole, in pairs where it may be a year, or digit by digit."""
    digits, _, rest = part.partition(".")
    if not digits.isdecimal():
        yield _ordinal(int(digits[:-2]))
        return
    value = int(digits)
    tail = ("point", *_each(rest)) if rest else ()
    whole = value <= LARGEST and (digits == "0" or digits[0] != "0")
    if whole and value in _PAIRED and not rest:
        head, pair = divmod(value, 100)
        low = (
            ("hundred",)
            if not pair
            else ("oh", _DIGIT[pair])
            if pair in _DIGIT
            else _cardinal(pair)
        )
        yield _cardinal(head) + low
    if whole:
        yield _cardinal(value) + tail
    if not whole or len(digits) >= _LONG:
        yield _each(digits) + tail


def _each(digits: str) -> Words:
    return tuple(_DIGIT[int(digit)] for digit in digits)


def _cardinal(value: int) -> Words:
    """The plainest way: "one hundred five"."""
    return tuple(counted(value).replace("(one|a)", "one").replace("[and] ", "").split())


def _ordinal(value: int) -> Words:
    *words, last = _cardinal(value) if value <= LARGEST else _each(str(value))
    return (*words, _ORDINAL.get(last, last))
