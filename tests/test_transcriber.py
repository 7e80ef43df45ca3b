"""Whole recordings: what is kept of each utterance, and the objects of `earshot transcribe`."""

import json
from dataclasses import replace

import numpy as np
import pytest
from earshot.errors import AudioError
from earshot.events import AudioDropped, EndPoint, Event, Retracted, Revised
from earshot.lines import brief_object, event_object
from earshot.sources import Chunk
from earshot.transcriber import Transcript, _note, as_object, transcribe

from tests.fake_recogniser import FakeRecogniser, loud, quiet

AUDIO = np.concatenate([loud(0.2), quiet(0.5), loud(0.1), quiet(0.5)])


def heard(*pieces: np.ndarray, lost: int = 0) -> Transcript:
    source: list[Chunk | Event] = [Chunk(0, piece) for piece in pieces]
    if lost:
        source.insert(1, AudioDropped(0, lost, lost))
    return transcribe(source, FakeRecogniser())  # type: ignore[arg-type]


def test_texts_of_all_utterances_are_joined() -> None:
    found = heard(AUDIO)
    assert found.text == "word word word"
    assert [result.text for result in found.results] == ["word word", "word"]
    assert found.samples == len(AUDIO)
    assert found.confidence == pytest.approx(0.9)
    assert found.cpu_seconds >= 0


def test_pieces_of_a_source_are_one_recording() -> None:
    whole, parts = heard(AUDIO), heard(*np.array_split(AUDIO, 7))
    assert parts.events == whole.events
    assert parts.samples == whole.samples


def test_silence_is_an_empty_text() -> None:
    found = heard(quiet(1.0))
    assert (found.text, found.confidence, found.results) == ("", 0.0, [])
    made = as_object("a.wav", found, "tiny 1", events=True)
    assert (made["text"], made["words"], made["nbest"], made["events"]) == ("", [], [], [])


def test_of_an_utterance_the_last_version_is_kept() -> None:
    point = next(event for event in heard(AUDIO).events if isinstance(event, EndPoint))
    other = replace(point.result, words=point.result.words[:1])
    transcript = Transcript()
    _note(transcript, [point, Retracted(1, 1, 1), replace(point, version=2, result=other)])
    assert [result.text for result in transcript.results] == ["word"]
    _note(transcript, [Revised(1, 1, 3, reset=True, result=point.result)])
    assert [result.text for result in transcript.results] == ["word word"]
    _note(transcript, [replace(point, utterance=2)])
    assert len(transcript.results) == 2


def test_what_a_source_says_is_kept_among_the_events() -> None:
    found = heard(*np.array_split(AUDIO, 2), lost=160)
    assert AudioDropped(0, 160, 160) in found.events


def test_what_a_source_raises_is_raised() -> None:
    def broken() -> object:
        yield Chunk(0, AUDIO)
        message = "the file ends in the middle"
        raise AudioError(message)

    with pytest.raises(AudioError, match="in the middle"):
        transcribe(broken(), FakeRecogniser())  # type: ignore[arg-type]


def test_the_object_of_a_recording_is_as_the_design_says() -> None:
    found = heard(AUDIO)
    found.cpu_seconds = 0.5
    made = as_object("a.wav", found, "tiny 1", events=False)
    assert json.loads(json.dumps(made)) == {
        "path": "a.wav",
        "text": "word word word",
        "confidence": 0.9,
        "words": [
            {"word": "word", "start": 0.0, "end": 0.1, "confidence": 0.9},
            {"word": "word", "start": 0.1, "end": 0.2, "confidence": 0.9},
            {"word": "word", "start": 0.7, "end": 0.8, "confidence": 0.9},
        ],
        "nbest": [
            {"text": "word word word", "score": -6.0},
            {"text": "word word or so word", "score": -7.0},
        ],
        "audio_seconds": 1.3,
        "cpu_seconds": 0.5,
        "bundle": "tiny 1",
    }


def test_its_events_are_as_the_design_says() -> None:
    made = as_object("a.wav", heard(loud(0.1), quiet(0.5)), "tiny 1", events=True)
    assert made["events"] == [
        {"event": "speech_started", "at": 0.1, "utterance": 1},
        {"event": "partial", "at": 0.1, "utterance": 1, "text": "word"},
        {
            "event": "end_point",
            "at": 0.4,
            "utterance": 1,
            "version": 1,
            "kind": "final",
            "rule": "pause",
            "text": "word",
        },
        {"event": "committed", "at": 0.4, "utterance": 1, "version": 1},
    ]


def test_the_brief_object_is_a_part_of_the_whole_one() -> None:
    for event in heard(AUDIO).events:
        assert brief_object(event).items() <= event_object(event, lattice=True).items()
