"""The benchmark of end-pointing: every figure of small, made-up streams is known by hand."""

from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest
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
from earshot.units import SAMPLES_PER_MS

from models.ended import (
    LIMIT_MS,
    Outcome,
    courses,
    delays,
    lost,
    outcome,
    speculated,
    wasted,
)
from models.endpoint_figures import all_figures, announced, ended, tables, worked
from models.endpoint_trial import Trial
from models.replay import Segment
from models.rivals import FINAL
from models.streams import Stream
from tests.models.test_streams import kit as kit  # noqa: PLC0414 - a fixture

SVG = "{http://www.w3.org/2000/svg}"
SPECULATIVE, FINALLY = EndPointKind.SPECULATIVE, EndPointKind.FINAL
RULE = Decision("pause", (("pause_ms", 560.0),))


def ms(time: float) -> int:
    return round(time * SAMPLES_PER_MS)


def stream(start: float, end: float, length: float, words: str = "turn it on") -> Stream:
    """A stream with speech from `start` to `end`, in milliseconds."""
    samples, spans = np.zeros(ms(length), np.float32), ((ms(start), ms(end)),)
    return Stream(
        samples, ms(start), ms(end), tuple(words.split()), spans, (), "an4", "quiet", Path("a")
    )


SPEECH = stream(1_000, 2_000, 6_500)


@pytest.mark.parametrize(
    ("segments", "found"),
    [
        ([(900, 2_480, True)], Outcome(480, cut=False, never=False)),
        ([(900, 1_500, True), (1_600, 2_300, True)], Outcome(300, cut=True, never=False)),
        ([(900, 1_999, True)], Outcome(None, cut=True, never=False)),
        ([(900, 1_500, False), (1_600, 2_300, True)], Outcome(300, cut=False, never=False)),
        ([(0, 900, True), (950, 2_100, True)], Outcome(100, cut=False, never=False)),
        ([(900, None, True)], Outcome(None, cut=False, never=True)),
        ([(900, 6_100, True)], Outcome(None, cut=False, never=True)),
        ([(900, 3_000, False)], Outcome(None, cut=False, never=False)),
        ([(900, 1_500, True), (2_100, None, True)], Outcome(None, cut=True, never=False)),
        ([], Outcome(None, cut=False, never=False)),
    ],
)
def test_what_became_of_a_stream(
    segments: list[tuple[float, float | None, bool]], found: Outcome
) -> None:
    made = [Segment(ms(a), None if b is None else ms(b), heard=c) for a, b, c in segments]
    assert outcome(SPEECH, made) == found


def test_audio_that_ends_with_the_speech_cannot_be_waited_for() -> None:
    short = stream(0, 1_000, 1_000)
    assert outcome(short, [Segment(0, None)]) == Outcome(None, cut=False, never=False)


def result(text: str) -> Result:
    words = tuple(Word(word, 0, 0, 1.0) for word in text.split())
    return Result(words, 1.0, (), Lattice((0,), ()))


def point(at: float, version: int, kind: EndPointKind, text: str, utterance: int = 1) -> EndPoint:
    return EndPoint(ms(at), utterance, version, kind, RULE, 0, result(text))


# Announced too early and taken back; announced, revised by other words when it was sure.
TOLD: list[Event] = [
    SpeechStarted(ms(900), 1, ms(600)),
    point(1_600, 1, SPECULATIVE, "turn"),
    Retracted(ms(1_750), 1, 1),
    point(2_200, 2, SPECULATIVE, "turn it"),
    Revised(ms(2_500), 1, 3, reset=True, result=result("turn it on")),
    Committed(ms(2_500), 1, 3, RULE),
]
# Announced, and so it stood.
STOOD: list[Event] = [
    SpeechStarted(ms(900), 1, ms(600)),
    point(2_240, 1, SPECULATIVE, "turn it on"),
    Committed(ms(2_440), 1, 1, RULE),
]
# Cut off at once; the rest was sure at once.
CUT: list[Event] = [
    SpeechStarted(ms(900), 1, ms(600)),
    point(1_400, 1, FINALLY, "turn"),
    Committed(ms(1_400), 1, 1, RULE),
    SpeechStarted(ms(1_600), 2, ms(1_400)),
    point(2_600, 1, FINALLY, "on", 2),
    Committed(ms(2_600), 2, 1, RULE),
]


def test_events_tell_the_course_of_utterances() -> None:
    (told,) = courses(TOLD)
    assert told.segment == Segment(ms(600), ms(2_500), heard=True)
    assert (told.retracted, told.revised, told.words) == (1, 1, ("turn", "it", "on"))
    assert [one.undone for one in told.versions] == [ms(1_750), ms(2_500), None]
    cancelled: list[Event] = [SpeechStarted(0, 1, 0), Cancelled(ms(900), 1, "end of audio")]
    assert courses(cancelled)[0].segment == Segment(0, None, heard=False)
    over = Decision("end of audio", ())
    events: list[Event] = [
        SpeechStarted(0, 1, 0),
        replace(point(900, 1, FINALLY, "on"), decision=over),
        Committed(ms(900), 1, 1),
    ]
    assert courses(events)[0].segment == Segment(0, None, heard=True)


@pytest.mark.parametrize(
    ("events", "found"),
    [
        (TOLD, (500, 1, 1, 0, 1, 2, 0, 1, 1)),
        (STOOD, (240, 0, 1, 1, 1, 1, 1, 0, 0)),
        (CUT, (600, 1, 2, 0, 0, 0, 0, 0, 0)),
        ([], (None, 0, 0, 0, 0, 0, 0, 0, 0)),
    ],
)
def test_what_speculation_did(events: list[Event], found: tuple[float | None, ...]) -> None:
    assert astuple(speculated(SPEECH, courses(events))) == found


@pytest.mark.parametrize(
    ("events", "work", "both"),
    [
        (STOOD, 100, (540, 440)),  # done before it is sure
        (STOOD, 400, (840, 640)),
        (TOLD, 400, (900, 900)),  # begun anew
        (CUT, 100, (700, 700)),
        ([], 100, None),
    ],
)
def test_delays_with_and_without_speculation(
    events: list[Event], work: float, both: tuple[float, float] | None
) -> None:
    assert delays(SPEECH, courses(events), work) == both


def test_work_in_vain_is_no_longer_than_the_work_and_no_longer_than_it_stood() -> None:
    assert wasted(courses(TOLD), 100) == 100 + 100
    assert wasted(courses(TOLD), 400) == 150 + 300
    assert wasted(courses(STOOD), 400) == wasted(courses(CUT), 400) == 0


def test_words_are_lost_only_if_they_are_understood_as_a_whole() -> None:
    said = ["turn", "it", "on"]
    assert lost(said, said, ["turn", "on"]) == {1}
    assert lost(said, said, []) == {0, 1, 2}
    assert lost(said, ["turn", "a", "on"], ["turn", "it"]) == {2}
    assert not lost(said, ["well", "on"], ["on"])


def trial(
    events: list[Event], condition: str = "quiet", corpus: str = "an4", pause: float = 0.0
) -> Trial:
    course = courses(events)
    found = outcome(SPEECH, [one.segment for one in course])
    given = [word for one in course for word in one.words]
    return Trial(
        condition, corpus, pause, 6.5, 0.13,
        {FINAL: found, "other": Outcome(None, cut=False, never=True)},
        speculated(SPEECH, course), tuple(delays(SPEECH, course, work) for work in (100, 400)),
        tuple(wasted(course, work) for work in (100, 400)),
        frozenset(lost(SPEECH.words, SPEECH.words, given)), 3,
    )  # fmt: skip


TRIALS = [
    trial(TOLD),
    trial(STOOD),
    trial(CUT, "music 5 dB"),
    trial([], "dictation"),
    trial(STOOD, "bare", "synthetic", 901.0),
]


def test_figures_of_an_end_pointer() -> None:
    assert ended([Outcome(latency, cut=False, never=False) for latency in (100, 200, 300)]) == {
        "ep50": 200, "ep90": 280, "cut": 0, "never": 0, "missed": 0,
    }  # fmt: skip
    outcomes = [Outcome(100, cut=True, never=False), Outcome(None, cut=False, never=True)]
    found = ended([*outcomes, Outcome(None, cut=True, never=False)])
    assert found["ep50"] == (100 + LIMIT_MS) / 2
    assert [round(found[name]) for name in ("cut", "never", "missed")] == [67, 33, 33]
    assert ended([]) == {"cut": 0, "never": 0, "missed": 0}


def test_figures_of_speculation() -> None:
    found = announced(TRIALS[:3])
    assert found["early.ep50"] == 500
    assert found["early.cut"] == pytest.approx(200 / 3)
    assert found["early.ahead_ms"] == 0  # 0, 200 and 0 ms
    assert found["early.announced"] == 50  # two of four utterances
    assert found["utterances"] == pytest.approx(4 / 3)
    assert found["early.correct"] == 50
    assert found["early.stood"] == pytest.approx(100 / 3)
    assert found["early.retracted"] == found["early.revised"] == pytest.approx(1 / 3)
    assert (found["lost_first"], found["lost_last"]) == (0, 0)
    assert found["cut_and_lost"] == pytest.approx(100 / 3)  # "it"
    assert found["cpu_per_second"] == pytest.approx(0.02)


def test_figures_of_work() -> None:
    found = worked(TRIALS[:3])
    assert found["work_400.waiting"] == pytest.approx((900 + 840 + 1_000) / 3)
    assert found["work_400.speculating"] == pytest.approx((900 + 640 + 1_000) / 3)
    assert found["work_400.wasted"] == pytest.approx(450 / 3)


def test_all_is_of_all_but_dictation_and_kinds_of_voice_are_apart() -> None:
    found = all_figures(TRIALS)
    streams = {key: value for key, value in found.items() if key.endswith(".streams")}
    assert streams == {
        "quiet.streams": 2, "music_5_dB.streams": 1, "dictation.streams": 1, "bare.streams": 1,
        "all.streams": 4, "clean.streams": 3, "noisy.streams": 1, "commands.streams": 4,
        "commands,_clean.streams": 3, "commands,_clean,_pauses_to_900_ms.streams": 2,
        "real.streams": 3, "synthetic.streams": 1,
    }  # fmt: skip
    assert found[f"all.{FINAL}.cut"] == 25
    text = "\n".join(tables(found, ["quiet", "bare", "music 5 dB"]))
    assert "| quiet | 2 | 370 |" in text
    assert "| music 5 dB | 1 | 600 |" in text
    assert "| other | 4000 | 4000 | 0 | 100 | 0 |" in text
