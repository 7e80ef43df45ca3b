"""English numbers: how they are said and written.

A reader takes words, in lower case, from a place on. It answers what they say and where it ends, or
None if there is no number. All are greedy and look at some twenty words at most.

`text2num` (MIT) was weighed and left: it hears "three hundred and four hundred" as 304 and 100,
"twenty twenty six" as 20 and 26, and knows no clock, so this grammar would stand beside it anyway.
"""

import math
from collections.abc import Sequence

from earshot.wording import CARDINALS, DECADES, DIGITS, OHS, ORDINALS, REPEATS, SCALES, TEENS, TENS

Words = Sequence[str]
Number = tuple[int, int]  # the value, and the index after its last word
LONGEST = 20  # words of a number
COMMA = 10_000  # from here on numbers are written with one
YEARS = range(1500, 2200)  # what "nineteen hundred" and "two thousand and six" are as years


def word(words: Words, at: int) -> str:
    """Give the word at a place; "" beyond the end."""
    return words[at] if at < len(words) else ""


def below_hundred(words: Words, at: int) -> Number | None:
    """Read 1 to 99: "seven", "seventeen", "seventy", "seventy one"."""
    first = word(words, at)
    value = TENS.get(first)
    if value is None:
        value = TEENS.get(first) or DIGITS.get(first, 0)
        return (value, at + 1) if value else None
    unit = DIGITS.get(word(words, at + 1), 0)
    return value + unit, at + 1 + (unit > 0)


def _group(words: Words, at: int) -> Number | None:
    """Read 1 to 9999 as far as it can be said in hundreds: "nineteen hundred and five"."""
    head = below_hundred(words, at)
    if head is None or word(words, head[1]) != "hundred":
        return head
    value, end = 100 * head[0], head[1] + 1
    rest = below_hundred(words, end + (word(words, end) == "and"))
    if rest is None or word(words, rest[1]) == "hundred":  # "three hundred and four hundred"
        return value, end
    return value + rest[0], rest[1]


def cardinal(words: Words, at: int) -> Number | None:
    """Read "zero", "two hundred and five", "twenty one", "three million five hundred"."""
    if word(words, at) == "zero":
        return 0, at + 1
    total, end, limit = 0, at, math.inf
    while limit > 1:
        linked = end > at and word(words, end) == "and"
        group = _group(words, end + linked)
        if group is None:
            break
        value, after = group
        scale = SCALES.get(word(words, after), 1) if value < SCALES["thousand"] else 1
        if value * scale >= limit or (linked and value * scale >= 100):  # noqa: PLR2004 - and five
            break
        total, end, limit = total + value * scale, after + (scale > 1), scale
    return (total, end) if end > at else None


def ordinal(words: Words, at: int) -> Number | None:
    """Read "first", "twenty first", "one hundred and fifth"."""
    for end in range(at, min(at + LONGEST, len(words))):
        if last := ORDINALS.get(words[end]):
            spoken = [*words[at:end], last]
            number = cardinal(spoken, 0)
            return (number[0], end + 1) if number and number[1] == len(spoken) else None
        if words[end] not in CARDINALS and words[end] != "and":
            return None
    return None


def year(words: Words, at: int) -> Number | None:
    """Read "nineteen eighty four", "twenty oh six", "two thousand and six": 1000 to 2199."""
    century = _century(words, at)
    if century and (rest := two_figures(words, at + 1)):
        return 100 * century + rest[0], rest[1]
    number = cardinal(words, at)
    return number if number and number[0] in YEARS else None


def decade(words: Words, at: int) -> Number | None:
    """Read "nineteen eighties"."""
    century, rest = _century(words, at), DECADES.get(word(words, at + 1))
    return (100 * century + rest, at + 2) if century and rest else None


def _century(words: Words, at: int) -> int:
    first = word(words, at)
    return 20 if first == "twenty" else TEENS.get(first, 0)


def two_figures(words: Words, at: int) -> Number | None:
    """Read what stands for two figures, 01 to 99: "oh five", "zero five", "fifty five"."""
    if word(words, at) in {*OHS, "zero"}:
        unit = DIGITS.get(word(words, at + 1), 0)
        return (unit, at + 2) if unit else None
    number = below_hundred(words, at)
    return number if number and number[0] >= TEENS["ten"] else None


def bound(words: Words, at: int) -> bool:
    """Whether a word ties two numbers into one: "four or five hundred", "two and twenty"."""
    if at < 1 or words[at - 1] not in DIGITS or word(words, at + 1) not in CARDINALS:
        return False
    if word(words, at) == "and":
        return word(words, at + 1) in TENS and word(words, at + 2) not in CARDINALS
    return word(words, at) in {"or", "to"} and word(words, at + 2) in {"hundred", *SCALES}


def figures(words: Words, at: int) -> tuple[list[str], int]:
    """Read figures said one after the other: each element as digits, and where they end.

    "four one two" is 4 1 2, "double seven oh" 7 7 0, "eight hundred five five five" 800 5 5 5.
    """
    found: list[str] = []
    end = at
    while len(found) < LONGEST and (elements := _elements(words, end)):
        texts, end = elements
        found.extend(texts)
    return found, end


def _elements(words: Words, at: int) -> tuple[list[str], int] | None:
    first, second = word(words, at), word(words, at + 1)
    if first in REPEATS and second in {*DIGITS, *OHS}:
        return [str(DIGITS.get(second, 0))] * REPEATS[first], at + 2
    if second == "hundred" and first in DIGITS and {*words[at + 2 : at + 5]} <= {*DIGITS, *OHS}:
        return [f"{DIGITS[first]}00"], at + 2
    if first in OHS or first == "zero":
        return ["0"], at + 1
    number = below_hundred(words, at)
    return ([str(number[0])], number[1]) if number else None


def written(value: int) -> str:
    """Write a whole number: 21, 2050, 10,500, 3 million. Four figures may be a year: no comma."""
    for name, scale in reversed(SCALES.items()):
        if scale > SCALES["thousand"] and value and value % scale == 0:
            return f"{value // scale} {name}"
    return f"{value:,}" if value >= COMMA else str(value)


def with_suffix(value: int) -> str:
    """Write an ordinal: 1st, 2nd, 11th, 23rd."""
    teen = value // 10 % 10 == 1
    suffix = "th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return (f"{value:,}" if value >= COMMA else str(value)) + suffix
