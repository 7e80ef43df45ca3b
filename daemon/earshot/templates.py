r"""A sentence template, read: `turn (on|off) [the] {device} [in [the] {room}]`.

The syntax is Home Assistant's:

    (a|b) [a] (a; b)              one of them; perhaps; all of them in any order
    {name} {name:slot}            a value of a list, kept as a slot
    {0..100:slot} {0..100,5:slot} a number as it is spoken, in steps of one or of five
    <name>                        a rule: a template by its name
    \(                             a sign that is meant as it stands

Where there is no space, what stands together is one word: `light[s]`, `turn(s|ed)`.
"""

import re
from dataclasses import dataclass
from itertools import chain, permutations
from typing import NoReturn

from earshot.errors import LimitError, RequestError

MOST_CHARACTERS = 2_000  # of a template
DEEPEST = 16  # brackets within each other
MOST_IN_ANY_ORDER = 5  # 120 orders
CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}
_RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)(?:,(\d+))?")
_SIGNS = re.compile(r"[][(){}<>|;]")


@dataclass(frozen=True, slots=True)
class Text:
    """Text as it stands, spaces and all."""

    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Whatever a rule says."""

    name: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A value of a list, kept as a slot."""

    name: str
    slot: str


@dataclass(frozen=True, slots=True)
class Range:
    """A number from `first` to `last`, both among them, kept as a slot."""

    first: int
    last: int
    step: int
    slot: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other."""

    parts: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of them."""

    parts: "tuple[Expression, ...]"


Expression = Text | Rule | Listed | Range | Sequence | Choice
NOTHING = Sequence(())


def parse(template: str, where: str) -> Expression:
    """Read a template. Raises RequestError, which says `where` it stands and at which character."""
    if len(template) > MOST_CHARACTERS:
        raise LimitError(where, len(template), MOST_CHARACTERS, "characters")
    reader = _Reader(template, where)
    found = reader.group("", 0)
    if reader.at < len(template):
        reader.refuse(f"{template[reader.at]!r} closes nothing", reader.at)
    return found


class _Reader:
    """A template and how far it was read."""

    def __init__(self, template: str, where: str) -> None:
        self._template, self._where, self.at = template, where, 0

    def refuse(self, what: str, at: int) -> NoReturn:
        """Raise an error at a character."""
        message = f"{self._where}: {self._template!r}: {what} (character {at + 1})"
        raise RequestError(message)

    def _peek(self) -> str:
        return self._template[self.at : self.at + 1]

    def group(self, close: str, depth: int) -> Expression:
        """Read up to the sign that closes a group, or to the end where that is none."""
        began = self.at - 1
        if depth > DEEPEST:
            self.refuse(f"more than {DEEPEST} brackets within each other", began)
        branches, signs = [self._branch(depth)], set()
        while self._peek() in {"|", ";"}:
            signs.add(self._peek())
            self.at += 1
            branches.append(self._branch(depth))
        if close and self._peek() != close:
            self.refuse(f"{self._template[began]!r} is never closed", began)
        self.at += len(close)
        if len(signs) > 1:
            self.refuse("| and ; in one group; use brackets of their own", max(began, 0))
        return self._in_any_order(branches) if ";" in signs else _choice(branches)

    def _in_any_order(self, branches: list[Expression]) -> Expression:
        if len(branches) > MOST_IN_ANY_ORDER:
            raise LimitError(self._where, len(branches), MOST_IN_ANY_ORDER, "parts in any order")
        orders = permutations([Text(" "), branch, Text(" ")] for branch in branches)
        return _choice([Sequence(tuple(chain(*order))) for order in orders])

    def _branch(self, depth: int) -> Expression:
        """Read what stands one after the other."""
        parts: list[Expression] = []
        while (sign := self._peek()) and sign not in ")]|;":
            if sign in "(<[{":
                self.at += 1
                parts.append(self._bracket(sign, depth))
            elif sign in "}>":
                self.refuse(f"{sign!r} closes nothing", self.at)
            else:
                parts.append(self._text())
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _bracket(self, sign: str, depth: int) -> Expression:
        if sign in "([":
            inner = self.group(CLOSING[sign], depth + 1)
            return inner if sign == "(" else Choice((inner, NOTHING))
        began = self.at
        end = self._template.find(CLOSING[sign], began)
        name = self._template[began:end].strip()
        if end < 0 or _SIGNS.search(name):
            self.refuse(f"{sign!r} is never closed", began - 1)
        if not name:
            self.refuse(f"there is no name within {sign + CLOSING[sign]}", began - 1)
        self.at = end + 1
        return Rule(name) if sign == "<" else self._reference(name, began)

    def _reference(self, name: str, began: int) -> Expression:
        """What stands within { }: a list or a range, and a slot after a colon."""
        name, colon, slot = (part.strip() for part in name.partition(":"))
        if found := _RANGE.fullmatch(name):
            if not slot:
                self.refuse(f"say which slot keeps the number: {{{name}:slot}}", began)
            first, last, step = (int(number or 1) for number in found.groups())
            return Range(first, last, step, slot)
        if not name or (colon and not slot):
            self.refuse("a list and a slot are written {list:slot}", began)
        return Listed(name, slot or name)

    def _text(self) -> Text:
        """Read text up to the next sign."""
        letters = []
        while (sign := self._peek()) and not _SIGNS.match(sign):
            if sign == "\\":
                self.at += 1
            letters.append(self._peek())
            self.at += 1
        return Text("".join(letters))


def _choice(branches: list[Expression]) -> Expression:
    return branches[0] if len(branches) == 1 else Choice(tuple(branches))
