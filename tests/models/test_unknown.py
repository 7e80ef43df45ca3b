"""Words outside the lexicon are counted as a reader of the texts would count them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from earshot.bundle import SPELLER, open_bundle
from earshot.events import Word
from hypothesis import given
from hypothesis import strategies as st

from models.outside import Heard, figures, pairs, rarest, shown
from models.score import edits
from models.trial import Encoded
from models.unknown import chosen, hear, relisted, spoken, without
from tests import networks, rewriters

KNOWN = {"call", "on", "the", "light"}


def heard(wanted: str, *given: str) -> Heard:
    """What was said, and what was understood; a word with phones is "text/PH+ONES"."""
    words = []
    for text, _, phones in (word.partition("/") for word in given):
        words.append(Word(text, 0, 1, 1.0, tuple(phones.split("+")) if phones else ()))
    return Heard(wanted.split(), words, seconds=2.0, cpu=0.5)


def faced(one: Heard) -> list[tuple[str | None, str | None]]:
    """The pairs in the order of the words."""
    return [(want, got.text if got else None) for want, got in pairs(one, KNOWN)][::-1]


def test_every_word_faces_another_or_none() -> None:
    one = heard("call zaza on", "call", "zara/Z+AA", "the", "on")
    assert faced(one) == [("call", "call"), ("zaza", "zara"), (None, "the"), ("on", "on")]
    assert faced(heard("call on", "on")) == [("call", None), ("on", "on")]
    assert faced(heard("zaza")) == [("zaza", None)]


@pytest.mark.parametrize("given", [("the", "z/Z"), ("z/Z", "the")])
def test_unknown_words_face_each_other_where_errors_are_as_few(given: Sequence[str]) -> None:
    assert ("zaza", "z") in faced(heard("call zaza on", "call", *given, "on"))


@given(st.lists(st.sampled_from("abcz"), max_size=6), st.lists(st.sampled_from("abcz"), max_size=6))
def test_the_pairs_are_as_few_errors_as_the_edit_distance(
    wanted: list[str], given: list[str]
) -> None:
    found = list(pairs(heard(" ".join(wanted), *given), {"a", "b", "c"}))
    assert sum(want != (got.text if got else None) for want, got in found) == edits(wanted, given)
    assert [want for want, _ in found if want is not None][::-1] == wanted
    assert [got.text for _, got in found if got][::-1] == given


def test_the_figures_of_a_set_worked_out_by_hand() -> None:
    every = [
        heard("call zaza on", "call", "zara/Z+AA+R+AH", "on"),  # found, a letter wrong
        heard("call bobo", "call", "bobo/B+OW"),  # found and right
        heard("zuzu on", "light", "on", "the"),  # not found: 5 letters wrong; a word too many
        heard("the light", "the", "lite/L+AY+T"),  # an alarm in a plain recording
    ]
    found = figures(every, KNOWN)
    assert found["unknown words"] == 3
    assert found["known words"] == 6
    assert found["plain words"] == 2
    assert found["found"] == pytest.approx(66.67)
    assert found["right"] == pytest.approx(33.33)
    assert found["LER"] == pytest.approx(50.0)  # 1 + 0 + 5 of 12 letters
    assert found["alarms"] == pytest.approx(16.67)
    assert found["known"] == pytest.approx(33.33)  # "the" too many, "light" wrong
    assert found["plain"] == pytest.approx(50.0)
    assert found["WER"] == pytest.approx(44.44)  # zaza, zuzu, the, light of 9
    assert found["cpu_per_second"] == pytest.approx(0.25)
    assert list(shown(every, KNOWN, 2)) == ["zaza | zara Z+AA+R+AH", "bobo | bobo B+OW"]


def test_of_every_second_text_the_rarest_long_enough_known_word_is_taken_if_it_is_rare() -> None:
    unigram = {"quagga": -14.0, "zebra": -12.0, "gnu": -15.0, "horse": -8.0, "okapi": -13.0}
    texts = ["quagga zebra gnu unheard", "okapi", "horse", "zebra horse", ""]
    assert rarest(texts, unigram) == {"quagga"}


def test_the_score_that_finds_most_is_chosen_among_those_that_others_can_afford() -> None:
    def at(found: float, known: float, plain: float) -> dict[str, dict[str, float]]:
        return {"all": {"found": found, "known": known, "plain": plain}}

    off, shy, bold = at(0, 20.0, 15.0), at(30, 19.0, 15.2), at(60, 18.0, 15.3)
    assert chosen({"off": off, "-9": shy, "-7": bold}) == "-9"
    assert chosen({"off": off, "-7": bold}) == "off"


def test_a_word_is_taken_out_of_a_bundle_that_stays_whole(tmp_path: Path) -> None:
    bundle = rewriters.bundle(tmp_path / "bundle")
    other = without(bundle, {"cab"}, tmp_path / "other")
    assert spoken(other / "lexicon") == {"ab", "bee"} == spoken(bundle / "lexicon") - {"cab"}
    assert open_bundle(other).holds(SPELLER)
    (other / SPELLER).unlink()
    assert not open_bundle(relisted(other)).holds(SPELLER)


def test_unknown_words_are_heard_where_their_score_is_high_enough(tmp_path: Path) -> None:
    bundle = rewriters.bundle(tmp_path)
    dice = np.random.default_rng(0)
    chunks = [np.tanh(dice.normal(size=(8, networks.WIDTH))).astype(np.float32) for _ in range(6)]
    one = Encoded("tiny", ["cab"], [chunks], 1.92)
    shy, bold = (hear(one, bundle, score) for score in (-1e3, 3.0))
    assert shy.given
    assert not any(word.phones for word in shy.given)
    assert any(word.phones for word in bold.given)
    assert bold.wanted == ["cab"]
    assert bold.cpu > 0
