"""From the room to a client: the daemon as it ships, a sound server, and a real voice."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from earshot.generated.v1.events_pb2 import Event

from tests.house import kinds
from tests.processes import channel, earshot, following
from tests.recordings import recording
from tests.sound_server import SoundServer

ENDS = {"committed", "cancelled"}


@pytest.mark.microphone
def test_what_is_said_in_the_room_reaches_a_client_also_after_a_crash_of_the_sound_server(
    server: SoundServer, tmp_path: Path
) -> None:
    config = tmp_path / "earshot.toml"
    config.write_text('[microphone]\ndevice = "pulse"\nretry_ms = 200\n', encoding="utf-8")
    options = ("--source", "mic", "--config", str(config))
    with earshot(*options, environment=server.environment) as d:
        d.until(lambda answer: answer.ready)
        with channel(d) as open_channel:
            call = following(open_channel)
            d.until(lambda answer: answer.counters.clients == 1)
            said(server, call)
            server.stop()
            away = next(e for e in events(call) if e.HasField("source_changed"))
            assert "waiting for it" in away.source_changed.description
            assert not d.until(lambda answer: not answer.ready).ready
            server.start()
            back = next(e for e in events(call) if e.HasField("source_changed"))
            assert back.source_changed.ready
            said(server, call)
        code, out, err = d.end()
        assert code == 0
        assert out.count("committed") == 2
        assert "waiting for it" in err
        assert "all was lost" not in err  # no spoken word is logged


def events(call: Any) -> Iterator[Event]:
    for response in call:
        yield response.event


def said(server: SoundServer, call: Any) -> None:
    """Say something in the room, and look at the events of its utterance."""
    server.play(recording("librispeech_sentence2").path)
    found: list[Event] = []
    for event in events(call):
        found.append(event)
        if event.WhichOneof("event") in ENDS:
            break
    assert kinds(found) == ["speech_started", "end_point", "committed"]
    assert any(event.HasField("partial") for event in found)
    lattice = found[-2].end_point.result.lattice
    assert len(lattice.arcs) >= len(found[-2].end_point.result.words) > 0
    assert found[-2].end_point.decision.numbers
