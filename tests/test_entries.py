"""What may be a name, and when two entries are one."""

import pytest
from earshot.entries import (
    MOST_ALIASES,
    MOST_CHARACTERS,
    Alias,
    Entry,
    Kind,
    KindWeights,
    key_of,
    named,
    tidy,
)
from earshot.errors import LimitError, RequestError, SettingsError
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("given_as", "kept"),
    [
        ("  Anna \t Maria\n", "Anna Maria"),
        ("Zoe\u0308", "Zoë"),  # a letter and its dots become one
        ("Mo\u200bna\x07", "Mona"),  # what cannot be seen
        ("\u202eדנה\u202c", "דנה"),  # marks of direction
        ("Party 🎉", "Party 🎉"),
        ("\u00a0Bob\u2003Ross", "Bob Ross"),
    ],
)
def test_names_are_tidied(given_as: str, kept: str) -> None:
    assert Entry.of(Kind.CONTACT, given_as).name == kept


@given(st.text())
def test_tidying_twice_is_tidying_once(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)


@pytest.mark.parametrize("nothing", ["", "   ", "\u200b", "\n\x00"])
def test_nothing_is_no_name(nothing: str) -> None:
    with pytest.raises(RequestError, match="without a name"):
        Entry.of(Kind.ROOM, nothing)


def test_a_long_name_is_refused_with_both_numbers() -> None:
    with pytest.raises(LimitError, match=f"5000 characters exceed the limit of {MOST_CHARACTERS}"):
        Entry.of(Kind.CONTACT, "x" * 5000)


def test_too_many_aliases_are_refused_with_both_numbers() -> None:
    with pytest.raises(LimitError, match=f"21 aliases exceed the limit of {MOST_ALIASES}"):
        Entry.of(Kind.CONTACT, "Anna", aliases=[Alias(f"a{i}") for i in range(21)])


@pytest.mark.parametrize("weight", [-0.1, 4.1, float("nan"), float("inf")])
def test_a_weight_out_of_bounds_is_refused(weight: float) -> None:
    with pytest.raises(RequestError, match="but must be 0 to 4"):
        Entry.of(Kind.CONTACT, "Anna", weight=weight)


def test_an_unknown_kind_is_refused_with_those_there_are() -> None:
    assert named("room") is Kind.ROOM
    with pytest.raises(RequestError, match="contact, device, room, playlist, phrase"):
        named("pet")


def test_spellings_of_one_name_are_one() -> None:
    assert key_of("ＡＮＮＡ") == key_of("anna")
    assert Entry.of(Kind.CONTACT, "Straße").key == Entry.of(Kind.CONTACT, "STRASSE").key
    assert Entry.of(Kind.CONTACT, "Anna").key != Entry.of(Kind.ROOM, "Anna").key


def test_an_alias_that_is_the_name_or_empty_or_there_already_is_none() -> None:
    given_as = [Alias("ANNA"), Alias(" "), Alias("Annie", "an ee"), Alias("annie")]
    found = Entry.of(Kind.CONTACT, "Anna", aliases=given_as)
    assert found.aliases == (Alias("Annie", "an ee"),)


def test_what_is_newer_wins_and_nothing_is_forgotten() -> None:
    old = Entry.of(Kind.CONTACT, "anna", "anna", [Alias("Annie"), Alias("A")])
    new = Entry.of(Kind.CONTACT, "Anna", "", [Alias("Nan"), Alias("Annie", "an ee")], 2.0)
    both = old.merged(new)
    assert both == Entry(
        Kind.CONTACT, "Anna", "anna", (Alias("Annie", "an ee"), Alias("A"), Alias("Nan")), 2.0
    )
    assert both.merged(new) == both
    assert both.merged(Entry.of(Kind.CONTACT, "Anna")) == both


def test_weights_of_kinds_count_where_an_entry_says_nothing() -> None:
    weights = KindWeights(room=0.5)
    assert weights.of(Entry.of(Kind.ROOM, "Bath")) == 0.5
    assert weights.of(Entry.of(Kind.ROOM, "Bath", weight=2.0)) == 2.0
    with pytest.raises(SettingsError, match="room is 5, but must be 0 to 4"):
        KindWeights(room=5.0)
    with pytest.raises(SettingsError, match="phrase is nan, but must be 0 to 4"):
        KindWeights(phrase=float("nan"))
