"""Whole numbers as they are spoken in English, written as sentence templates."""

from earshot.wording import DIGITS, TEENS, TENS

LARGEST = 999_999
_NAMES = {value: word for word, value in (DIGITS | TEENS | TENS).items()}
_HUNDRED, _THOUSAND = 100, 1_000


def counted(number: int) -> str:
    """Say a number from -LARGEST to LARGEST: 105 is `(one|a) hundred [and] five`."""
    if number < 0:
        return f"(minus|negative) {counted(-number)}"
    if number in _NAMES:
        return _NAMES[number]
    if number < _HUNDRED:
        return f"{_NAMES[number - number % 10]} {_NAMES[number % 10]}"
    unit, name = (_THOUSAND, "thousand") if number >= _THOUSAND else (_HUNDRED, "hundred")
    count, rest = divmod(number, unit)
    said = f"{'(one|a)' if count == 1 else counted(count)} {name}"
    between = " [and] " if rest < _HUNDRED else " "
    return said + (between + counted(rest) if rest else "")
