"""The arbiter: whatever it sees, an utterance keeps its contract."""

from itertools import product

import pytest
from earshot.arbiter import TABLE, Act, Arbiter, Sign, Stand
from earshot.events import (
    Alternative,
    Cancelled,
    Command,
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
from earshot.lattice import EMPTY
from hypothesis import given
from hypothesis import strategies as st

from tests import contract

DECISION = Decision("pause", ())
MOST = 3


def said(text: str) -> Result:
    words = tuple(Word(word, 0, 0, 1.0) for word in text.split())
    return Result(words, 1.0, (Alternative(text, 0.0),), Lattice((0, 0), ())) if text else EMPTY


def test_the_table_knows_every_state_and_sign() -> None:
    assert set(TABLE) == set(product(Stand, Sign))


def test_an_announced_version_is_committed_as_it_is() -> None:
    arbiter = Arbiter(7, MOST)
    assert arbiter.act(Sign.SEEMS_DONE) is Act.ANNOUNCE
    (announced,) = arbiter.announce(5, DECISION, 4, said("stop"))
    assert announced == EndPoint(5, 7, 1, EndPointKind.SPECULATIVE, DECISION, 4, said("stop"))
    assert arbiter.act(Sign.SEEMS_DONE) is Act.WAIT
    assert arbiter.act(Sign.DONE) is Act.END
    assert arbiter.end(9, DECISION, 4, said("stop")) == [Committed(9, 7, 1, DECISION)]


def test_who_goes_on_has_the_version_taken_back_and_another_announced() -> None:
    arbiter = Arbiter(1, MOST)
    arbiter.announce(5, DECISION, 4, said("turn on"))
    assert arbiter.act(Sign.WENT_ON) is Act.RETRACT
    assert arbiter.retract(6) == [Retracted(6, 1, 1)]
    assert arbiter.act(Sign.SEEMS_DONE) is Act.ANNOUNCE
    (second,) = arbiter.announce(8, DECISION, 7, said("turn on the light"))
    assert isinstance(second, EndPoint)
    assert second.version == 2


def test_other_words_than_were_announced_are_a_revision_with_reset() -> None:
    arbiter = Arbiter(1, MOST)
    arbiter.announce(5, DECISION, 4, said("four"))
    revised, committed = arbiter.end(9, DECISION, 4, said("for"))
    assert revised == Revised(9, 1, 2, reset=True, result=said("for"))
    assert committed == Committed(9, 1, 2, DECISION)


def test_another_command_of_the_same_words_is_a_revision_too() -> None:
    one, other = (Result((), 0, (), EMPTY.lattice, Command(name, (), 0.1)) for name in ("a", "b"))
    again = Result((), 0, (), EMPTY.lattice, Command("a", (), 0.7))
    arbiter = Arbiter(1, MOST)
    arbiter.announce(5, DECISION, 4, one)
    assert [type(e) for e in arbiter.end(9, DECISION, 4, again)] == [Committed]
    arbiter = Arbiter(1, MOST)
    arbiter.announce(5, DECISION, 4, one)
    assert [type(e) for e in arbiter.end(9, DECISION, 4, other)] == [Revised, Committed]


def test_without_speculation_the_end_is_final() -> None:
    arbiter = Arbiter(1, 0)
    assert arbiter.act(Sign.SEEMS_DONE) is Act.WAIT
    ended, committed = arbiter.end(9, DECISION, 4, said("stop"))
    assert isinstance(ended, EndPoint)
    assert ended.kind is EndPointKind.FINAL
    assert committed == Committed(9, 1, 1, DECISION)


def test_what_turns_out_to_be_nothing_is_taken_back_and_cancelled() -> None:
    arbiter = Arbiter(1, MOST)
    assert arbiter.announce(3, DECISION, 2, EMPTY) == []
    assert arbiter.stand is Stand.LISTENING
    arbiter.announce(5, DECISION, 4, said("uh"))
    assert arbiter.end(9, DECISION, 4, EMPTY) == [Retracted(9, 1, 1), Cancelled(9, 1, "pause")]


signs = st.lists(
    st.tuples(st.sampled_from([*Sign]), st.sampled_from(["", "a", "a b"])), max_size=12
)


@given(signs, st.integers(0, MOST), st.sampled_from(["", "a", "a b"]))
def test_random_signs_keep_the_contract_and_the_cap(
    script: list[tuple[Sign, str]], most: int, last: str
) -> None:
    arbiter, at = Arbiter(1, most), 0
    events: list[Event] = [SpeechStarted(0, 1, 0)]
    for at, (sign, text) in enumerate(script, 1):
        match arbiter.act(sign):
            case Act.ANNOUNCE:
                events += arbiter.announce(at, DECISION, at, said(text))
            case Act.RETRACT:
                events += arbiter.retract(at)
            case Act.END:
                break
    events += arbiter.end(at + 1, DECISION, at, said(last))
    assert contract.check(events) == 1
    early = [e for e in events if isinstance(e, EndPoint) and e.kind is EndPointKind.SPECULATIVE]
    assert len(early) <= most
    announced = [e for e in events if isinstance(e, EndPoint | Revised)]
    if isinstance(events[-1], Committed):
        assert announced[-1].result.text == last


@pytest.mark.parametrize("sign", [*Sign])
def test_an_utterance_may_end_whatever_was_seen_before(sign: Sign) -> None:
    arbiter = Arbiter(1, MOST)
    arbiter.announce(1, DECISION, 1, said("a"))
    arbiter.act(sign)
    assert isinstance(arbiter.end(2, DECISION, 1, said("a"))[-1], Committed)
