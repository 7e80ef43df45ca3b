"""What comes of a daemon, folded to a view for a terminal, and told to a page."""

import json
import re
from collections.abc import Iterable

import pytest
from earshot.events import (
    Cancelled,
    Committed,
    Event,
    Interpretation,
    Muted,
    Partial,
    SpeechStarted,
    Word,
)
from earshot.following import Back, Gone, Item
from earshot.generated.v1 import playback_pb2, status_pb2
from earshot.looks import Look
from earshot.screen import frame
from earshot.telling import Teller
from earshot.usage import Usage
from earshot.vad import Gate
from earshot.view import Marker, View, harmless
from earshot.vitals import Vitals
from rich.console import Console

from tests.fake_recogniser import FakeRecogniser, loud, quiet

CONTROL = "\x1b[2Ja\x9b\u202eb\r\n\u2066"


def spoken(says: str = "turn on the lights", seconds: float = 0.4) -> list[Event]:
    heard = FakeRecogniser(says=says)
    return [*heard.accept(loud(seconds)), *heard.accept(quiet(0.5))]


def reading(at: int = 1_600, peak: float = -12.0, done: float = 0.5) -> tuple[Look, ...]:
    shown = Look(at, peak, peak - 6, speech=True, gate=Gate.SPEAKING, done=done, utterance=1)
    return (shown,) * 5


def vitals(spent: float = 1.0, *, ready: bool = False, muted: bool = False) -> Vitals:
    status = status_pb2.GetStatusResponse(ready=ready, muted=muted)
    status.mode, status.sandbox = status_pb2.MODE_LOCAL_ONLY, status_pb2.SANDBOX_ENFORCED
    status.source = "the room"
    player = playback_pb2.GetPlaybackStatusResponse(state=playback_pb2.PLAYBACK_STATE_PLAYING)
    player.punctuality.xruns = 3
    usages = {"daemon": Usage(7, spent, 100 << 20), "player": Usage(8, 0.5, 30 << 20)}
    return Vitals(status, player, usages)


def seen(items: Iterable[Item]) -> View:
    view = View()
    for number, item in enumerate(items):
        view.accept(item, float(number))
    return view


def drawn(view: View, width: int = 80, height: int = 24) -> str:
    console = Console(width=width, height=height, no_color=True)
    with console.capture() as captured:
        console.print(frame(view, width, height))
    return captured.get()


def test_an_utterance_is_followed_to_its_end() -> None:
    events = spoken()
    view = seen([Back(), vitals(ready=True), reading(), *events[:4]])
    assert (view.partial, view.trouble, view.lives) == ("turn on the", "", 1)
    assert "turn on the" in drawn(view)
    view = seen([Back(), vitals(ready=True), reading(), *events])
    assert view.partial == ""
    assert [one.text for one in view.heard] == ["turn on the lights"]
    assert [mark.text for mark in view.marks] == ["committed v1: pause"]
    text = drawn(view)
    assert " 90% in 0.30 s,  4 arcs  turn on the lights" in text
    assert "✓ committed v1: pause" in text
    assert "3 late blocks" in text
    assert "ready · local-only · off the network" in text


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 12), (120, 50), (20, 5)])
def test_a_frame_fits_the_terminal(width: int, height: int) -> None:
    words = "a very long sentence that says much more than fits on any line of any terminal"
    many = [event for _ in range(30) for event in spoken(words, 3.0)]
    view = seen([Back(), vitals(ready=True), *[reading()] * 200, *many])
    lines = drawn(view, max(width, 40), height).splitlines()
    assert len(lines) < max(height, 12)
    assert all(len(line) <= max(width, 40) for line in lines)


def test_cpu_is_the_share_since_the_last_look() -> None:
    view = seen([vitals(1.0), vitals(1.25)])
    assert view.shares == {"daemon": 0.25, "player": 0.0}
    again = Vitals(None, None, {"daemon": Usage(9, 0.1, 1)})
    view.accept(again, 3.0)
    assert view.shares == {"player": 0.0}, "that is another process"


def test_a_daemon_that_went_and_came_back_is_another_life() -> None:
    events = spoken()
    view = seen([Back(), *events[:3], Gone("no daemon answers at /x"), Muted(0, muted=True)])
    assert "no daemon answers at /x" in drawn(view)
    assert view.muted
    view.accept(Back(), 9.0)
    assert (view.trouble, view.partial, view.muted, view.lives) == ("", "", False, 2)
    view.accept(Committed(10, 1, 1), 10.0)  # of one that began before
    assert view.heard[-1].arcs == 0


def test_muted_and_not_ready_are_told() -> None:
    assert "muted" in drawn(seen([Back(), vitals(muted=True)]))
    assert "not ready" in drawn(seen([Back(), vitals(ready=False)]))


def test_nothing_that_is_said_reaches_the_terminal_but_as_text() -> None:
    assert harmless(CONTROL) == "\ufffd[2Ja\ufffd\ufffdb\ufffd\ufffd\ufffd"
    named = vitals(ready=True)
    assert named.status is not None
    named.status.source = named.status.bundle.name = CONTROL
    events = [
        SpeechStarted(1, 1, 0),
        Partial(2, 1, (Word(CONTROL, 0, 1, 0.0),), 2),
        *spoken("\x1b[2J"),
        Cancelled(9, 1, CONTROL),
    ]
    for count in range(len(events) + 1):
        text = drawn(seen([Back(), named, Gone(CONTROL), Back(), *events[:count]]))
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


def test_marks_come_as_events_do() -> None:
    marker = Marker()
    found = [[one.text for one in marker.accept(event)] for event in spoken()]
    assert [one for one in found if one] == [["committed v1: pause"]]


def test_a_page_is_told_all_there_is_to_draw() -> None:
    teller = Teller()
    told = [teller.tell(item) for item in (Back(), vitals(ready=True), reading(), *spoken())]
    assert [one["type"] for one in told][:3] == ["back", "status", "reading"]
    looks = json.loads(json.dumps(told[2]))["looks"]
    assert looks[0] == [0.1, -12.0, -18.0, True, True, 0.5]
    partial, end, committed = told[4], told[-2], told[-1]
    assert (partial["text"], partial["words"]) == (
        "turn",
        [{"word": "turn", "start": 0.0, "end": 0.1, "confidence": 0.0}],
    )
    assert str(end["svg"]).startswith("<svg")
    assert end["facts"] == "90% sure, lattice of 5 nodes, 4 arcs"
    assert end["meaning"] == ""
    assert committed["marks"] == [{"at": 0.7, "kind": "sure", "text": "committed v1: pause"}]
    assert teller.tell(Gone("away")) == {"type": "gone", "why": "away"}
    assert teller.tell(Vitals())["facts"] == []


def test_a_meaning_is_told_where_it_is_likely() -> None:
    end = spoken()[-2]
    for sure, shown in ((0.4, ""), (0.9, "means turn_on (90% sure)")):
        meant = Interpretation("turn_on", sure, (), ("turn", "on"))
        object.__setattr__(end.result, "interpretation", meant)  # type: ignore[union-attr]
        assert Teller().tell(end)["meaning"] == shown
