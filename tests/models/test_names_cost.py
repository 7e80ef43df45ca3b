"""What names cost is told beside none, of the same recordings."""

import argparse
from pathlib import Path

import pytest
from earshot.entries import Entry, Kind

from models import names_cost
from models.bias import Clip
from models.score import rate
from tests.closed_sets import SHIPPED
from tests.recordings import AUDIO


def test_a_share_is_of_the_sum_and_its_interval_of_recordings() -> None:
    assert rate([1.0, 3.0], [2.0, 2.0])[0] == 100.0
    share, low, high = rate([1.0, 3.0] * 20, [2.0, 2.0] * 20)
    assert low < share == 100.0 < high
    assert rate([3.0] * 5, [2.0] * 5) == (150.0, 150.0, 150.0)


@pytest.mark.skipif(not SHIPPED.exists(), reason="no bundle is shipped")
def test_each_recording_is_heard_in_all_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [Entry.of(Kind.ROOM, f"{word} room") for word in ("attic", "cellar", "pantry")]
    monkeypatch.setattr(names_cost, "strangers", lambda *_: others)
    clips = [Clip(AUDIO / "an4_go.flac", "go", (Entry.of(Kind.ROOM, "atrium"),))]
    options = argparse.Namespace(kit=Path(), bundle=str(SHIPPED), sizes=[2, 4], ways=["fusion"])
    engines = names_cost.engines_of(options, clips)
    assert list(engines) == [names_cost.NONE, "fusion 2", "fusion 4"]
    spent = names_cost.spent(clips, engines)
    assert {len(seconds) for seconds in spent.values()} == {1}
    assert min(seconds[0] for seconds in spent.values()) > 0
