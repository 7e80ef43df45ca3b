"""Sentences drawn from templates, and which slot each of their words is part of."""

import random
from dataclasses import dataclass
from functools import cache

from earshot import templates as parts
from earshot.counting import counted
from earshot.templates import Expression, parse

from models.templates import LISTS, RULES, Lists
from models.texts import words_of

# Slots of the templates, and what of models.templates fills them.
FILLED = {
    "person": "(<person>|{given}|<relative>)",
    "span": "<span>",
    "time": "(<time>|<time>|<when_at>)",
    "message": "(<news>|{task}|i (will|am going to) {task}|the {food} (is|are) ready)",
}
MORE = {
    "when_at": "<time> (tomorrow|today|tonight|on <day>|on <day> (morning|evening))",
    "relative": "(mom|mum|dad|my (wife|husband|brother|sister|boss|mother|father))",
}
_RULES = {**RULES, **MORE}


@dataclass(frozen=True, slots=True)
class Drawn:
    """Words, and the slot of each; empty for none."""

    words: tuple[str, ...]
    slots: tuple[str, ...]


@cache
def _parsed(template: str) -> Expression:
    return parse(template, "a template")


def drawn(template: str, lists: Lists, dice: random.Random) -> Drawn:
    """Draw a sentence. Raises LookupError where a list is empty."""
    pieces = list(_pieces(_parsed(template), "", {**LISTS, **lists}, dice))
    pairs = [(word, slot) for text, slot in pieces for word in words_of(text)]
    return Drawn(tuple(word for word, _ in pairs), tuple(slot for _, slot in pairs))


def _pieces(  # noqa: PLR0911 - one answer for each kind of part
    part: Expression, slot: str, lists: Lists, dice: random.Random
) -> list[tuple[str, str]]:
    """Texts of a part, each with the slot that it is in."""
    match part:
        case parts.Text(text):
            return [(text, slot)]
        case parts.Rule(name):
            return _pieces(_parsed(_RULES[name]), slot, lists, dice)
        case parts.Listed(name, _) if name in FILLED:
            return _pieces(_parsed(FILLED[name]), slot or name, lists, dice)
        case parts.Listed(name, _):
            return [(dice.choice(lists[name]), slot)]
        case parts.Range(first, last, step, _):
            return [(counted(dice.randrange(first, last + 1, step)), slot)]
        case parts.Sequence(several):
            return [piece for one in several for piece in _pieces(one, slot, lists, dice)]
        case parts.Choice(several):
            return _pieces(dice.choice(several), slot, lists, dice)
