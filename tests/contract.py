"""The contract of an utterance (DESIGN.md) as a check of any events, and scripts to try it on."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from earshot.endpointers import EndPointSettings, Evidence, Glance, rules
from earshot.events import (
    Arc,
    Cancelled,
    Committed,
    Decision,
    EndPoint,
    Event,
    Partial,
    Result,
    Retracted,
    Revised,
    SpeechStarted,
    Word,
)
from earshot.units import SAMPLE_RATE

from tests.recordings import recordings

Samples = npt.NDArray[np.float32]
END_OF_AUDIO = "end of audio"


def check(events: Iterable[Event], known: EndPointSettings | None = None) -> int:
    """Assert the contract of whole utterances; with settings, that a rule decided. Their count."""
    at, number, said = 0, 0, _Said()
    for event in events:
        assert event.at >= at, f"{event} was sent before the one before it"
        at = event.at
        assert all(0 <= position <= at for position in positions(event)), event
        if isinstance(event, SpeechStarted):
            assert not said.open, f"{event} before the end of the one before"
            number += 1
            said = _Said(open=True)
        if isinstance(event, EndPoint | Committed) and known is not None and event.decision:
            check_decision(event.decision, known)
        assert getattr(event, "utterance", number) == number
        said.hear(event)
    assert not said.open, "the last utterance ended in nothing"
    return number


class _Said:
    """Where an utterance stands."""

    def __init__(self, *, open: bool = False) -> None:  # noqa: A002 - the word for it
        self.open = open
        self.versions = 0  # end-pointed or revised so far
        self.standing = False  # the last version is neither retracted nor committed

    def hear(self, event: Event) -> None:
        """Assert that `event` may come now."""
        if not hasattr(event, "utterance"):
            return
        assert self.open, f"{event} outside of an utterance"
        if isinstance(event, Partial):
            assert not self.standing, "a partial after an end-point that was not retracted"
        elif isinstance(event, EndPoint | Revised):
            assert event.version == self.versions + 1, "versions count from 1"
            assert self.standing == isinstance(event, Revised)
            self.versions, self.standing = event.version, True
        elif isinstance(event, Retracted | Committed):
            assert self.standing
            assert event.version == self.versions, "only the last version can stand or fall"
            self.standing, self.open = False, isinstance(event, Retracted)
        elif isinstance(event, Cancelled):
            assert event.reason
            self.open = False


def positions(event: Event) -> list[int]:
    """Every position of the audio that an event speaks about."""
    found = [getattr(event, name) for name in ("start", "heard", "end") if hasattr(event, name)]
    if isinstance(event, Partial):
        found += [position for word in event.words for position in (word.start, word.end)]
    if isinstance(event, EndPoint | Revised):
        found += _of_result(event.result)
    return found


def _of_result(result: Result) -> list[int]:
    timed: tuple[Word | Arc, ...] = (*result.words, *result.lattice.arcs)
    assert all(one.start <= one.end for one in timed)
    both = [position for one in timed for position in (one.start, one.end)]
    return [*both, *result.lattice.nodes]


def check_decision(decision: Decision, known: EndPointSettings) -> None:
    """Assert that a row of the table decided, and that its conditions held."""
    numbers = dict(decision.numbers)
    assert list(numbers) == [
        "words", "silence_ms", "pause_ms", "length_ms", "still_ms", "over", "probability",
    ]  # fmt: skip
    if decision.rule == END_OF_AUDIO:
        return
    row = next(rule for rule in rules(known) if rule.name == decision.rule)
    words, silence, pause, length, still, over, probability = numbers.values()
    evidence = Evidence(still_ms=still, over=over)
    clocks = silence, pause, length
    assert row.met_by(Glance(0, int(words), silence == 0, *clocks, probability, evidence)), decision


def script(seed: int, most: int = 5) -> Samples:
    """Random turns of real speech, cut anywhere, and of silence or low noise."""
    dice = np.random.default_rng(seed)
    spoken = recordings()
    parts: list[Samples] = []
    for _ in range(int(dice.integers(1, most + 1))):
        audio = spoken[dice.integers(len(spoken))].samples()
        first, last = np.sort(dice.integers(0, len(audio), 2))
        parts += [audio[first:last], quiet(dice, float(dice.uniform(0, 2)))]
    return np.concatenate(parts[: int(dice.integers(1, len(parts) + 1))])


def quiet(dice: np.random.Generator, seconds: float) -> Samples:
    """Digital silence or low noise."""
    level = dice.choice([0.0, 1e-4, 1e-3])
    white = dice.standard_normal(round(seconds * SAMPLE_RATE))
    return np.asarray(level * white, np.float32)


def slices(audio: Samples, seed: int) -> list[Samples]:
    """The audio in random pieces: single samples, nothing, a few milliseconds, all at once."""
    dice = np.random.default_rng(seed)
    pieces, at = [], 0
    while at < len(audio):
        longest = int(dice.choice([1, 1, 7, 320, 1_000, 16_000, len(audio)]))
        size = int(dice.integers(0, longest + 1))
        pieces.append(audio[at : at + size])
        at += size
    return pieces
