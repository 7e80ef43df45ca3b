"""Names as they are written, and the words in which they are said."""

import pytest
from earshot.errors import RequestError
from earshot.saying import MOST_WAYS, ways
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Anna Møller", ["anna moller"]),
        ("Zoë O’Brien-Smith", ["zoe o'brien smith"]),
        ("Łukasz Æbelø", ["lukasz aebelo"]),
        ("Straße", ["strasse"]),
        ("James' lamp", ["james' lamp"]),
        ("Bedroom 2", ["bedroom two"]),
        ("Gate B12", ["gate b twelve"]),
        ("TV", ["t v"]),
        ("HIFI", ["hifi", "h i f i"]),
        ("BBC Radio 4", ["b b c radio four"]),
        ("WOHNZIMMER", ["wohnzimmer"]),
        ("1999", ["nineteen ninety nine", "one thousand nine hundred ninety nine"]),
        ("Route 2005", ["route twenty oh five", "route two thousand five"]),
        ("1900", ["nineteen hundred", "one thousand nine hundred", "one nine zero zero"]),
        ("007", ["zero zero seven"]),
        ("2.4 GHz", ["two point four ghz"]),
        ("Apollo 11", ["apollo eleven"]),
        ("105", ["one hundred five", "one zero five"]),
        ("3rd floor", ["third floor"]),
        ("21st", ["twenty first"]),
        ("112th", ["one hundred twelfth"]),
        ("Simon & Garfunkel", ["simon and garfunkel"]),
        ("AC/DC", ["ac d c", "a c d c"]),
        ("Party 🎉 mix!", ["party mix"]),
        ("Canal+", ["canal plus"]),
        ("5 %", ["five percent"]),
        ("0", ["zero"]),
        ("12345678", ["one two three four five six seven eight"]),
    ],
)
def test_what_is_written_is_said(written: str, said: list[str]) -> None:
    found = [" ".join(way) for way in ways(written)]
    assert found[: len(said)] == said
    if not any(c.isdigit() for c in written):
        assert found == said


@pytest.mark.parametrize("nothing", ["🎉", "...", "- -", "'"])
def test_what_nobody_says_is_refused(nothing: str) -> None:
    with pytest.raises(RequestError, match="nothing to say; give how it sounds"):
        ways(nothing)


@pytest.mark.parametrize(("strange", "letter"), [("דנה", "ד"), ("Мария", "м"), ("東京", "東")])
def test_a_letter_of_another_script_is_refused_by_name(strange: str, letter: str) -> None:
    with pytest.raises(RequestError, match=f"'{letter}' is no letter to say in English"):
        ways(strange)


@given(st.text(max_size=40))
def test_whatever_is_written_gives_words_or_a_sentence(text: str) -> None:
    try:
        found = ways(text)
    except RequestError:
        return
    assert 1 <= len(found) <= MOST_WAYS
    assert len(set(found)) == len(found)
    for way in found:
        assert way
        for word in way:
            assert word
            assert set(word) <= set("abcdefghijklmnopqrstuvwxyz'")
