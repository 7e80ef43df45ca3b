"""earshot play and earshot player, as they are called; and music that makes room for speech."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from earshot.__main__ import main
from earshot.commands.play import as_object
from earshot.generated.v1 import playback_pb2 as pb
from earshot.generated.v1.events_pb2 import Cancelled, Committed, Event, Partial, SpeechStarted
from earshot.playback import priority
from earshot.playback.ducking import Speaking

from tests.fake_recogniser import loud, quiet
from tests.music import record, spoilt
from tests.player_process import player
from tests.processes import PATIENCE, daemon


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime directory."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def test_play_starts_a_player_that_stays_and_takes_orders(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    song = record(home, "tone.ogg", 5.0)
    bad = next(iter(spoilt(home / "bad")))
    assert main(["play", str(song), str(bad), "--loop", "--null"]) == 1
    told = capsys.readouterr().err
    begun = int(told.partition("(process ")[2].partition(")")[0])
    try:
        assert told.endswith(f"earshot: {bad}: is empty\n")
        found = state(capsys)
        assert (found["state"], found["playing"]) == ("playing", ["tone.ogg"])
        assert found["block_ms"] == 20.0
        for act, wanted in (("pause", "paused"), ("resume", "playing"), ("stop", "idle")):
            assert main(["play", act]) == 0
            end = time.monotonic() + PATIENCE
            while state(capsys)["state"] != wanted:
                assert time.monotonic() < end
        assert main(["play", "status"]) == 0
        assert capsys.readouterr().out.startswith("state              idle\n")
    finally:
        os.kill(begun, signal.SIGTERM)
        os.waitpid(begun, 0)


def state(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """The status of the player."""
    assert main(["play", "status", "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("act", ["stop", "pause", "resume", "status"])
@pytest.mark.usefixtures("home")
def test_without_a_player_one_line_says_what_to_do(
    act: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["play", act]) == 1
    told = capsys.readouterr().err
    assert "no player answers at" in told
    assert "`earshot play FILE` starts one" in told
    assert len(told.splitlines()) == 1


def test_a_player_that_cannot_start_tells_why(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = home / "bad.toml"
    config.write_text('[playback]\nwhile_speaking = "shout"\n')
    assert main(["play", "/none.ogg", "--config", str(config)]) == 1
    told = capsys.readouterr().err
    assert "while_speaking is 'shout', but must be one of duck, pause, nothing" in told


def test_music_makes_room_for_speech_and_a_daemon_that_is_gone_is_no_matter(tmp_path: Path) -> None:
    song = record(tmp_path, "stereo.wav", 5.0)
    with daemon("--source", "-") as house, player("--null", daemon=house.path) as found:
        house.until(lambda answer: answer.counters.clients == 1)  # the player listens
        found.play(song, loop=True)
        found.until_it_plays()
        assert not found.status().ducked
        house.hear(loud(0.5))
        found.until(lambda s: s.ducked)
        house.hear(quiet(0.6))
        found.until(lambda s: not s.ducked)
        house.hear(loud(0.5))
        found.until(lambda s: s.ducked)
        house.process.kill()
        found.until(lambda s: not s.ducked)
        found.until_it_plays()


def test_somebody_speaks_until_all_that_began_has_ended() -> None:
    speaking = Speaking()
    said = [
        (Event(speech_started=SpeechStarted(utterance=1)), True),
        (Event(partial=Partial(utterance=1)), True),
        (Event(speech_started=SpeechStarted(utterance=2)), True),
        (Event(committed=Committed(utterance=1)), True),
        (Event(cancelled=Cancelled(utterance=2)), False),
        (Event(committed=Committed(utterance=9)), False),
    ]
    assert [speaking.told(event) for event, _ in said] == [wanted for _, wanted in said]


def test_the_status_names_every_count_and_time() -> None:
    found = as_object(pb.GetPlaybackStatusResponse(state=pb.PLAYBACK_STATE_WAITING))
    assert found["state"] == "waiting"
    for field in pb.Punctuality.DESCRIPTOR.fields:
        assert field.name in found or f"{field.name}_ms" in found


def test_a_higher_priority_is_asked_for_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    asked = list[object]()
    monkeypatch.setattr(os, "sched_setscheduler", lambda *given: asked.append(given))
    assert priority.raise_priority() == "SCHED_RR 1"
    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    monkeypatch.setattr(priority, "renice", lambda nice: nice)
    assert priority.raise_priority() == "nice -11"
    monkeypatch.setattr(priority, "renice", lambda _: 0)
    assert priority.raise_priority() == "usual"
    assert len(asked) == 1
