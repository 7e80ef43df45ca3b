"""How words are written: numbers, times, dates, money, measures, letters. A view; the words stay.

`formatted("wake me at seven thirty p m".split())` has the text "wake me at 7:30 PM", and the pieces
that it is made of; each tells which words it stands for, so that their times and confidences stay
at hand. English only: of other languages hardly a word is touched.

The rules are a table (`writing`): each has a pattern of words and slots (`spoken`), what to write,
and what may or must stand beside it. At each word the first row that matches is taken, and a word
for which there is none is written as it is. Rules for the rules:

- What is written, read aloud, gives the words that were said: "May 3rd" for "may third", "May 3"
  for "may three". Only clocks, money and fractions have more than one way: "half past seven" is
  7:30.
- A wrong digit is worse than a word. Numbers below ten in prose, "ten to five" without a sign that
  it is a time, "seven fifty", "twenty second" and counting ("one two three") stay words.
- No row begins or ends within a run of number words: all of it is understood, or none.
- An utterance is not a sentence: nothing is capitalised because it comes first, and there are no
  full stops. Capitals are only for "I", names of days and months, and abbreviations.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from earshot.numerals import Words, bound, word
from earshot.spoken import SLOTS
from earshot.wording import NUMBERS, ORDINALS, STARTERS
from earshot.writing import RULES, Rule

CONTEXT = 3  # the longest phrase beside a match, in words


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that stands for the words from `first` to before `end`."""

    text: str
    first: int  # index of a word
    end: int  # index after the last word


@dataclass(frozen=True, slots=True)
class Formatted:
    """Words as they are written: every word is in exactly one piece, in order."""

    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """The pieces, with a space between each two."""
        return " ".join(piece.text for piece in self.pieces)


def joined(utterances: Iterable[Formatted]) -> Formatted:
    """Put utterances one after the other: no number begins in one and ends in the next."""
    pieces: list[Piece] = []
    for utterance in utterances:
        at = pieces[-1].end if pieces else 0
        pieces += (Piece(one.text, at + one.first, at + one.end) for one in utterance.pieces)
    return Formatted(tuple(pieces))


def formatted(words: Sequence[str]) -> Formatted:
    """Write words as people do. Any words will do: what is not understood is left as it is."""
    said = [text.lower() for text in words]
    pieces: list[Piece] = []
    at = 0
    while at < len(said):
        text, end = _first_match(said, at) or (words[at], at + 1)
        pieces.append(Piece(text, at, end))
        at = end
    return Formatted(tuple(pieces))


def _first_match(said: Words, at: int) -> tuple[str, int] | None:
    if said[at] not in STARTERS or _cuts(said, at):
        return None
    return next((match for rule in RULES if (match := _match(rule, said, at))), None)


def _match(rule: Rule, said: Words, at: int) -> tuple[str, int] | None:
    """What a rule makes of the words from a place on, and where the rest begins."""
    slots: dict[str, str] = {}
    end = at
    for kind, name, optional in _parts(rule.pattern):
        reading = _read(kind, name, said, end)
        if reading is None and not optional:
            return None
        text, end = reading or ("", end)
        if kind:
            slots[name] = text
    if _cuts(said, end) or not _fits(rule, said, at, end):
        return None
    return " ".join(rule.text.format_map(slots).split()), end


@cache
def _parts(pattern: str) -> tuple[tuple[str, str, bool], ...]:
    """Kind of slot ("" is none), name of the slot or words, whether it may be left out."""
    parts = []
    for part in pattern.split():
        name = part.removesuffix("?").strip("{}")
        parts.append((name.rstrip("_") if "{" in part else "", name, part.endswith("?")))
    return tuple(parts)


def _read(kind: str, name: str, said: Words, at: int) -> tuple[str, int] | None:
    if kind:
        return SLOTS[kind](said, at)
    first = word(said, at)
    return (first, at + 1) if first and first in name.split("|") else None


def _cuts(said: Words, at: int) -> bool:
    """Whether a place lies within a run of number words."""
    if at > 0 and bound(said, at - 1):
        return True
    left, right = word(said, at - 1) if at else "", word(said, at)
    if right == "point":
        return left in NUMBERS and word(said, at + 1) in NUMBERS
    if left == "point":
        return at > 1 and said[at - 2] in NUMBERS and right in NUMBERS
    return left in NUMBERS and right in NUMBERS | ORDINALS.keys()


def _fits(rule: Rule, said: Words, at: int, end: int) -> bool:
    """Whether what stands before and after a match is as the rule asks."""
    before = {" ".join(said[max(at - n, 0) : at]) for n in range(1, CONTEXT + 1)}
    after = {" ".join(said[end : end + n]) for n in range(1, CONTEXT + 1)}
    return (
        (not rule.after or not before.isdisjoint(rule.after))
        and (not rule.before or not after.isdisjoint(rule.before))
        and before.isdisjoint(rule.not_after)
        and after.isdisjoint(rule.not_before)
    )
