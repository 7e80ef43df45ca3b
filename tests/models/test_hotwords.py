"""Names beside hot words: both are asked for the same, in the same recordings."""

from pathlib import Path

import pytest
from earshot.bundle import open_bundle
from earshot.engine import Engine
from earshot.entries import Entry, Kind

from models import hotwords
from models.bias import Clip
from models.hotwords import Found, stands
from tests.closed_sets import SHIPPED
from tests.recordings import AUDIO


def test_a_part_stands_in_a_whole_only_in_a_row() -> None:
    assert stands((2, 3), (1, 2, 3, 4))
    assert not stands((1, 3), (1, 2, 3))
    assert not stands((1, 2), (1,))
    assert stands(["anna"], ["call", "anna"])


@pytest.mark.skipif(not SHIPPED.exists(), reason="no bundle is shipped")
def test_both_find_a_name_that_was_said_and_none_that_was_not(tmp_path: Path) -> None:
    bundle = open_bundle(SHIPPED)
    engine = Engine.open(bundle)
    bed, cat = Entry.of(Kind.CONTACT, "bed"), Entry.of(Kind.CONTACT, "zanzibar")
    clips = [Clip(AUDIO / "speech_commands_bed.flac", "bed", (bed,))]
    for name, hear in hotwords.hearers(bundle, engine, [bed, cat], tmp_path):
        found = Found()
        hotwords.counted(hear, clips, [bed, cat], found)
        assert (found.said, found.found, found.false) == (1, 1, 0), name
        assert hotwords.figures(found)["found"] == 100.0
        assert found.cpu > 0
        assert found.seconds == pytest.approx(1, abs=0.2)
