"""Interpretations: of texts, of lattices, by templates, with entries of a catalog."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from earshot.errors import LimitError, RequestError
from earshot.events import Interpretation, Named, Slot
from earshot.explain import Index
from earshot.lattice import result
from earshot.names import Form
from earshot.nlu import NONE, Nlu
from earshot.understanding import (
    MOST_WORDS,
    Understanding,
    UnderstandingSettings,
    agreed,
    as_written,
    template_file,
    templates_of,
)

from models.nlu_plain import Cue, Weights
from tests import small_nlu
from tests.small_nlu import SENTENCES, line

RANDOM = Understanding(small_nlu.models()[0])
ANNA, ANNE, LAMP = (
    Named("contact", "Anna Smith"), Named("contact", "Anne Smith"), Named("device", "Desk lamp"),
)  # fmt: skip
INDEX = Index(
    [Form(ANNA, ("anna", "smith")), Form(ANNE, ("anne", "smith")), Form(LAMP, ("desk", "lamp"))]
)
TEMPLATES = templates_of(
    """
[[intents.TurnOn]]
sentences = ["turn on [the] {device} [in the {room}]"]
slots = { state = "on" }
[[intents.Heat]]
sentences = ["set heating to {10..30:degrees}[ please]"]
[lists]
room = ["kitchen", "living room"]
device = [{ in = "[ceiling] (light|lamp)[s]", out = "light.ceiling" }, "desk lamp", "fan"]
""",
    "home.toml",
)


def made(*cues: tuple[Cue, list[tuple[int, float]]], word: Weights | None = None) -> Nlu:
    """A model that knows a few cues: a call with a person in it, and a light with a room."""
    following = np.zeros((len(small_nlu.SLOTS) + 2, len(small_nlu.SLOTS) + 1))
    tables = small_nlu.table(dict(cues)), small_nlu.table(word or {})
    return Nlu(small_nlu.INTENTS, small_nlu.SLOTS, *tables, following)


CODE = float(small_nlu.CODES[-1])  # the greatest weight
# The kind of a cue that is the word itself: for the intent 1, for a tag 32; 36 is the one before.
CALLS = made(
    ((1, "call", ""), [(2, CODE)]),
    ((1, "light", ""), [(1, CODE)]),
    ((1, "sea", ""), [(0, CODE)]),
    word={
        (32, "call", ""): [(0, CODE)],
        (36, "call", ""): [(2, CODE)],
        (32, "smith", ""): [(2, CODE)],
        (32, "smith's", ""): [(2, CODE)],
        (32, "seven", ""): [(1, CODE)],
    },
)
READER = Understanding(CALLS)


def test_a_text_has_an_intent_and_slots() -> None:
    found = READER.text(["call", "anna", "smith"], INDEX)
    assert found is not None
    assert (found.intent, found.words, found.template) == ("call", ("call", "anna", "smith"), False)
    assert found.slots == (Slot("person", "anna smith", "", 1, 3, (ANNA,)),)
    assert 0.5 < found.confidence < 1


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("call anne smith", (ANNE,)),
        ("call anna smith's", (ANNA,)),
        ("call smith", (ANNA, ANNE)),  # people are called by a part of their name
        ("call lamp", ()),  # things are not
        ("call nobody", ()),
    ],
)
def test_a_slot_names_the_entries_that_are_called_so(said: str, names: tuple[Named, ...]) -> None:
    found = READER.text(said.split(), INDEX)
    assert found is not None
    assert found.slots[0].names == names


def test_nothing_said_means_nothing_and_none_has_no_slots() -> None:
    assert READER.text([]) is None
    assert READER.result(result(None, 1)) is None
    assert Understanding().text(["call"]) is None
    found = READER.text(["sea", "seven"])
    assert found is not None
    assert (found.intent, found.slots) == (NONE, ())


def test_who_dictates_means_nothing_to_a_device() -> None:
    found = READER.text(["call"] * (MOST_WORDS + 1))
    assert found is not None
    assert (found.intent, found.slots, len(found.words)) == (NONE, (), MOST_WORDS + 1)


@pytest.mark.parametrize("words", SENTENCES)
def test_a_lattice_of_one_path_means_what_its_text_means(words: tuple[str, ...]) -> None:
    assert RANDOM.result(line(words), INDEX) == RANDOM.text(words, INDEX)
    assert READER.result(line(words), INDEX) == READER.text(words, INDEX)


@pytest.mark.parametrize("seed", range(20))
def test_any_lattice_has_a_meaning_of_one_of_its_paths(seed: int) -> None:
    lattice = small_nlu.lattice(np.random.default_rng(seed))
    found = RANDOM.result(result(lattice, 10))
    assert found is not None
    assert found.words in {words for _, words in small_nlu.paths(lattice)}
    assert 0 < found.confidence <= 1
    for slot in found.slots:
        assert slot.value == " ".join(found.words[slot.first : slot.end])


def test_slots_that_more_paths_agree_on_are_taken_if_these_are_likely_enough() -> None:
    heard = line(
        ("call", "anna", "never"), ("call", "anna", "smith"), ("well", "call", "anna", "smith")
    )
    said = {}
    for agree in (0.05, 9.0):
        found = replace(READER, settings=UnderstandingSettings(agree=agree)).result(heard)
        assert found is not None
        said[agree] = found.words, [slot.value for slot in found.slots]
    assert said[0.05] == (("call", "anna", "smith"), ["anna smith"])
    assert said[9.0] == (("call", "anna", "never"), ["anna"])


@pytest.mark.parametrize("seed", range(20))
def test_the_path_that_is_taken_has_the_least_expected_error_of_slots(seed: int) -> None:
    """Against adding it up slot by slot."""
    dice = np.random.default_rng(seed)
    weights = dice.dirichlet(np.ones(6))
    said = [
        Counter((int(tag), ("a", "b", "c")[tag : tag + 1]) for tag in dice.integers(0, 3, size))
        for size in dice.integers(0, 4, 6)
    ]
    gains = []
    for one in said:
        gain = 0.0
        for weight, other in zip(weights, said, strict=True):
            both = sum(min(count, other[slot]) for slot, count in one.items())
            every = sum(one.values()) + sum(other.values())
            gain += weight * (2 * both / every if every else 1)
        gains.append(gain)
    assert gains[agreed(said, weights)] == pytest.approx(max(gains))


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("five", "5"), ("twenty one", "21"), ("seven thirty p m", "7:30 PM"),
        ("tomorrow", ""), ("half past six", "6:30"), ("ten minutes", "10 minutes"), ("monday", ""),
    ],
)  # fmt: skip
def test_numbers_and_times_are_written(said: str, written: str) -> None:
    assert as_written(tuple(said.split())) == written


def by_template(text: str) -> Interpretation | None:
    return Understanding(CALLS, TEMPLATES).text(text.split(), INDEX)


def test_a_template_goes_before_the_model_and_says_which_words_fill_its_slots() -> None:
    found = by_template("turn on the desk lamp in the living room")
    assert found == Interpretation(
        "TurnOn",
        1.0,
        (
            Slot("state", "on", "", 0, 0),
            Slot("device", "desk lamp", "", 3, 5, (LAMP,)),
            Slot("room", "living room", "", 7, 9),
        ),
        ("turn", "on", "the", "desk", "lamp", "in", "the", "living", "room"),
        template=True,
    )


@pytest.mark.parametrize(
    ("said", "slots"),
    [
        ("turn on lamps", {"device": ("light.ceiling", 2, 3)}),
        ("turn on the ceiling light", {"device": ("light.ceiling", 3, 5)}),
        ("set heating to twenty one", {"degrees": ("21", 3, 5)}),
        ("set heating to twenty one please", {"degrees": ("21", 3, 5)}),
        ("turn on the fan in the kitchen", {"device": ("fan", 3, 4), "room": ("kitchen", 6, 7)}),
    ],
)
def test_slots_of_templates_know_their_words(
    said: str, slots: dict[str, tuple[str, int, int]]
) -> None:
    found = by_template(said)
    assert found is not None
    assert found.template
    assert {s.name: (s.value, s.first, s.end) for s in found.slots if s.end} == slots


def test_what_no_template_accepts_is_left_to_the_model() -> None:
    found = by_template("call anna")
    assert found is not None
    assert (found.intent, found.template) == ("call", False)
    assert Understanding(None, TEMPLATES).text(["call"]) is None


def test_a_template_is_looked_for_along_the_likely_paths_of_a_lattice() -> None:
    reader = Understanding(CALLS, TEMPLATES)
    near = line(("turn", "on", "the", "van"), ("turn", "on", "the", "fan"))
    found = reader.result(near)
    assert found is not None
    assert (found.intent, found.words[-1]) == ("TurnOn", "fan")
    assert found.confidence == pytest.approx(np.exp(-1))
    strict = replace(reader, settings=UnderstandingSettings(template=0.5))
    other = strict.result(near)
    assert other is not None
    assert not other.template


def test_results_get_what_they_mean() -> None:
    adds = READER.adds(INDEX)
    assert adds is not None
    heard = line(("call", "anna", "smith"))
    assert adds(heard) == replace(heard, interpretation=READER.result(heard, INDEX))
    assert Understanding().adds(INDEX) is None


def test_templates_that_are_wrong_are_refused_when_they_are_read(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no list 'device'"):
        templates_of("[intents.A]\nsentences = ['turn on {device}']", "it")
    with pytest.raises(LimitError, match="exceed the limit"):
        templates_of("[intents.A]\nsentences = ['" + "[a|b][c|d]" * 30 + "']", "it")
    bad = tmp_path / "bad.toml"
    bad.write_bytes(b"\xff\xfe")
    for path in (bad, tmp_path / "absent.toml"):
        with pytest.raises(RequestError, match=r"cannot be read: .* a TOML file"):
            template_file(path)


@pytest.mark.parametrize("text", ["", "a " * 10_000, "привет мир", "\ud800", "# $ %", "'"])
def test_any_text_can_be_asked_about(text: str) -> None:
    found = Understanding(RANDOM.nlu, TEMPLATES).text(text.split(), INDEX)
    assert (found is None) == (not text.split())
