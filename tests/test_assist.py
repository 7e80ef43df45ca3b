"""Between a session and its clients: what a re-ranker changes, and what it never does."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from earshot.asking import AssistSettings, Question
from earshot.assist import Assist, Stage
from earshot.errors import DeviceError
from earshot.events import (
    Arc,
    Cancelled,
    Committed,
    EndPoint,
    Event,
    Muted,
    Partial,
    Result,
    Retracted,
    Revised,
    SpeechStarted,
)
from earshot.inference import Inference
from earshot.ranked import Ranked
from earshot.session import Session

from tests import contract
from tests.choosy import ChoosyRecogniser
from tests.fake_recogniser import FakeRecogniser, Samples, loud, quiet

Answer = Callable[[Question], Awaitable[list[Ranked]]]
TURN = 1_600
SAID = np.concatenate([loud(0.2), quiet(0.5)])


def path(question: Question, word: str) -> list[Ranked]:
    """The path that says one word throughout."""
    arcs = tuple(arc for arc in question.result.lattice.arcs if arc.word == word)
    return [Ranked(arcs, 0.9)]


async def other(question: Question) -> list[Ranked]:
    await asyncio.sleep(0)
    return path(question, "ward")


async def same(question: Question) -> list[Ranked]:
    return path(question, "word")


async def silent(_: Question) -> list[Ranked]:
    await asyncio.Event().wait()
    raise NotImplementedError


async def late(_: Question) -> list[Ranked]:
    raise TimeoutError


async def failing(_: Question) -> list[Ranked]:
    message = "out of order"
    raise DeviceError(message)


async def defective(_: Question) -> list[Ranked]:
    message = "a defect"
    raise ArithmeticError(message)


@dataclass
class Oracle:
    """Answers as a test wants it."""

    answer: Answer
    open: bool = True
    asked: list[Question] = field(default_factory=list)

    async def ask(self, question: Question) -> list[Ranked]:
        self.asked.append(question)
        return await self.answer(question)


async def heard(
    oracle: Oracle, *pieces: Samples, deadline_ms: int = 40
) -> tuple[list[Event], Assist]:
    """What clients get of a session that hears pieces, to its end."""
    events, inference = list[Event](), Inference()
    assist = Assist(oracle, AssistSettings(deadline_ms=deadline_ms))
    session = Session(ChoosyRecogniser(), inference, TURN, events.append, assist)
    for piece in pieces:
        await session.hear(piece)
    await session.finish()
    inference.close()
    contract.check(events)
    return events, assist


def kinds(events: Sequence[Event]) -> list[type]:
    return [type(event) for event in events if not isinstance(event, Partial)]


def last_words(events: Sequence[Event]) -> str:
    return [e.result.text for e in events if isinstance(e, EndPoint | Revised)][-1]


def test_what_is_likelier_revises_the_version_before_it_is_committed() -> None:
    events, assist = asyncio.run(heard(Oracle(other), SAID))
    assert kinds(events) == [SpeechStarted, EndPoint, Revised, Committed]
    revised, committed = events[-2:]
    assert isinstance(revised, Revised)
    assert (revised.version, revised.reset, revised.result.text) == (2, True, "ward ward")
    assert isinstance(committed, Committed)
    assert committed.version == 2
    assert committed.decision is not None
    assert committed.decision.rule == "pause"
    assert (assist.tally.asked, assist.tally.revised) == (1, 1)


def test_it_is_asked_when_an_end_is_seen_and_not_again_when_that_is_sure() -> None:
    oracle = Oracle(same)
    events, assist = asyncio.run(heard(oracle, SAID))
    assert kinds(events) == [SpeechStarted, EndPoint, Committed]
    assert len(oracle.asked) == 1
    assert assist.tally.confirmed == 1


def test_after_a_revision_a_retraction_names_the_version_that_clients_know() -> None:
    pieces = loud(0.2), quiet(0.1), loud(0.2), quiet(0.5)

    async def patient(question: Question) -> list[Ranked]:
        return path(question, "ward")

    events, _ = asyncio.run(heard(Oracle(patient), *pieces))
    assert kinds(events) == [
        SpeechStarted, EndPoint, Revised, Retracted, EndPoint, Revised, Committed,
    ]  # fmt: skip
    versions = [e.version for e in events if not isinstance(e, SpeechStarted | Partial)]  # type: ignore[union-attr]
    assert versions == [1, 2, 2, 3, 4, 4]
    assert last_words(events) == "ward ward ward ward"


@pytest.mark.parametrize(
    ("answer", "count"), [(silent, "late"), (late, "late"), (failing, "failed")]
)
def test_what_is_late_or_fails_changes_nothing_but_a_count(answer: Answer, count: str) -> None:
    events, assist = asyncio.run(heard(Oracle(answer), SAID))
    assert kinds(events) == [SpeechStarted, EndPoint, Committed]
    assert last_words(events) == "word word"
    assert getattr(assist.tally, count) == 1


def test_a_defect_is_logged_and_what_was_understood_stands(
    caplog: pytest.LogCaptureFixture,
) -> None:
    events, _ = asyncio.run(heard(Oracle(defective), SAID))
    assert kinds(events) == [SpeechStarted, EndPoint, Committed]
    assert "a defect" in caplog.text


def test_what_comes_behind_a_commit_that_waits_waits_too() -> None:
    async def scene() -> None:
        events, go = list[Event](), asyncio.Event()

        async def slow(question: Question) -> list[Ranked]:
            await go.wait()
            return path(question, "ward")

        inference = Inference()
        assist = Assist(Oracle(slow), AssistSettings(deadline_ms=10_000))
        session = Session(ChoosyRecogniser(), inference, TURN, events.append, assist)
        await session.hear(SAID)
        session.stage.put(Muted(session.position, muted=True))
        await session.hear(loud(0.2))
        assert kinds(events) == [SpeechStarted, EndPoint]
        assert session.stage.utterance == 1  # who begins to listen now gets nothing of it
        go.set()
        await session.stage.settled()
        assert kinds(events) == [SpeechStarted, EndPoint, Revised, Committed, Muted, SpeechStarted]
        assert session.stage.utterance == 2
        session.stage.close()
        inference.close()

    asyncio.run(scene())


def test_dropping_lets_everything_flow_and_the_answer_is_ignored() -> None:
    async def scene() -> None:
        events, inference = list[Event](), Inference()
        oracle = Oracle(silent)
        assist = Assist(oracle, AssistSettings(deadline_ms=10_000))
        session = Session(ChoosyRecogniser(), inference, TURN, events.append, assist)
        await session.hear(SAID)
        oracle.open = False
        assist.drop()
        assert kinds(events) == [SpeechStarted, EndPoint, Committed]
        await session.hear(SAID)
        assert len(oracle.asked) == 1
        assert kinds(events)[3:] == [SpeechStarted, EndPoint, Committed]
        inference.close()

    asyncio.run(scene())


def test_without_a_choice_nobody_is_asked() -> None:
    async def scene() -> None:
        oracle, events, inference = Oracle(other), list[Event](), Inference()
        assist = Assist(oracle, AssistSettings())
        session = Session(FakeRecogniser(), inference, TURN, events.append, assist)
        await session.hear(SAID)
        await session.finish()
        assert not oracle.asked
        assert kinds(events) == [SpeechStarted, EndPoint, Committed]
        inference.close()

    asyncio.run(scene())


def test_who_fails_several_times_in_a_row_is_left_alone_for_a_while() -> None:
    async def scene() -> None:
        now = 0.0
        oracle = Oracle(failing)
        assist = Assist(oracle, AssistSettings(), lambda: now)
        stage = assist.stage(lambda _: None, untouched)
        for _ in range(6):
            await once(stage)
        assert len(oracle.asked) == 3
        assert assist.rest.reason == "out of order; it is left alone for 5 s"
        now = 5.0
        for _ in range(3):
            await once(stage)
        assert len(oracle.asked) == 4  # once, and rests again, for longer
        assert assist.rest.left == 10.0
        now, oracle.answer = 15.0, same
        for _ in range(3):
            await once(stage)
        assert len(oracle.asked) == 7

    asyncio.run(scene())


async def untouched(found: Result, best: Sequence[Arc]) -> Result:
    del best
    return found


async def once(stage: Stage) -> None:
    """An utterance."""
    for event in ChoosyRecogniser().accept(SAID):
        stage.put(event)
    await stage.settled()


@pytest.mark.parametrize("seed", range(30))
def test_the_contract_holds_whatever_a_re_ranker_does(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - to try

    async def moody(question: Question) -> list[Ranked]:
        await asyncio.sleep(dice.choice([0, 0, 0.001, 0.004, 0.02]))
        answer: Answer = dice.choice([other, same, silent, late, failing, defective])
        return await answer(question)

    async def scene() -> None:
        events, inference = list[Event](), Inference()
        assist = Assist(Oracle(moody), AssistSettings(deadline_ms=8), lambda: 1e9 * dice.random())
        session = Session(ChoosyRecogniser(), inference, TURN, events.append, assist)
        for _ in range(30):
            await session.hear((loud if dice.random() < 0.5 else quiet)(dice.randint(1, 4) / 10))
            if dice.random() < 0.1:
                assist.drop()
            if dice.random() < 0.05:
                session.forget("muted")
            await asyncio.sleep(dice.choice([0, 0.002]))
        await session.finish()
        inference.close()
        assert contract.check(events) == sum(isinstance(e, SpeechStarted) for e in events)
        assert isinstance(events[-1], Committed | Cancelled)

    asyncio.run(scene())
