"""The engine: what is shared among streams, what a bundle tunes, where words lie in time."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from earshot.bundle import open_bundle
from earshot.engine import PIECES, Engine, Tuning
from earshot.events import EndPoint, Event, Partial
from earshot.search import SearchSettings

from tests import networks, small
from tests.recordings import recording

SHIPPED = Path(__file__).parent.parent / "models" / "bundles" / "en"
AUDIO = recording("an4_command1").samples()


def opened(folder: Path, tuning: str = "") -> Engine:
    return Engine.open(open_bundle(networks.phones(folder, tuning=tuning)))


def heard(engine: Engine, audio: np.ndarray = AUDIO) -> list[Event]:
    recogniser = engine.recogniser()
    return recogniser.accept(audio) + recogniser.finish()


def words(events: list[Event]) -> list[tuple[str, int, int]]:
    points = [event for event in events if isinstance(event, EndPoint)]
    return [(w.text, w.start, w.end) for point in points for w in point.result.words]


TUNED = """
[tuning]
delay_ms = 80
[tuning.search]
beam = 7
[tuning.lattice]
alternatives = 2
[tuning.vad]
preroll_ms = 200
[tuning.endpoint]
pause_ms = 300
"""


def test_a_bundle_brings_its_tuning_and_the_rest_keeps_its_defaults(tmp_path: Path) -> None:
    tuning = opened(tmp_path, TUNED).tuning
    assert tuning.delay_ms == 80
    assert tuning.search == SearchSettings(beam=7)
    assert tuning.lattice.alternatives == 2
    assert tuning.vad.preroll_ms == 200
    assert tuning.endpoint.pause_ms == 300
    assert opened(tmp_path).tuning == Tuning()


@pytest.mark.parametrize("beam", [None, 5])
def test_pieces_are_searched_by_settings_of_their_own_unless_the_bundle_says_so(
    tmp_path: Path, beam: int | None
) -> None:
    networks.write(tmp_path, "zipformer2")
    said = "[tuning]\ndelay_ms = 80\n" + (f"[tuning.search]\nbeam = {beam}" if beam else "")
    tuning = Engine.open(open_bundle(networks.manifest(tmp_path, "pieces", said))).tuning
    assert tuning.search == (SearchSettings(beam=beam) if beam else PIECES)
    assert tuning.delay_ms == 80, "and the rest of its tuning counts as well"


def test_words_are_those_of_the_lexicon_in_the_order_of_time(tmp_path: Path) -> None:
    found = words(heard(opened(tmp_path)))
    assert len(found) > 3
    assert {text for text, _, _ in found} <= set(small.SPOKEN)
    assert all(start <= end for _, start, end in found)
    assert [start for _, start, _ in found] == sorted(start for _, start, _ in found)


def test_the_delay_is_taken_from_every_position(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    later = words(heard(engine))
    sooner = words(heard(engine.tuned(replace(engine.tuning, delay_ms=120))))
    assert [text for text, _, _ in sooner] == [text for text, _, _ in later]
    inner = [(a, b) for a, b in zip(later, sooner, strict=True) if b[1] and a[2] < len(AUDIO)]
    assert len(inner) > 3
    assert {(a[1] - b[1], a[2] - b[2]) for a, b in inner} == {(1_920, 1_920)}


def test_tuned_changes_a_copy(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    other = engine.tuned(
        replace(engine.tuning, lattice=replace(engine.tuning.lattice, alternatives=1))
    )
    assert other.parts is engine.parts
    counts = {len(e.result.alternatives) for e in heard(other) if isinstance(e, EndPoint)}
    assert counts == {1}
    assert max(len(e.result.alternatives) for e in heard(engine) if isinstance(e, EndPoint)) > 1


def test_the_last_partial_holds_what_the_end_point_says_or_less(tmp_path: Path) -> None:
    events = heard(opened(tmp_path))
    partials = [event for event in events if isinstance(event, Partial)]
    assert partials
    assert all(partial.words for partial in partials[1:])
    texts = [[word.text for word in partial.words] for partial in partials]
    assert all(one != following for one, following in pairwise(texts))


def test_the_shipped_bundle_opens_and_understands_something() -> None:
    if not SHIPPED.exists():
        pytest.skip("no bundle is shipped")
    engine = Engine.open(open_bundle(SHIPPED))
    assert engine.bundle.kind == "phones"
    assert "enter" in {text for text, _, _ in words(heard(engine))}
