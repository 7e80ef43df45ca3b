"""models.closed: rates over the threshold, what is said of a kit, one clip through a network."""

from pathlib import Path

import pytest
from earshot.command_set import REJECT
from earshot.intents import read

from models.closed import (
    HOME,
    Clip,
    Heard,
    closed_words,
    common,
    errors,
    figures,
    hear,
    home,
    known,
    meaning,
    rates,
    sentences,
    single,
    table_of,
)
from tests import networks, small
from tests.recordings import recording

GO, STOP = ("Go", frozenset({("room", "attic")})), ("Stop", frozenset[tuple[str, str]]())
SAID = [
    Heard(GO, ((GO, 0.1),), GO, 2.0, 0.1, 0.2),
    Heard(GO, ((STOP, 0.5),), GO, 2.0, 0.1, 0.2),
    Heard(GO, ((GO, 1.5),), None, 2.0, 0.1, 0.2),
    Heard(GO, ((GO, 0.1), (GO, 0.1)), None, 2.0, 0.1, 0.2),
]
NONE = [Heard(None, ((GO, 0.5), (STOP, 9.0)), None, 1.0, 0.1, 0.1), Heard(None, (), GO, 1.0, 0, 0)]


def test_right_is_what_was_said_once_and_wrong_all_else_that_is_accepted() -> None:
    assert rates(SAID, 0.2) == {"right": 25.0, "wrong": 25.0}
    assert rates(SAID, 1.0) == {"right": 25.0, "wrong": 50.0}
    assert rates(SAID, 2.0) == {"right": 50.0, "wrong": 50.0}
    assert rates(NONE, 0.2) == {"false": 0.0}
    assert rates(NONE, 1.0) == rates(NONE, 100.0) == {"false": 50.0}


def test_figures_tell_dictation_and_cost_and_the_table_has_a_row_for_each_threshold() -> None:
    said = {"home": figures(SAID), "noise": figures(NONE)}
    assert said["home"]["dictation"] == {"right": 50.0}
    assert said["noise"]["dictation"] == {"false": 50.0}
    assert said["home"]["cpu_per_second"] == {"commands": 0.05, "dictation": 0.1}
    assert said["home"]["recordings"] == {"count": 4, "seconds": 8.0}
    assert said["home"]["interval"]["low"] < 25 < said["home"]["interval"]["high"]
    rows = [line.split() for line in table_of("home", said).splitlines()]
    assert rows[0] == ["home:", "reject", "right", "wrong", "noise"]
    assert [f"{REJECT:g}", "25.0", "50.0", "50.0"] in rows
    assert ["dictation", "50.0", "50.0"] in rows
    assert errors({"home": said}, "2") == 50 + 50


def manifest(folder: Path, rows: list[tuple[str, str, str]]) -> None:
    folder.mkdir(parents=True)
    lines = ["path\ttext\tsplit", *("\t".join(row) for row in rows)]
    (folder / "manifest.tsv").write_text("\n".join(lines), encoding="utf8")


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    names = tmp_path / "text/names/entities"
    names.mkdir(parents=True)
    (names / "ohf_names_en.tsv").write_text("den\tDen\tarea\n", encoding="utf8")
    devices = "attic fan\tAttic Fan\tfan\nold radio\tOld Radio\ttimer\n"
    (names / "homellm_devices_en.tsv").write_text(devices, encoding="utf8")
    manifest(
        tmp_path / "speech/synthetic",
        [
            ("1.wav", "turn on the attic fan in the den", "dev"),
            ("2.wav", "turn on the old radio", "dev"),
            ("3.wav", "open the blinds", "train"),
        ],
    )
    words = [(f"{word}{i}.wav", word, "dev") for word in ("bed", "cat") for i in range(30)]
    manifest(tmp_path / "speech/speech_commands", [*words, ("dog.wav", "dog", "dev")])
    return tmp_path


def test_what_is_said_is_a_command_or_is_none(kit: Path) -> None:
    text = home(kit)
    places, folder = known(text), kit / "speech/synthetic"
    assert [one.path for one in sentences(kit, "home", places, 0)] == [folder / "1.wav"]
    assert [one.path for one in sentences(kit, "sentences", places, 0)] == [folder / "2.wav"]
    slots = frozenset({("device", "attic fan"), ("room", "den")})
    assert meaning(text, "turn on the attic fan in the den") == ("TurnOn", slots)
    assert meaning(text, "") is None
    assert common(kit) == ["bed", "cat"]
    assert [one.text for one in single(kit, "other words", common(kit), 0)] == ["dog"]
    assert len(single(kit, "words", common(kit), 10)) == 10


def test_every_intent_of_the_home_can_be_said(kit: Path) -> None:
    intents = {sentence.intent for sentence in read(home(kit), str(HOME)).sentences}
    assert {"TurnOn", "TurnOff", "StartTimer", "Brightness", "State"} <= intents
    assert meaning(home(kit), "set a timer for five minutes")


def test_a_clip_is_heard_as_a_command_and_by_dictation(tmp_path: Path) -> None:
    folder = networks.phones(tmp_path)
    clip = Clip(recording("an4_command1").path, "ab", 0.2, 1.8)
    found = hear(clip, folder, closed_words(list(small.SPOKEN)))
    assert found.wanted == ("Say", frozenset({("word", "ab")}))
    assert found.seconds == pytest.approx(1.6)
    assert {meant[0] for meant, _ in found.found} <= {"Say"}
    assert all(0 <= misfit <= 100 for _, misfit in found.found)
