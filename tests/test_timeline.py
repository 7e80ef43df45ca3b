"""Timelines: every word, every decision and every lane is there, in its place and in good XML."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from earshot.__main__ import main
from earshot.endpointers import EndPointSettings, Glance
from earshot.errors import DeviceError
from earshot.events import (
    Cancelled,
    Committed,
    Decision,
    EndPoint,
    EndPointKind,
    Event,
    Lattice,
    Result,
    Retracted,
    Revised,
    SpeechStarted,
    Word,
)
from earshot.marks import Mark, marks, rows, utterances
from earshot.timeline import LEFT, Timeline, picture, runs, write
from earshot.vad import VadSettings
from hypothesis import given
from hypothesis import strategies as st

from tests.fake_engine import FakeEngine
from tests.recordings import AUDIO

SVG = "{http://www.w3.org/2000/svg}"
SECOND = 16_000
RULE = Decision("pause", (("words", 2.0), ("silence_ms", 560.0)))
NOTHING = Result((), 0.0, (), Lattice((0,), ()))
TOLD: tuple[Event, ...] = (
    SpeechStarted(SECOND, 1, SECOND // 2),
    EndPoint(2 * SECOND, 1, 1, EndPointKind.SPECULATIVE, RULE, 0, NOTHING),
    Retracted(3 * SECOND, 1, 1),
    EndPoint(4 * SECOND, 1, 2, EndPointKind.SPECULATIVE, RULE, 0, NOTHING),
    Revised(5 * SECOND, 1, 3, reset=True, result=NOTHING),
    Committed(5 * SECOND, 1, 3, Decision("done", (("probability", 0.97),))),
    SpeechStarted(6 * SECOND, 2, 6 * SECOND),
    EndPoint(7 * SECOND, 2, 1, EndPointKind.FINAL, RULE, 0, NOTHING),
    Committed(7 * SECOND, 2, 1),
    SpeechStarted(8 * SECOND, 3, 8 * SECOND),
    Cancelled(9 * SECOND, 3, "nothing was said"),
)
WORDS = (
    Word("turn", 16_000, 20_000, 0.9),
    Word("<it>", 20_000, 22_000, 0.9),
    Word("on", 30_000, 36_000, 0.9),
)


def made(
    events: Sequence[Event] = TOLD, probability: float = 0.0, words: Sequence[Word] = WORDS
) -> Timeline:
    dice = np.random.default_rng(0)
    glances = [
        Glance(at, 2, speech=False, silence_ms=at / 100, pause_ms=at / 50, length_ms=at / 16,
               probability=probability)
        for at in range(SECOND, 5 * SECOND, 320)
    ]  # fmt: skip
    settings = EndPointSettings(done=0.9, likely=0.6) if probability else EndPointSettings()
    samples = dice.normal(0, 0.1, 10 * SECOND).astype(np.float32)
    return Timeline(samples, words, events, glances, VadSettings(), settings)


def drawn(timeline: Timeline) -> ET.Element:
    return ET.fromstring(picture(timeline))  # noqa: S314 - ours


def texts(root: ET.Element) -> list[str]:
    return [one.text or "" for one in root.iter(f"{SVG}text")]


def classed(root: ET.Element, kind: str) -> list[ET.Element]:
    return [one for one in root.iter() if kind in one.get("class", "").split()]


def test_marks_tell_what_was_decided() -> None:
    assert list(marks(TOLD)) == [
        Mark(2 * SECOND, "early", "announced v1: pause", "words 2\nsilence_ms 560"),
        Mark(3 * SECOND, "undone", "took v1 back"),
        Mark(4 * SECOND, "early", "announced v2: pause", "words 2\nsilence_ms 560"),
        Mark(5 * SECOND, "undone", "v3 instead: "),
        Mark(5 * SECOND, "sure", "committed v3: done", "probability 0.97"),
        Mark(7 * SECOND, "sure", "committed v1: pause", "words 2\nsilence_ms 560"),
        Mark(9 * SECOND, "undone", "cancelled: nothing was said"),
    ]
    assert list(utterances(TOLD)) == [
        (SECOND // 2, 5 * SECOND), (6 * SECOND, 7 * SECOND), (8 * SECOND, 9 * SECOND),
    ]  # fmt: skip


@given(st.lists(st.tuples(st.floats(0, 500), st.floats(1, 90)), max_size=30))
def test_labels_of_a_row_do_not_touch_and_no_row_is_empty(boxes: list[tuple[float, float]]) -> None:
    spans = sorted((start, start + width) for start, width in boxes)
    found = rows(spans)
    assert set(found) == set(range(len(set(found))))
    for row in set(found):
        of = [span for span, its in zip(spans, found, strict=True) if its == row]
        assert all(one[1] <= after[0] for one, after in pairwise(of))


def test_runs_are_where_flags_are_set() -> None:
    assert list(runs([False, True, True, False, True])) == [(320, 960), (1_280, 1_600)]
    assert not list(runs([]))


@pytest.mark.parametrize("probability", [0.0, 0.8])
def test_all_is_in_the_picture(probability: float) -> None:
    root = drawn(made(probability=probability))
    said = texts(root)
    assert "turn <it> on" in said
    assert [one.text for one in classed(root, "word")] == ["turn", "<it>", "on"]
    told = {one.text for one in classed(root, "told")}
    assert told == {mark.text for mark in marks(TOLD)}
    assert len(classed(root, "mark")) == len(list(marks(TOLD)))
    assert len(classed(root, "open")) == 3
    assert [one.text for one in classed(root, "time")] == [f"{second} s" for second in range(11)]
    limits = [one.text for one in classed(root, "limit")]
    lane, expected = (
        ("done?", ["sure: 0.90", "likely: 0.60"])
        if probability
        else ("pause", ["sure: 560 ms", "likely: 360 ms"])
    )
    assert limits == expected
    assert [one.text for one in classed(root, "lane")] == [
        "speech", "decided", "words", "sound", lane,
    ]  # fmt: skip
    titles = ["".join(one.itertext()) for one in root.iter(f"{SVG}title")]
    assert "announced v1: pause at 2.00 s\nwords 2\nsilence_ms 560" in titles


def test_decisions_stand_where_they_were_made() -> None:
    root = drawn(made())
    times = {one.text: float(one.get("x", 0)) for one in classed(root, "time")}
    second = times["1 s"] - times["0 s"]
    assert times["0 s"] == LEFT
    for mark, line in zip(marks(TOLD), classed(root, "mark"), strict=True):
        x = float(re.match(r"M([\d.]+) ", line.get("d", ""))[1])  # type: ignore[index]
        assert x == pytest.approx(LEFT + second * mark.at / SECOND, abs=0.8)


def test_everything_is_within_the_picture() -> None:
    long = Word("incomprehensibilities", 159_000, 160_000, 0.9)
    root = drawn(made(words=[*WORDS, long]))
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    for one in root.iter():
        if one.tag == f"{SVG}text" and one.get("class") not in {"lane", "limit", "time"}:
            assert float(one.get("x", 0)) + 6 * len(one.text or "") < width
        if one.get("y"):
            assert 0 <= float(one.get("y", 0)) < height
    for path in classed(root, "sound"):
        assert "nan" not in path.get("d", "")


@pytest.mark.parametrize("length", [0, 1, 319, 5_000])
def test_little_audio_makes_a_picture_as_well(length: int) -> None:
    bare = Timeline(np.zeros(length, np.float32), (), (), (), VadSettings(), EndPointSettings())
    assert "Nothing was understood." in texts(drawn(bare))


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    write(made(), tmp_path / "t.svg")
    ET.parse(tmp_path / "t.svg")  # noqa: S314 - ours
    with pytest.raises(DeviceError, match="cannot write the timeline to"):
        write(made(), tmp_path / "nowhere" / "t.svg")


def test_transcribe_draws_one_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, file = tmp_path / "t.svg", AUDIO / "an4_three_zero_two_one.flac"
    assert main(["transcribe", str(file), "--timeline", str(out)]) == 0
    text = capsys.readouterr().out.strip()
    root = ET.parse(out).getroot()  # noqa: S314 - ours
    assert [one.text for one in classed(root, "word")] == text.split()
    assert classed(root, "sure")
    assert classed(root, "chance")
    assert classed(root, "speech")


def test_several_recordings_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("earshot.commands.transcribe.load_engine", lambda _: FakeEngine())
    for files in (["a.wav", "b.wav"], ["-"]):
        assert main(["transcribe", *files, "--timeline", str(tmp_path / "t.svg")]) == 1
        assert "--timeline draws one recording; give one file" in capsys.readouterr().err
