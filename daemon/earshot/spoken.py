"""What patterns are made of: readers of spoken amounts, times, dates and letters.

A reader looks at lower-case words from a place on. It answers how they are written and the index
after the last of them, or None.
"""

from collections.abc import Callable, Container, Mapping

from earshot import wording
from earshot.numerals import (
    LONGEST,
    Number,
    Words,
    below_hundred,
    bound,
    cardinal,
    decade,
    figures,
    ordinal,
    two_figures,
    with_suffix,
    word,
    written,
    year,
)

Reading = tuple[str, int]
Reader = Callable[[Words, int], Reading | None]

TEN = wording.TEENS["ten"]
THIRD = 3  # the first ordinal that is no adverb or verb too
ROUND = wording.CARDINALS - {*wording.DIGITS, *wording.TEENS}  # "twenty second" may be an ordinal
SINGLES = 3  # so many figures one by one are a number without a word that says so
PHONE = 7  # so many are one even if some of them are said in pairs


def _within(
    read: Callable[[Words, int], Number | None],
    allowed: Container[int],
    write: Callable[[int], str] = str,
) -> Reader:
    def reader(words: Words, at: int) -> Reading | None:
        number = read(words, at)
        return (write(number[0]), number[1]) if number and number[0] in allowed else None

    return reader


def _table(texts: Mapping[str, str]) -> Reader:
    """Words and phrases of two words, by how they are written."""

    def reader(words: Words, at: int) -> Reading | None:
        for end in (at + 2, at + 1):
            phrase = " ".join(words[at:end])
            if end <= len(words) and phrase in texts:
                return texts[phrase], end
        return None

    return reader


def _any(*phrases: str) -> Reader:
    return _table({phrase: phrase for phrase in phrases})


_FULL_HOUR = _table({"oh oh": "00", "o o": "00", "zero zero": "00"})


def _time(hours: Reader, minutes: Container[int] = range(1, 60)) -> Reader:
    """Hour and minute: "seven thirty", "seven oh five"."""
    minute_of = _within(two_figures, minutes, "{:02}".format)

    def reader(words: Words, at: int) -> Reading | None:
        hour = hours(words, at)
        minute = hour and (_FULL_HOUR(words, hour[1]) or minute_of(words, hour[1]))
        return (f"{hour[0]}:{minute[0]}", minute[1]) if hour and minute else None

    return reader


_HOUR = _within(below_hundred, range(1, 13))
_HOUR24 = _within(below_hundred, range(1, 24))
_TIME = _time(_HOUR)


def _clock(words: Words, at: int) -> Reading | None:
    """Hour, and minute if one is said."""
    return _TIME(words, at) or _HOUR(words, at)


def _meridiem(words: Words, at: int) -> Reading | None:
    first, second = word(words, at), word(words, at + 1)
    if first == "pm" or (first == "am" and second not in {"i", "not"}):
        return first.upper(), at + 1
    return (f"{first.upper()}M", at + 2) if first in {"a", "p"} and second == "m" else None


def _month(words: Words, at: int) -> Reading | None:
    """Read the month of a date. Who may march, and what may be, is no month."""
    name, before = word(words, at), words[at - 1] if at else ""
    if name == "march" and before in wording.MARCHERS:
        return None
    if name == "may" and before not in wording.DATE_BEFORE:
        day = ordinal(words, at + 1 + (word(words, at + 1) == "the"))
        if day is None or (day[0] < THIRD and before not in wording.DATE_BEFORE_ORDINAL):
            return None
    text = wording.MONTHS.get(name) or wording.SHORT_MONTHS.get(name)
    return (text, at + 1) if text else None


def _with_article(words: Words, at: int) -> Number | None:
    """Read a cardinal, or "a hundred", "a thousand and one"."""
    if word(words, at) != "a" or word(words, at + 1) not in {"hundred", *wording.SCALES}:
        return cardinal(words, at)
    number = cardinal(["one", *words[at + 1 : at + 2 * LONGEST]], 0)
    return (number[0], at + number[1]) if number else None


def _mixed(words: Words, at: int) -> Reading | None:
    """Read "two and a half", "five and three quarters"."""
    number = cardinal(words, at)
    if number is None or word(words, number[1]) != "and":
        return None
    first = number[1] + 1
    fraction = wording.FRACTIONS.get(" ".join(words[first : first + 2]))
    return (f"{written(number[0])}{fraction}", first + 2) if fraction else None


def _decimal(words: Words, at: int) -> Reading | None:
    """Read "three point one four", "one oh seven point five", "two point zero point one"."""
    number = cardinal(words, at)
    if number and word(words, number[1]) == "point":
        text, end = written(number[0]), number[1]
    else:
        elements, end = figures(words, at)
        text = "".join(elements)
    points = 0
    while text and word(words, end) == "point":
        elements, after = figures(words, end + 1)
        if not elements or (len(elements) > 1 and max(map(len, elements)) > 1):
            break
        text, end, points = f"{text}.{''.join(elements)}", after, points + 1
    return (text, end) if points else None


_WHOLE = _within(_with_article, range(10**15), written)


def _quantity(words: Words, at: int) -> Reading | None:
    return _mixed(words, at) or _decimal(words, at) or _WHOLE(words, at)


def _several(words: Words, at: int) -> Reading | None:
    """Read any quantity but "one", which is a pronoun too."""
    quantity = _quantity(words, at)
    return quantity if quantity and quantity[0] != "1" else None


def _big(words: Words, at: int) -> Reading | None:
    """Read a whole number from ten on. "A hundred" alone is none: it is a manner of speaking."""
    number = _with_article(words, at)
    if number is None or number[0] < TEN or (word(words, at) == "a" and number[1] == at + 2):
        return None
    return written(number[0]), number[1]


def _ordinal(*, second: bool) -> Reader:
    """Ordinals from tenth on: those like "twenty second", which may be a time, or the others."""

    def reader(words: Words, at: int) -> Reading | None:
        number = ordinal(words, at)
        if number is None or number[0] < TEN or (words[number[1] - 1] == "second") != second:
            return None
        return with_suffix(number[0]), number[1]

    return reader


_MEASURES = _any(*wording.MEASURES)


def _measure(words: Words, at: int) -> Reading | None:
    if at and word(words, at) == "second" and words[at - 1] in ROUND:
        return None
    return _MEASURES(words, at)


def _temperature(words: Words, at: int) -> Reading | None:
    degrees = word(words, at) in {"degree", "degrees"}
    name = word(words, at + degrees)
    sign = wording.DEGREES.get(name) or (wording.DEGREE_LETTERS.get(name) if degrees else None)
    return (sign, at + degrees + 1) if sign else None


_LINKS = _any("to", "through", "until", "or", "and", "by")


def _link(words: Words, at: int) -> Reading | None:
    return None if bound(words, at) else _LINKS(words, at)


def _digits(words: Words, at: int) -> Reading | None:
    """Read figures that are a number by themselves, as of a telephone. Counting is none."""
    elements, end = figures(words, at)
    text = "".join(elements)
    singles = sum(len(element) == 1 for element in elements)
    paired = singles < len(elements)
    if paired and singles < SINGLES:  # "ten twenty two twenty thirty" may be a date
        return None
    enough = PHONE if paired else SINGLES + (word(words, at) in wording.OHS)
    steps = {int(text[i + 1]) - int(text[i]) for i in range(len(text) - 1)}
    return (text, end) if len(text) >= enough and steps not in ({1}, {-1}) else None


def _code(words: Words, at: int) -> Reading | None:
    """Read any figures after a word that says that they are a number: "room four twenty"."""
    elements, end = figures(words, at)
    return ("".join(elements), end) if len(elements) > 1 else None


def _letters(words: Words, at: int) -> Reading | None:
    """Read spelt letters. At their ends "a" may be an article and "i" somebody."""
    last = min(at + LONGEST, len(words))
    end = next((i for i in range(at, last) if words[i] not in wording.LETTERS), last)
    letters = "".join(words[at:end])
    if letters not in wording.SPELT and (at, end) != (0, len(words)):
        if letters[:1] in {"a", "i"} and (len(letters) <= SINGLES or letters[1:] in wording.SPELT):
            return None
        if letters[-1:] in {"a", "i"} and end < len(words):
            letters, end = letters[:-1], end - 1
    if len(letters) < 2:  # noqa: PLR2004 - one letter is none that was spelt
        return None
    known = letters in wording.SPELT
    return ("" if known else " ").join(letters.upper()), end


SLOTS: dict[str, Reader] = {
    # times
    "hour": _HOUR,
    "hour24": _HOUR24,
    "next_hour": _within(below_hundred, range(1, 13), lambda hour: str((hour - 2) % 12 + 1)),
    "past": _within(below_hundred, range(1, 30), "{:02}".format),
    "to": _within(below_hundred, range(1, 30), lambda minutes: str(60 - minutes)),
    "time": _TIME,
    "round_time": _time(_HOUR, range(0, 60, 5)),
    "time24": _time(_HOUR24),
    "clock": _clock,
    "meridiem": _meridiem,
    # dates
    "weekday": _table(wording.DAYS),
    "month": _month,
    "month_name": _table(
        {name: text for name, text in wording.MONTHS.items() if name not in wording.VERBS}
    ),
    "month_or_verb": _table({name: wording.MONTHS[name] for name in wording.VERBS}),
    "day": _within(cardinal, range(1, 32)),
    "nth": _within(ordinal, range(1, 32), with_suffix),
    "year": _within(year, range(1700, 2200)),
    "decade": _within(decade, range(1500, 2200), "{}s".format),
    # amounts
    "number": _within(cardinal, range(10**15), written),
    "whole": _WHOLE,
    "sum": _within(_with_article, range(10**6), written),
    "big": _big,
    "ordinal": _ordinal(second=False),
    "ordinal_second": _ordinal(second=True),
    "decimal": _decimal,
    "mixed": _mixed,
    "quantity": _quantity,
    "several": _several,
    "cents": _within(cardinal, range(1, 100), "{:02}".format),
    "pair": _within(below_hundred, range(10, 100)),
    "currency": _table(wording.CURRENCIES),
    "coin": _table(wording.COINS),
    "money": _table(wording.CURRENCIES | wording.COINS | wording.POUNDS),
    "percent": _table({"percent": "%", "per cent": "%"}),
    "temperature": _temperature,
    "degrees": _any("degree", "degrees"),
    "measure": _measure,
    "single": _any(*wording.SINGLE_MEASURES),
    "scale": _any(*wording.SCALES),
    "operator": _table(wording.OPERATORS),
    # strings
    "digits": _digits,
    "code": _code,
    "figure": _within(cardinal, range(10)),
    "letters": _letters,
    "abbreviation": _table(wording.ABBREVIATIONS),
    "pronoun": _table(wording.PRONOUNS),
    # words that stay, where the pattern has to tell which it was
    "the": _any("the"),
    "and": _any("and"),
    "span": _any("to", "through", "until", "till", "or"),
    "link": _link,
}
