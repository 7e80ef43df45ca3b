"""The recogniser over a scripted utterance: when it opens, what it says, how it ends."""

from dataclasses import replace

import numpy as np
import pytest
from earshot.bundle import open_bundle
from earshot.effort import Effort
from earshot.endpointers import EndPointSettings, Evidence, Fusion, Glance, explain
from earshot.engine import Engine
from earshot.events import (
    Alternative,
    Cancelled,
    Committed,
    Decision,
    EndPoint,
    EndPointKind,
    Event,
    Lattice,
    Partial,
    Result,
    SpeechStarted,
    Word,
)
from earshot.lattice import EMPTY
from earshot.recogniser import Recogniser
from earshot.units import VAD_FRAME, VAD_FRAME_MS, samples
from earshot.vad import VadSettings

from tests import contract, networks
from tests.recordings import recording

Samples = contract.Samples
TABLE = EndPointSettings()


class ScriptedUtterance:
    """Understands a word for every 100 ms of loudness; `deaf` understands nothing."""

    def __init__(self, start: int, *, deaf: bool = False, final: float | None = None) -> None:
        self._start, self._deaf = start, deaf
        self._loud = 0
        self.heard, self.last_token = start, start
        self.final = final  # log odds of the end, in the place of a network's

    def effort(self, effort: Effort) -> None:
        """Whatever is spent, it hears what the script says."""

    def accept(self, audio: Samples) -> bool:
        for at in range(0, len(audio), VAD_FRAME):
            frame = audio[at : at + VAD_FRAME]
            self.heard += len(frame)
            if np.abs(frame).max() > 0.1 and not self._deaf:
                self._loud += 1
                self.last_token = self.heard
        return True

    @property
    def spoken(self) -> bool:
        return bool(self.words())

    def words(self) -> tuple[Word, ...]:
        step = samples(100)
        starts = (self._start + i * step for i in range(self._loud // 5))
        return tuple(Word(f"w{i}", at, at + step, 0.0) for i, at in enumerate(starts))

    def evidence(self) -> Evidence | None:
        if self.final is None:
            return None
        return Evidence(self.final, still_ms=(self.heard - self.last_token) / samples(1))

    def speaks(self, audio: Samples) -> bool | None:
        return None if self.final is None else bool(np.abs(audio).max() > 0.1)

    def so_far(self) -> Result:
        return self.finish()

    def finish(self) -> Result:
        words = self.words()
        if not words:
            return EMPTY
        text = " ".join(word.text for word in words)
        return Result(words, 1.0, (Alternative(text, 0.0),), Lattice((0, self.heard), ()))


class ScriptedDetector:
    """In the place of webrtcvad: loud is speech."""

    def is_speech(self, pcm: bytes, _rate: int) -> bool:
        return bool(np.abs(np.frombuffer(pcm, "<i2")).max() > 3_000)


def recogniser(
    table: EndPointSettings = TABLE, *, deaf: bool = False, final: float | None = None
) -> Recogniser:
    found = Recogniser(
        lambda start: ScriptedUtterance(start, deaf=deaf, final=final),  # type: ignore[arg-type, return-value]
        VadSettings(),
        table,
        Fusion(final=1.0),
    )
    found._vad._detector = ScriptedDetector()
    return found


def loud(milliseconds: int) -> Samples:
    return np.full(samples(milliseconds), 0.5, np.float32)


def quiet(milliseconds: int) -> Samples:
    return np.zeros(samples(milliseconds), np.float32)


def names(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def decision(rule: str, waited: float) -> Decision:
    """Of the utterance below: 300 ms of speech, 240 ms of which the gate took to open."""
    glance = Glance(0, 3, False, waited, waited, 640 + waited)  # noqa: FBT003
    return explain(rule, glance)


def test_an_utterance_from_its_first_sound_to_its_end() -> None:
    heard = recogniser()
    events = heard.accept(np.concatenate([quiet(1_000), loud(300), quiet(2_000)]))
    started, *partials, ended, committed = events
    assert committed == Committed(samples(1_300 + TABLE.pause_ms), 1, 1, decision("pause", 560))
    assert started == SpeechStarted(samples(1_060), 1, samples(1_060 - 400))
    assert [len(p.words) for p in partials if isinstance(p, Partial)] == [1, 2, 3]
    assert isinstance(ended, EndPoint)
    assert (ended.version, ended.kind) == (1, EndPointKind.SPECULATIVE)
    assert ended.decision == decision("short pause", 360)
    assert ended.at == samples(1_300 + TABLE.short_pause_ms)
    assert ended.result.text == "w0 w1 w2"
    assert heard.finish() == []


def test_nothing_happens_in_silence() -> None:
    heard = recogniser()
    assert heard.accept(quiet(5_000)) == []
    assert heard.finish() == []
    assert recogniser().finish() == []


ENDS: list[tuple[str, EndPointSettings, type[Event], list[Samples], int]] = [
    ("pause", TABLE, EndPoint, [loud(500), quiet(3_000)], 500 + 560),
    ("breath", replace(TABLE, long_ms=1_000), EndPoint, [loud(1_100), quiet(3_000)], 1_100 + 240),
    ("nothing was said", TABLE, Cancelled, [loud(500), quiet(3_000)], 500 + 1_500),
    ("too long", replace(TABLE, longest_ms=2_000), EndPoint, [loud(3_000)], 2_000),
    ("too long", replace(TABLE, longest_ms=2_000), Cancelled, [loud(3_000)], 2_000),
]


@pytest.mark.parametrize(("rule", "table", "kind", "turns", "at"), ENDS)
def test_every_rule_ends_an_utterance_in_its_time_and_is_named(
    rule: str, table: EndPointSettings, kind: type[Event], turns: list[Samples], at: int
) -> None:
    table = replace(table, speculations=0)
    events = recogniser(table, deaf=kind is Cancelled).accept(np.concatenate(turns))
    end = next(event for event in events if isinstance(event, EndPoint | Cancelled))
    assert type(end) is kind
    assert (end.decision.rule if isinstance(end, EndPoint) else end.reason) == rule
    assert end.at == samples(at)


def test_words_end_by_a_long_pause_where_the_detector_goes_on_hearing_something() -> None:
    heard = recogniser()
    heard._vad._detector.is_speech = lambda *_: True
    events = heard.accept(np.concatenate([loud(500), quiet(2_000)]))
    end = next(event for event in events if isinstance(event, EndPoint))
    assert end.decision.rule == "long pause"
    assert end.at == samples(500 + TABLE.long_pause_ms)


def test_speech_that_goes_on_after_an_end_is_the_next_utterance_without_a_gap() -> None:
    heard = recogniser(replace(TABLE, longest_ms=1_000))
    events = [*heard.accept(loud(2_500)), *heard.finish()]
    assert contract.check(events, replace(TABLE, longest_ms=1_000)) == 3
    starts = [event.start for event in events if isinstance(event, SpeechStarted)]
    assert starts == [0, samples(1_000), samples(2_000)]


def test_what_waits_behind_an_end_is_heard_when_the_audio_is_over() -> None:
    heard = recogniser(replace(TABLE, longest_ms=1_000))
    events = [*heard.accept(loud(1_200)), *heard.finish()]
    assert [e.start for e in events if isinstance(e, SpeechStarted)] == [0, samples(1_000)]
    assert names(events)[-1] == "Committed"
    sure = recogniser(SURE, final=5.0)
    sure._vad._detector.is_speech = lambda *_: True
    sure.accept(np.concatenate([loud(500), quiet(700)]))
    assert sure.finish() == []


SURE = replace(TABLE, done=0.9, likely=0.5)


def test_a_network_that_is_sure_ends_an_utterance_whatever_the_detector_hears() -> None:
    heard = recogniser(SURE, final=5.0)
    heard._vad._detector.is_speech = lambda *_: True
    events = heard.accept(np.concatenate([loud(500), quiet(500)]))
    assert [e.at for e in events if isinstance(e, EndPoint | Committed)] == [
        samples(500 + SURE.likely_ms), samples(500 + SURE.done_ms),
    ]  # fmt: skip
    doubtful = recogniser(SURE, final=1.0)
    doubtful._vad._detector.is_speech = lambda *_: True
    events = doubtful.accept(np.concatenate([loud(500), quiet(500)]))
    assert names(events)[-1] == "EndPoint"


def test_what_the_detector_hears_behind_an_end_is_no_new_utterance_but_nothing_is_lost() -> None:
    heard = recogniser(SURE, final=5.0)
    heard._vad._detector.is_speech = lambda *_: True
    first = heard.accept(np.concatenate([loud(500), quiet(1_600)]))
    assert names(first).count("SpeechStarted") == 1
    more = heard.accept(loud(200))
    started = next(e for e in more if isinstance(e, SpeechStarted))
    assert started.start == next(e.at for e in first if isinstance(e, Committed))
    noise = recogniser(SURE, final=5.0)
    noise._vad._detector.is_speech = lambda *_: True
    events = noise.accept(np.concatenate([loud(500), quiet(2_000 + SURE.done_ms)]))
    ended = next(e.at for e in events if isinstance(e, Committed))
    assert [e.start for e in events if isinstance(e, SpeechStarted)] == [0, ended]


def test_the_end_of_the_audio_ends_an_utterance() -> None:
    heard = recogniser()
    heard.accept(loud(500))
    ended, committed = heard.finish()
    assert isinstance(ended, EndPoint)
    assert ended.decision.rule == "end of audio"
    assert committed == Committed(ended.at, 1, 1, ended.decision)
    assert heard.finish() == []


def test_a_sound_too_short_for_the_gate_counts_at_the_end_of_the_audio() -> None:
    assert names(recogniser().accept(loud(40))) == []
    heard = recogniser(deaf=True)
    heard.accept(loud(VAD_FRAME_MS))
    assert names(heard.finish()) == ["SpeechStarted", "Cancelled"]


def test_who_cancels_gives_up_what_is_under_way_and_nothing_else() -> None:
    heard = recogniser()
    assert heard.cancel("muted") == []
    heard.accept(loud(500))
    assert heard.cancel("muted") == [Cancelled(samples(500), 1, "muted")]
    assert heard.cancel("muted") == []
    assert heard.accept(quiet(2_000)) == []
    events = heard.accept(np.concatenate([loud(500), quiet(2_000)]))
    assert events[0].at == samples(2_560)
    assert isinstance(events[-1], Committed)
    assert events[-1].utterance == 2


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine.open(open_bundle(networks.phones(tmp_path_factory.mktemp("bundle"))))


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf, 1e30, -3e38])
@pytest.mark.parametrize("length", [1, 5_000])
def test_samples_that_are_no_numbers_do_not_poison_the_stream(
    engine: Engine, poison: float, length: int
) -> None:
    good = np.concatenate([recording("an4_command1").samples(), quiet(3_000)])
    bad = good.copy()
    bad[8_000 : 8_000 + length] = poison
    clean, poisoned = engine.recogniser(), engine.recogniser()
    clean.accept(good)
    events = poisoned.accept(bad)
    contract.check(events, engine.tuning.endpoint)
    assert "nan" not in repr(events)
    assert "inf" not in repr(events)
    wanted = clean.accept(good) + clean.finish()
    found = poisoned.accept(good) + poisoned.finish()
    assert words_of(found) == words_of(wanted), "what follows is heard as ever"


def words_of(events: list[Event]) -> list[str]:
    return [event.result.text for event in events if isinstance(event, EndPoint)]


def test_a_plain_list_of_doubles_is_heard_as_well() -> None:
    assert names(recogniser().accept(loud(500).astype(np.float64)))[0] == "SpeechStarted"
