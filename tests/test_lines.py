import json

import pytest
from earshot.events import (
    AudioDropped,
    Cancelled,
    Committed,
    EndPoint,
    Event,
    LoadChanged,
    Mode,
    ModeChanged,
    Muted,
    Partial,
    Retracted,
    Revised,
    SourceChanged,
    SpeechStarted,
    Word,
)
from earshot.lines import event_object, lattice_lines, line

from tests.fake_recogniser import FakeRecogniser, loud


def end_point() -> EndPoint:
    recogniser = FakeRecogniser()
    recogniser.accept(loud(0.2))
    event = recogniser.finish()[0]
    assert isinstance(event, EndPoint)
    return event


POINT = end_point()
REVISED = Revised(3_200, 1, 2, reset=True, result=POINT.result)
LINES: list[tuple[Event, str]] = [
    (SpeechStarted(16_000, 3, 8_000), "[3] speech started at 0.50 s"),
    (Partial(16_000, 3, (Word("turn", 0, 1, 0), Word("on", 1, 2, 0)), 1), "[3] … turn on"),
    (POINT, "[1.1] final end-point (end of audio: silence_ms 0): “word word” (90% sure)"),
    (Retracted(16_000, 3, 1), "[3.1] retracted: the speaker went on"),
    (REVISED, "[1.2] revised: “word word” (90% sure)"),
    (Committed(16_000, 3, 2), "[3.2] committed"),
    (Cancelled(16_000, 3, "nothing was said"), "[3] cancelled: nothing was said"),
    (AudioDropped(16_000, 8_000, 8_000), "0.50 s of audio were lost"),
    (SourceChanged(16_000, ready=False, description="gone"), "gone"),
    (Muted(16_000, muted=True), "muted: the microphone is closed"),
    (Muted(16_000, muted=False), "unmuted"),
    (LoadChanged(16_000, 1, "long chunks", 410), "effort: long chunks (410 ms of audio wait)"),
    (ModeChanged(16_000, Mode.ASSISTED), "the mode is assisted"),
]


@pytest.mark.parametrize(("event", "said"), LINES)
def test_every_event_is_one_line_that_begins_with_its_time(event: Event, said: str) -> None:
    time, _, rest = line(event).partition(" s  ")
    assert float(time) == event.at / 16_000
    assert rest == said


@pytest.mark.parametrize("event", [event for event, _ in LINES])
def test_every_event_is_a_json_object_with_a_name_and_a_time(event: Event) -> None:
    found = json.loads(json.dumps(event_object(event, lattice=True)))
    assert found["event"].replace("_", "") == type(event).__name__.lower()
    assert found["at"] == event.at / 16_000


def test_an_end_point_holds_all_that_was_understood() -> None:
    found = event_object(POINT)
    assert found == {
        "event": "end_point",
        "at": 0.2,
        "end": 0.2,
        "utterance": 1,
        "version": 1,
        "kind": "final",
        "rule": "end of audio",
        "numbers": {"silence_ms": 0.0},
        "text": "word word",
        "confidence": 0.9,
        "words": [
            {"word": "word", "start": 0.0, "end": 0.1, "confidence": 0.9},
            {"word": "word", "start": 0.1, "end": 0.2, "confidence": 0.9},
        ],
        "nbest": [{"text": "word word", "score": -3.0}, {"text": "word word or so", "score": -4.0}],
    }


def test_a_lattice_is_told_only_when_it_is_asked_for() -> None:
    arc = {"source": 1, "target": 2, "word": "word", "start": 0.1, "end": 0.2}
    scores = {"acoustic": -1.0, "language": -2.0, "bias": 0.0, "posterior": 0.9}
    lattice = event_object(POINT, lattice=True)["lattice"]
    assert isinstance(lattice, dict)
    assert lattice["nodes"] == [0.0, 0.1, 0.2]
    assert lattice["arcs"][1] == arc | scores
    assert "lattice" not in event_object(POINT)


def test_a_lattice_is_drawn_an_arc_a_line() -> None:
    assert lattice_lines(POINT.result.lattice)[1].split() == [
        "1", "→", "2", "0.10–0.20", "s", "90.0%", "word"
    ]  # fmt: skip
