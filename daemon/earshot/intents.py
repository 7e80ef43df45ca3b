"""A closed set of commands, as its owner writes it in TOML.

    [[intents.TurnOn]]
    sentences = ["turn on [the] {device} [in [the] {room}]", "(switch|put) [the] {device} on"]
    slots = { state = "on" }                       # what all of these sentences mean
    weight = 2.0                                   # how much likelier they are than others; 1

    [lists]
    room = ["kitchen", "living room"]
    device = [{ in = "[ceiling] (light|lamp)", out = "light.ceiling" }, "fan"]
    percent = { from = 0, to = 100, step = 5 }     # spoken as words

    [rules]
    please = "[please|would you]"

An intent may stand several times. A slot keeps the `out` text of what was said, or else the text of
`in`. `earshot.templates` tells how sentences, values and rules are written.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from earshot.counting import LARGEST, counted
from earshot.errors import LimitError, RequestError
from earshot.templates import Expression, Listed, Range, parse

MOST_BYTES = 65_536  # of the text
MOST_NUMBERS = 2_000  # in a range
_INTENTS, _LISTS, _RULES = "intents", "lists", "rules"
T = TypeVar("T")
Table = Mapping[str, Any]
Slots = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence template of an intent."""

    intent: str
    slots: Slots
    weight: float  # natural log
    expression: Expression
    where: str


@dataclass(frozen=True, slots=True)
class Value:
    """What may be said for a value of a list, and what it means."""

    said: Expression
    means: str


@dataclass(frozen=True, slots=True)
class Intents:
    """A closed set of commands: its sentences, and what their templates name."""

    sentences: tuple[Sentence, ...]
    lists: Mapping[str, tuple[Value, ...]]
    rules: Mapping[str, Expression]

    def rule(self, name: str, where: str) -> Expression:
        """What a rule says. Raises RequestError where there is none."""
        return _named(self.rules, name, where, "rule")

    def values(self, found: Listed | Range, where: str) -> tuple[Value, ...]:
        """What a list or a range holds. Raises RequestError where that is not to be had."""
        if isinstance(found, Range):
            return _numbers(found.first, found.last, found.step, where)
        return _named(self.lists, found.name, where, "list")


def _named(known: Mapping[str, T], name: str, where: str, kind: str) -> T:
    if name in known:
        return known[name]
    names = ", ".join(sorted(known)) or "none"
    message = f"{where}: there is no {kind} {name!r} in [{kind}s]; there is {names}"
    raise RequestError(message)


def text_of(path: Path, advice: str) -> str:
    """Read a file of templates. Raises RequestError, with the advice, where that cannot be."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: cannot be read: {error}; {advice}"
        raise RequestError(message) from None


def read(text: str, source: str) -> Intents:
    """Read the TOML of a closed set; `source` names it in errors. Raises RequestError."""
    if (size := len(text.encode())) > MOST_BYTES:
        raise LimitError(source, size, MOST_BYTES, "bytes")
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        message = f"{source}: not TOML: {error}"
        raise RequestError(message) from None
    _only(table, {_INTENTS: dict, _LISTS: dict, _RULES: dict}, source)
    sentences = [
        sentence
        for intent, groups in table.get(_INTENTS, {}).items()
        for group in (groups if isinstance(groups, list) else [groups])
        for sentence in _sentences(intent, group, f"{source}: {_INTENTS}.{intent}")
    ]
    if not sentences:
        message = f"{source}: no intent has a sentence; write [intents.NAME] sentences = [...]"
        raise RequestError(message)
    named = {n: _list(v, f"{source}: {_LISTS}.{n}") for n, v in table.get(_LISTS, {}).items()}
    rules = {n: _text(v, f"{source}: {_RULES}.{n}") for n, v in table.get(_RULES, {}).items()}
    return Intents(tuple(sentences), named, rules)


_NAMES = {dict: "a table", list: "a list", str: "a text", int: "a whole number"}


def _only(table: object, kinds: Mapping[str, type | tuple[type, ...]], where: str) -> Table:
    """A table that holds nothing but these kinds of values. Raises RequestError."""
    if not isinstance(table, dict):
        message = f"{where} must be a table, with {', '.join(kinds)}"
        raise RequestError(message)
    for key, value in table.items():
        if key not in kinds:
            message = f"{where}: {key} is not known; here may stand {', '.join(kinds)}"
            raise RequestError(message)
        kind = kinds[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            wanted = "a number" if isinstance(kind, tuple) else _NAMES[kind]
            message = f"{where}: {key} is {value!r}, but must be {wanted}"
            raise RequestError(message)
    return table


def _text(value: object, where: str) -> Expression:
    """A template. Raises RequestError."""
    if not isinstance(value, str):
        message = f"{where} is {value!r}, but must be a text"
        raise RequestError(message)
    return parse(value, where)


def _sentences(intent: str, group: object, where: str) -> list[Sentence]:
    table = _only(group, {"sentences": list, "slots": dict, "weight": (int, float)}, where)
    weight = float(table.get("weight", 1.0))
    if not (weight > 0 and math.isfinite(weight)):
        message = f"{where}: weight is {weight:g}, but must be above 0"
        raise RequestError(message)
    slots = tuple((name, _plain(value)) for name, value in table.get("slots", {}).items())
    return [
        Sentence(intent, slots, math.log(weight), _text(template, where), where)
        for template in table.get("sentences", [])
    ]


def _plain(value: object) -> str:
    """A value as the text of a slot; true and false as TOML writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _list(found: object, where: str) -> tuple[Value, ...]:
    if isinstance(found, dict):
        table = _only(found, {"from": int, "to": int, "step": int}, where)
        return _numbers(table.get("from", 0), table.get("to", 0), table.get("step", 1), where)
    if not isinstance(found, list) or not found:
        message = f"{where} must be a list of values, or a range {{ from = 0, to = 100 }}"
        raise RequestError(message)
    return tuple(_value(value, where) for value in found)


def _value(found: object, where: str) -> Value:
    if isinstance(found, str):
        return Value(_text(found, where), found)
    table = _only(found, {"in": str, "out": object}, where)
    if "in" not in table:
        message = f"{where}: a value is a text, or a table with in and out"
        raise RequestError(message)
    return Value(_text(table["in"], where), _plain(table.get("out", table["in"])))


def _numbers(first: int, last: int, step: int, where: str) -> tuple[Value, ...]:
    """The numbers of a range."""
    if not (-LARGEST <= first <= last <= LARGEST and step > 0):
        message = f"{where}: a range goes up, from {-LARGEST} to {LARGEST}, in steps above 0"
        raise RequestError(message)
    numbers = range(first, last + 1, step)
    if len(numbers) > MOST_NUMBERS:
        raise LimitError(where, len(numbers), MOST_NUMBERS, "numbers")
    return tuple(Value(parse(counted(number), where), str(number)) for number in numbers)
