"""Sentences with classes in place of names."""

import gzip
import json
from pathlib import Path

import pytest
from earshot.entries import Kind

from models import classes
from models.lexicon import Dictionary
from models.made import made_with_classes

SAID = "call turn on off the in play song by phone message is here open unlock"
HEAD = "path\tspeaker\tseconds\ttext\tsplit\tnote\tvoice\tkind\n"


def test_the_value_of_a_slot_is_replaced_where_it_stands_whole_and_alone_or_as_an_owner() -> None:
    slots = [("anna", Kind.CONTACT), ("anna's room", Kind.ROOM), ("den", Kind.ROOM)]
    text = "tell anna that the garden and the den are in anna's room near anna's car"
    found = " ".join(classes.replaced(text.split(), slots))
    assert found == ("tell $contact that the garden and the $room are in $room near $contact car")


@pytest.mark.parametrize(
    ("drawn", "words"),
    [
        ("call $contact $contact now", "call $contact now"),
        ("what is $contact's birthday", "what is $contact birthday"),
        ("$contact and $contact, in the $room", "$contact and $contact in the $room"),
    ],
)
def test_a_name_and_a_surname_are_one_contact(drawn: str, words: str) -> None:
    assert " ".join(classes.classed(drawn.replace(",", " ,"))) == words


def test_tables_give_sentences_with_names_but_no_dev_transcript(tmp_path: Path) -> None:
    rows = [
        ("play jazz mix", [("playlist", "jazz mix")]),
        ("turn on the den light", [("house_place", "den"), ("date", "now")]),
        ("what time is it", []),
        ("turn off the den", [("house_place", "den")]),
    ]
    (tmp_path / "text/nlu-eval").mkdir(parents=True)
    with gzip.open(tmp_path / "text/nlu-eval/nlu_eval.tsv.gz", "wt", encoding="utf8") as file:
        file.write("text\tintent\tslots\tsplit\n")
        for text, slots in rows:
            known = json.dumps([{"slot": slot, "value": value} for slot, value in slots])
            file.write(f"{text}\tany\t{known}\ttrain\n")
    (tmp_path / "speech/heard").mkdir(parents=True)
    manifest = HEAD + "a.flac\tone\t1\tturn off the den\tdev\t\t\t\n"
    (tmp_path / "speech/heard/manifest.tsv").write_text(manifest, encoding="utf8")
    assert list(classes.tables(tmp_path)) == [
        (["play", "$playlist"], "assistant"),
        (["turn", "on", "the", "$room", "light"], "assistant"),
    ]


def test_in_recordings_that_call_somebody_rare_words_are_names(tmp_path: Path) -> None:
    (tmp_path / "speech/synthetic").mkdir(parents=True)
    line = "{0}.opus\tx\t1\tcall name{0} surname{0} now\ttrain\t\tv\tcontacts"
    rows = [line.format(i) for i in range(100)]
    rows.append("a.opus\tx\t1\tcall it a day\ttrain\t\tv\tnlu")
    manifest = HEAD + "\n".join(rows) + "\n"
    (tmp_path / "speech/synthetic/manifest.tsv").write_text(manifest, encoding="utf8")
    found = list(classes.calls(tmp_path))
    assert found == [(["call", "$contact", "now"], "calls")] * 100


def test_templates_are_drawn_with_classes_of_words_that_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "text/cmudict").mkdir(parents=True)
    said = [
        "call",
        "turn",
        "on",
        "off",
        "the",
        "in",
        "play",
        "song",
        "by",
        "phone",
        "message",
        "is",
        "here",
        "open",
        "unlock",
    ]
    with gzip.open(tmp_path / "text/cmudict/cmudict.dict.gz", "wt", encoding="utf8") as file:
        file.writelines(f"{word} B AH0\n" for word in said)
    dictionary = Dictionary(tmp_path)
    found = list(made_with_classes(tmp_path, dictionary))
    words = {word for words, _ in found for word in words}
    assert {"$contact", "$room", "$device", "$playlist"} <= words <= {*said, *classes.CLASSES}
    assert all(not set(classes.CLASSES).isdisjoint(words) for words, _ in found)
    assert found == list(made_with_classes(tmp_path, dictionary))
