"""The automaton of phrases: against a search of all suffixes, and as people expect of hot words."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from earshot.catalog import Catalog
from hypothesis import given
from hypothesis import strategies as st

# Small letters go on inside a word, capitals end it (phones); of pieces, capitals begin a word.
LETTERS = "abcABC"
MARKS = np.array([letter.isupper() for letter in LETTERS])


def numbers(text: str) -> list[int]:
    return [LETTERS.index(letter) for letter in text]


def catalog(phrases: dict[str, float], *, closing: bool = True) -> Catalog:
    return Catalog.build(
        [numbers(p) for p in phrases], list(phrases.values()), MARKS, closing=closing
    )


def walk(made: Catalog, text: str) -> list[float]:
    """What was earned in all after each token, and at last what is left if all ends there."""
    state, total, found = np.zeros(1, np.int64), 0.0, []
    for number in numbers(text):
        state, bonus = made.step(state, np.array([number]))
        total += float(bonus[0])
        found.append(round(total, 4))
    return [*found, round(total - float(made.final(state)[0]), 4)]


@dataclass(frozen=True)
class Slow:
    """The same by looking at all that was said."""

    phrases: tuple[tuple[str, float], ...]
    closing: bool

    def on_the_way(self, said: str) -> str:
        """The longest end of what was said that begins with a word and begins a phrase."""
        for first in range(len(said)):
            begins = first == 0 or said[first - 1].isupper() if self.closing else True
            if begins and any(p.startswith(said[first:]) for p, _ in self.phrases):
                return said[first:]
        return ""

    def ends(self, way: str) -> bool:
        return any(p == way for p, _ in self.phrases)

    @cache  # noqa: B019 - as long as the test
    def worth(self, way: str) -> float:
        if not way:
            return 0.0
        most = max(b for p, b in self.phrases if p.startswith(way))
        return self.held(way[:-1]) + most

    @cache  # noqa: B019 - as long as the test
    def held(self, way: str) -> float:
        if not way or (self.closing and self.ends(way)):
            return 0.0
        shorter = self.shorter(way)
        return max(0.0, self.worth(way) - (self.worth(shorter) if self.ends(shorter) else 0.0))

    def shorter(self, way: str) -> str:
        """The next longest end of a way that is one itself."""
        for first in range(1, len(way)):
            begins = way[first - 1].isupper() if self.closing else True
            if begins and any(p.startswith(way[first:]) for p, _ in self.phrases):
                return way[first:]
        return ""

    def walk(self, text: str) -> list[float]:
        total, way, found = 0.0, "", []
        for i, letter in enumerate(text):
            whole = not self.closing and self.ends(way) and letter.isupper()
            following = self.on_the_way(text[: i + 1])
            total += self.worth(following) - (0.0 if whole else self.held(way))
            way = following
            found.append(round(total, 4))
        left = 0.0 if not self.closing and self.ends(way) else self.held(way)
        return [*found, round(total - left, 4)]


WORDS = st.text("abc", max_size=2)
PHONES = st.lists(st.tuples(WORDS, st.sampled_from("ABC")), min_size=1, max_size=3).map(
    lambda words: "".join(inner + last for inner, last in words)
)
PIECES = st.lists(st.tuples(st.sampled_from("ABC"), WORDS), min_size=1, max_size=3).map(
    lambda words: "".join(first + inner for first, inner in words)
)
BONUS = st.sampled_from([0.5, 1.0, 2.0])


@pytest.mark.parametrize("closing", [True, False])
@given(data=st.data())
def test_it_earns_what_a_search_of_all_that_was_said_earns(
    data: st.DataObject, *, closing: bool
) -> None:
    phrases = data.draw(
        st.dictionaries(PHONES if closing else PIECES, BONUS, min_size=1, max_size=6)
    )
    text = data.draw(st.text(LETTERS, max_size=12))
    slow = Slow(tuple(phrases.items()), closing)
    assert walk(catalog(phrases, closing=closing), text) == pytest.approx(slow.walk(text))


@pytest.mark.parametrize(
    ("text", "earned"),
    [
        ("abC", [1, 2, 3, 3]),  # the whole phrase
        ("abA", [1, 2, 0, 0]),  # left inside of it: taken back
        ("ab", [1, 2, 0]),  # ended inside of it
        ("aabC", [1, 0, 0, 0, 0]),  # not where a word begins
        ("AabC", [0, 1, 2, 3, 3]),
        ("abCabC", [1, 2, 3, 4, 5, 6, 6]),  # said twice
    ],
)
def test_a_phrase_of_phones(text: str, earned: list[float]) -> None:
    assert walk(catalog({"abC": 1.0}), text) == earned


@pytest.mark.parametrize(
    ("text", "earned"),
    [
        ("Abc", [1, 2, 3, 3]),
        ("AbcA", [1, 2, 3, 4, 3]),  # it was whole, and perhaps another one begins
        ("AbcB", [1, 2, 3, 3, 3]),
        ("Abca", [1, 2, 3, 0, 0]),  # the word went on: it was another one
        ("bAbc", [0, 1, 2, 3, 3]),
    ],
)
def test_a_phrase_of_pieces(text: str, earned: list[float]) -> None:
    assert walk(catalog({"Abc": 1.0}, closing=False), text) == earned


def test_a_phrase_within_a_phrase_keeps_what_it_earned() -> None:
    made = catalog({"aBcAbC": 1.0, "aB": 1.0})
    assert walk(made, "aBcAbC") == [1, 2, 3, 4, 5, 6, 6]
    assert walk(made, "aBcAbA") == [1, 2, 3, 4, 5, 2, 2]
    made = catalog({"aBcAbC": 1.0, "cA": 1.0})  # in the middle
    assert walk(made, "aBcAbC") == [1, 2, 3, 4, 5, 6, 6]
    assert walk(made, "aBcAaA")[-1] == 2


def test_many_hypotheses_are_stepped_at_once() -> None:
    made = catalog({"abC": 1.0, "aA": 0.5})
    first, _ = made.step(np.zeros(3, np.int64), np.array(numbers("aab")))
    following, bonus = made.step(first, np.array(numbers("bBb")))
    assert bonus.tolist() == [1.0, -1.0, 0.0]
    assert len(set(following.tolist())) == 3


def test_an_empty_catalog_gives_nothing() -> None:
    for made in (Catalog.empty(6), catalog({})):
        assert walk(made, "abCABC") == [0] * 7


def test_a_heavier_phrase_lends_its_beginning_to_a_lighter_one() -> None:
    made = catalog({"abC": 2.0, "abA": 1.0})
    assert walk(made, "abC")[-1] == 6
    assert walk(made, "abA")[-1] == 5


def sizes(made: Catalog) -> Sequence[int]:
    return len(made.key), len(made.back)


def test_equal_beginnings_are_one_way() -> None:
    assert sizes(catalog({"abC": 1.0, "abA": 1.0, "aB": 1.0})) == (5, 7)
