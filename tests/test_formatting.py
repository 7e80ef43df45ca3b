"""How words are written, and that it is never more than a view of them."""

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from earshot.__main__ import main
from earshot.formatting import Formatted, Piece, formatted, joined
from earshot.generated.v1 import events_pb2
from earshot.generated.v1 import recognition_pb2 as pb
from earshot.recogniser import Watch
from earshot.wording import COUNTED, MEASURES, STARTERS
from hypothesis import given
from hypothesis import strategies as st

from tests.fake_engine import FakeEngine
from tests.fake_recogniser import FakeRecogniser, loud, quiet, s16le
from tests.formatting_cases import CASES
from tests.house import S16LE, house, requests, until

LINKS = {"and", "to", "or", "point", "the", "of", "on", "at", "past"}
LEXICON = sorted(STARTERS | MEASURES | COUNTED | LINKS)
spoken = st.lists(st.sampled_from(LEXICON), max_size=12)
anything = st.lists(st.text(max_size=8), max_size=8)


@pytest.mark.parametrize(("said", "written"), CASES, ids=[said for said, _ in CASES])
def test_words_are_written_as_people_do(said: str, written: str) -> None:
    assert formatted(said.split()).text == written


@pytest.mark.parametrize("said", [said for said, _ in CASES])
def test_what_is_said_in_capitals_is_written_alike(said: str) -> None:
    found, capitals = formatted(said.split()), formatted(said.upper().split())
    assert [(one.first, one.end) for one in capitals.pieces] == [
        (one.first, one.end) for one in found.pieces
    ]


@given(spoken | anything)
def test_every_word_is_in_exactly_one_piece_in_order(words: list[str]) -> None:
    found = formatted(words)
    places = [place for piece in found.pieces for place in range(piece.first, piece.end)]
    assert places == list(range(len(words)))
    assert found.text == " ".join(piece.text for piece in found.pieces)


@given(anything.map(lambda words: [word for word in words if word.lower() not in STARTERS]))
def test_words_that_begin_nothing_stay_as_they_are(words: list[str]) -> None:
    assert formatted(words).pieces == tuple(Piece(w, i, i + 1) for i, w in enumerate(words))


@pytest.mark.parametrize(("said", "written"), CASES, ids=[said for said, _ in CASES])
def test_what_is_written_stays_when_it_is_formatted_again(said: str, written: str) -> None:
    once = formatted(said.split())
    assert formatted([piece.text for piece in once.pieces]).text == written


def test_a_piece_tells_which_words_it_stands_for() -> None:
    assert formatted(["at", "seven", "thirty", "p", "m", "or", "so"]).pieces == (
        Piece("at", 0, 1),
        Piece("7:30 PM", 1, 5),
        Piece("or", 5, 6),
        Piece("so", 6, 7),
    )


def test_no_number_goes_from_one_utterance_into_the_next() -> None:
    found = joined(formatted(said.split()) for said in ("twenty", "", "five minutes"))
    assert found == Formatted((Piece("20", 0, 1), Piece("5 minutes", 1, 3)))


class Clock(FakeEngine):
    """What hears "at seven thirty" in three blocks."""

    def recogniser(self, watch: Watch = lambda _: None) -> FakeRecogniser:
        del watch
        return FakeRecogniser(says="at seven thirty")


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A recording of two utterances: "at seven thirty" and "at seven"."""
    monkeypatch.setattr("earshot.commands.transcribe.load_engine", lambda _: Clock())
    path = tmp_path / "clock.wav"
    audio = [loud(0.3), quiet(0.5), loud(0.2), quiet(0.5)]
    soundfile.write(path, np.concatenate(audio), 16_000)
    return str(path)


def test_transcribe_writes_as_people_do_when_asked(
    recording: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["transcribe", recording]) == 0
    assert main(["transcribe", "--formatted", "--n-best", "1", recording]) == 0
    plain, written, best, *_ = capsys.readouterr().out.splitlines()
    assert (plain, written) == ("at seven thirty at seven", "at 7:30 at seven")
    assert best.split()[1:] == plain.split(), "the n-best list has the words"


def test_the_object_of_transcribe_has_both_the_words_and_how_they_are_written(
    recording: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["transcribe", "--json", recording]) == 0
    assert main(["transcribe", "--json", "--formatted", recording]) == 0
    plain, found = map(json.loads, capsys.readouterr().out.splitlines())
    assert found.pop("formatted") == {
        "text": "at 7:30 at seven",
        "pieces": [
            {"text": "at", "first": 0, "end": 1},
            {"text": "7:30", "first": 1, "end": 3},
            {"text": "at", "first": 3, "end": 4},
            {"text": "seven", "first": 4, "end": 5},
        ],
    }
    assert found | {"cpu_seconds": 0} == plain | {"cpu_seconds": 0}, "nothing else is changed"


def test_a_client_gets_it_beside_the_words_if_it_asks() -> None:
    async def heard(wish: pb.Filter) -> events_pb2.Result:
        config = pb.RecognizeConfig(format=S16LE, sample_rate=16_000, filter=wish)
        async with house(lambda: FakeRecogniser(says="at seven thirty")) as h:
            call = h.stub.Recognize(iter(requests([s16le(loud(0.3))], config)))
            events: list[events_pb2.Event] = [response.event async for response in call]
        return events[-2].end_point.result

    plain = asyncio.run(heard(pb.Filter(lattices=True)))
    found = asyncio.run(heard(pb.Filter(lattices=True, formatted=True)))
    pieces = [(piece.text, piece.first, piece.end) for piece in found.formatted.pieces]
    assert (found.formatted.text, pieces) == ("at 7:30", [("at", 0, 1), ("7:30", 1, 3)])
    assert not plain.HasField("formatted")
    found.ClearField("formatted")
    assert found == plain, "text, words, alternatives and lattice stay"


def test_a_listener_gets_it_too() -> None:
    async def scene() -> None:
        async with house(lambda: FakeRecogniser(says="ten percent")) as h:
            call = h.stub.Listen(pb.ListenRequest(filter=pb.Filter(formatted=True)))
            await until(lambda: h.sessions.clients.now == 1)
            h.room.say(loud(0.2), quiet(0.5))
            events = [(await call.read()).event for _ in range(3)]
            assert events[1].end_point.result.formatted.text == "10%"
            assert events[1].end_point.result.text == "ten percent"

    asyncio.run(scene())
