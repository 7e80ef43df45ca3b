"""Sentences with their meanings, and a small training on some."""

from pathlib import Path

import numpy as np
import pytest
from earshot.cues import Paths, bag
from earshot.nlu import FILE, NONE, TALK, Nlu, spans
from earshot.packed import cut
from earshot.understanding import Understanding

from models import nlu_plain
from models.directed import PER_SPEAKER, jobs
from models.ftrl import Pairs, Rate, Texts, trained
from models.meaning_score import Filled, Tally, filled, together
from models.nlu import PLANS, Taught, coded, seeded, size, small, twin
from models.nlu_texts import Example, examples, meanings, spoken, tagged
from models.tiny_kit import meanings as table_of_meanings
from models.tiny_kit import rows_to
from models.understood import Heard, compared
from tests.small_nlu import line

ROOMS, THINGS, PLACES = ("kitchen", "hall", "attic"), ("lamp", "fan"), ("rome", "york", "bern")


def sentence(text: str, intent: str, tags: str = "") -> Example:
    known = tuple(tag.strip("-") for tag in tags.split()) if tags else None
    return Example(tuple(text.split()), "it", "train", intent, known)


def sentences() -> list[Example]:
    found = [
        sentence(
            f"turn {state} the {thing} in the {room}", f"turn_{state}", "- - - device - - room"
        )
        for state in ("on", "off")
        for thing in THINGS
        for room in ROOMS
    ]
    for place in PLACES:
        found.append(sentence(f"how warm is it in {place}", "weather", "- - - - - place"))
        found.append(sentence(f"we went to {place}", "talk"))
    return found * 4


@pytest.fixture(scope="module")
def learnt() -> Nlu:
    taught, ours = Taught.of(sentences()), meanings()
    whole, _ = small("whole", taught.whole, 3_000)
    word, following = small("word", taught.word, 3_000)
    return Nlu(ours.intents, ours.slots, whole, word, following)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (
            "turn off the lamp in the bedroom",
            Filled("turn_off", (("device", "lamp"), ("room", "bedroom"))),
        ),
        ("how warm is it in paris", Filled("weather", (("place", "paris"),))),
        ("we went to paris", Filled("none", ())),
    ],
)
def test_what_is_alike_is_understood_after_a_small_training(
    learnt: Nlu, said: str, meant: Filled
) -> None:
    found = Understanding(learnt).text(said.split())
    assert found is not None
    assert Filled(found.intent, tuple((s.name, s.value) for s in found.slots)) == meant


def test_it_stays_so_in_a_file_of_the_size_that_was_asked_for(learnt: Nlu, tmp_path: Path) -> None:
    learnt.write(tmp_path / FILE)
    assert (tmp_path / FILE).stat().st_size < 3_000 + 3_000 + 5_000
    back = Nlu.open(tmp_path / FILE)
    for one in sentences():
        counted = bag(Paths.of_words(one.words))
        assert back.meant(counted).tolist() == learnt.meant(counted).tolist()


def test_the_twin_says_what_was_learnt_by_name() -> None:
    every = sentences()
    found = twin(Taught.of(every), every)
    for one in every:
        intent = NONE if one.intent == TALK else one.intent
        assert found.intents[int(found.meant(one.words).argmax())] == intent
        if one.tags:
            tags = found.tagged(one.words, found.intents.index(one.intent))
            assert tuple(("", *found.slots)[tag] for tag in tags) == one.tags
    assert all(len(weights) >= 1 for weights in found.whole.values())
    assert nlu_plain.bag(every[0].words) <= found.whole.keys()


def test_a_chain_that_knows_nothing_is_as_unsure_as_there_are_tags() -> None:
    keys = np.arange(12, dtype=np.uint64).reshape(4, 3)
    texts = Texts(np.array([0, 3, 4]), keys, np.array([0, 1, 2, 0]), 3)
    losses = [loss for loss, _ in trained(texts, texts.pairs(1), Rate(0.0, 0.0), 12)]
    first, second = 3 * np.log(3), np.log(3)
    assert losses[0] <= (first + second) / 2  # the second sentence profits of the first
    assert losses[0] > 0.7 * (first + second) / 2
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] / 3


def test_more_of_a_bound_keeps_fewer_weights() -> None:
    texts = Taught.of(sentences()).whole
    kept = []
    for l1 in (0.0, 4.0, 12.0):
        *_, (_, (learnt, _)) = trained(texts, texts.pairs(1), Rate(l1, 0.0), 3)
        kept.append(int((learnt.weight != 0).sum()))
    assert kept[0] > kept[1] > kept[2]


def test_pairs_are_what_occurs_together() -> None:
    pairs = Pairs.of(np.array([5, 9, 5, 5], np.uint64), np.array([1, 0, 1, 2]))
    assert (pairs.keys.tolist(), pairs.first.tolist()) == ([5, 9], [0, 2, 3])
    assert pairs.column.tolist() == [1, 2, 0]
    assert pairs.found(np.array([9, 4, 5], np.uint64)).tolist() == [1, -1, 0]
    few = pairs.kept(np.array([False, True, False]))
    assert (few.keys.tolist(), few.column.tolist()) == ([5], [2])
    assert Pairs.of(np.array([5, 9, 5], np.uint64), np.array([1, 0, 1]), 2).keys.tolist() == [5]


def test_weights_take_the_nearest_of_few_codes() -> None:
    weight = np.array([-1.0, -1.1, 0.0, 2.0, 2.1, 2.2], np.float32)
    code, codes = coded(weight, 3)
    assert codes == pytest.approx([-1.05, 0.0, 2.1])
    assert code.tolist() == [0, 0, 1, 2, 2, 2]


def test_a_seed_tells_all_keys_apart() -> None:
    keys = np.unique(np.random.default_rng(0).integers(0, 2**63, 9_000).astype(np.uint64))
    seed, bits = seeded(keys)
    assert len(np.unique(cut(keys, seed, bits))) == len(keys)


def test_the_size_of_a_table_is_told_before_it_is_made() -> None:
    texts = Taught.of(sentences()).whole
    assert size(texts.pairs(1)) > size(texts.pairs(20)) > size(texts.pairs(10_000)) == 0
    assert set(PLANS) == {"whole", "word"}


def test_slots_are_words_in_a_row_and_units_belong_to_a_duration() -> None:
    words = ["set", "a", "twenty", "minute", "timer", "in", "anna's", "room"]
    slots = [("duration", "twenty"), ("person", "anna"), ("room", "bathroom")]
    assert tagged(words, slots) == ("", "", "duration", "duration", "", "", "person", "")
    assert list(spans(["", "a", "a", "b", ""])) == [("a", 1, 3), ("b", 3, 4)]


def test_what_is_tested_or_spoken_is_not_trained_on(tmp_path: Path) -> None:
    table_of_meanings(tmp_path)
    said = {"split": "train", "text": "turn on the fan in the hall"}
    rows_to(tmp_path / "speech/synthetic/manifest.tsv", [said])
    kept, tested = examples(tmp_path)
    texts = {one.text for one in kept}
    assert spoken(tmp_path) == {said["text"]}
    assert texts.isdisjoint({said["text"], *(one.text for one in tested["nlu-eval"])})
    assert len(tested["nlu-eval"]) == 4
    assert "turn on the lamp in the hall" in texts
    assert "timer_start" in {one.intent for one in kept}  # made up


def test_intents_of_tables_may_hang_on_a_word_or_a_slot() -> None:
    ours = meanings()
    rows = (
        ("ohf", "HassTurnOn", "open the blind", "open"),
        ("ohf", "HassTurnOn", "activate the blind", "turn_on"),
        ("homellm", "light.turn_on", "make it red", "light_set"),
        ("homellm", "fan|light.turn_on|turn_off", "both", ""),
    )
    for family, intent, text, meant in rows:
        slots = [("color", "red")] if "red" in text else []
        assert ours.meant(family, {"intent": intent, "text": text}, slots) == meant


def test_all_meanings_lead_to_names_that_are_listed() -> None:
    ours = meanings()
    assert set(ours.intent.values()) <= set(ours.intents)
    assert set(ours.slot.values()) <= set(ours.slots)
    assert set(ours.made) <= set(ours.intents)
    assert len(ours.intents) <= 256


def test_scores_count_intents_and_slots() -> None:
    words = ["turn", "on", "the", "lamp"]
    wanted = filled(words, "turn_on", ["", "", "", "device"])
    assert wanted == Filled("turn_on", (("device", "lamp"),))
    tally = Tally().seen(wanted, wanted).seen(wanted, Filled("turn_off", (("room", "lamp"),)))
    assert (tally.accuracy, tally.f1, tally.whole) == (50, 50, 1)
    unknown = Tally().seen(wanted, Filled("turn_on", ()), slots=False)
    assert (unknown.wanted, unknown.whole) == (0, 1)
    assert together([tally, unknown]).sentences == 3


def test_recordings_are_compared_by_their_text_their_best_path_and_their_lattice(
    learnt: Nlu,
) -> None:
    words = ("turn", "off", "the", "lamp", "in", "the", "hall")
    wanted = Filled("turn_off", (("device", "lamp"), ("room", "hall")))
    near = line((*words[:3], "lam", *words[4:]), words)
    found = compared("it", [Heard(wanted, words, near)], Understanding(learnt))
    assert (found["true text"]["whole"], found["best path"]["whole"]) == (100, 0)
    assert found["lattice"]["intents"] == 100


def test_a_recording_is_said_by_as_many_kinds_as_voices() -> None:
    said = [(f"do {i}", True) for i in range(40)] + [(f"once {i}", False) for i in range(40)]
    every = list(jobs(said, Path("out")))
    assert len(every) == 80 // PER_SPEAKER
    for job in every:
        texts = [saying.text for saying in job.sayings]
        assert sum(text.startswith("do") for text in texts) == PER_SPEAKER // 2
