"""earshot bench music: what is said, what it cost, and the figures and the picture of it."""

import csv
import json
import os
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest
import soundfile
from earshot.events import (
    Committed,
    Decision,
    EndPoint,
    EndPointKind,
    Event,
    Partial,
    SpeechStarted,
)
from earshot.playback.decoder import decoded
from earshot.units import SAMPLE_RATE

from models import music, music_plot, music_speech, music_trial, usual
from models.evaluate import Task
from models.music_run import PIECE
from models.music_soak import Watched
from models.music_speech import Track, songs, track
from models.music_trial import Load, Outcome, Way, delays, measure, understood
from tests.models.test_endpoint_bench import result
from tests.recordings import recordings


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """A data kit with the commands among the recordings of the tests."""
    folder = tmp_path / "kit" / "speech" / "an4"
    folder.mkdir(parents=True)
    with (folder / "manifest.tsv").open("w", encoding="utf8") as file:
        rows = csv.writer(file, delimiter="\t")
        rows.writerow(("path", "speaker", "seconds", "text", "split", "note"))
        for one in recordings():
            name = f"{one.path.stem}.wav"
            soundfile.write(folder / name, one.samples(), SAMPLE_RATE)
            rows.writerow((name, "s", len(one.samples()) / SAMPLE_RATE, one.text, "dev", ""))
    return tmp_path / "kit"


def slots(*texts: str) -> Track:
    return Track(tuple(Task(Path(text), text) for text in texts), tuple(16_000 for _ in texts))


def test_commands_come_one_a_slot_in_silence(kit: Path) -> None:
    said = track(kit, 40.0)
    audio = list(said.audio())
    assert len(said.slots) == 4
    assert {len(slot) for slot in audio} == {10 * SAMPLE_RATE}
    for slot, length in zip(audio, said.speech, strict=True):
        sounding = np.flatnonzero(slot)
        assert sounding[0] >= SAMPLE_RATE
        assert sounding[-1] < SAMPLE_RATE + length
    assert said.speech_seconds == sum(said.speech) / SAMPLE_RATE


def test_a_kit_without_commands_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="has no dev recordings"):
        track(tmp_path, 10.0)


def test_the_songs_can_be_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(music_speech, "SONG_SECONDS", 2.0)
    for song in songs(tmp_path):
        heard = np.concatenate(list(decoded(song)))
        assert 0.05 < np.sqrt(np.mean(heard**2)) < 0.5


def test_words_belong_to_the_slot_in_which_they_began() -> None:
    said, first, slot = slots("lights on", "lights off", "stop"), 1_000, 160_000
    final, rule = EndPointKind.FINAL, Decision("rule", ())
    events: list[Event] = [
        SpeechStarted(500, 1, 500),  # before the first slot
        EndPoint(600, 1, 1, final, rule, 600, result("noise")),
        Committed(700, 1, 1),
        SpeechStarted(first + 20, 2, first + 10),
        EndPoint(first + 40, 2, 1, final, rule, 0, result("lights")),
        Committed(first + 50, 2, 1),
        SpeechStarted(first + 60, 3, first + 60),
        EndPoint(first + 70, 3, 1, final, rule, 0, result("on")),
        Committed(first + slot + 80, 3, 1),
        SpeechStarted(first + 2 * slot, 4, first + 2 * slot),
        EndPoint(first + 2 * slot + 1, 4, 1, final, rule, 0, result("stop")),
        Committed(first + 2 * slot + 2, 4, 1),
    ]
    assert understood(events, first, said) == [["lights", "on"], [], ["stop"]]


def test_a_delay_counts_from_when_the_audio_was_handed_over() -> None:
    daemon: Any = SimpleNamespace(
        sent=[10.0, 10.1, 10.2],
        events=[
            (10.05, Partial(1, 1, (), 1)),
            (10.25, Partial(PIECE, 1, (), 1)),
            (10.3, Committed(PIECE + 1, 1, 1)),
            (10.4, SpeechStarted(3 * PIECE, 2, 0)),  # no answer
            (10.5, Committed(9 * PIECE, 1, 1)),  # of audio that was not counted
        ],
    )
    assert delays(daemon) == pytest.approx([50.0, 250.0, 200.0])


def outcome(p95: float, errors: list[int], **figures: float) -> Outcome:
    own = {"delay_p95_ms": p95, "recogniser_cpu_percent": 3.0, **figures}
    return Outcome(own, [p95 / 2, p95], errors)


FOUND = {
    "two_cores.control": outcome(100.0, [1, 0]),
    "two_cores.music": outcome(110.0, [1, 0], xruns=0.0, blocks=10.0, silence_cpu_percent=0.5),
    "two_cores.usual": outcome(400.0, [1, 2], xruns=7.0, blocks=10.0, silence_cpu_percent=9.0),
}


def load(said: Track, made: list[Path]) -> Load:
    return Load(said, made, 1, "en", 0.5)


def test_figures_set_each_way_beside_the_control() -> None:
    figures = music.figures_of(FOUND, load(slots("lights on", "stop"), []))
    assert figures["delay_p95_ratio"] == figures["two_cores.music.delay_p95_ratio"] == 1.1
    assert figures["two_cores.usual.delay_p95_ratio"] == 4.0
    assert figures["xruns"] == 0.0
    assert figures["silence_cpu_percent"] == 0.5
    assert figures["two_cores.music.wer_difference"] == 0.0
    assert figures["two_cores.usual.wer_difference"] == pytest.approx(66.667)


def test_the_picture_has_a_curve_a_way_and_tells_what_was_late(tmp_path: Path) -> None:
    path = tmp_path / "out.svg"
    music_plot.write(FOUND, "made up & <small>", path)
    text = path.read_text(encoding="utf8")
    ET.fromstring(text)  # noqa: S314 - our own
    assert text.count("class='curve") == 2 * len(FOUND)
    assert "7 of 10 blocks of music late" in text


def test_usual_defaults_leave_onnxruntime_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = list[dict[str, object]]()
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *_, **named: opened.append(named))
    for name in ("sched_setscheduler", "setpriority", "nice"):
        monkeypatch.setattr(os, name, None)
    usual.install()
    onnxruntime.InferenceSession("a.onnx", object(), providers=["CPU"])
    assert opened == [{"providers": ["CPU"]}]
    with pytest.raises(PermissionError):
        os.setpriority(0, 0, -11)


def test_growth_is_of_the_end_to_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = iter([(100e6, 10)] * 40 + [(102e6, 11)] * 40)

    class Process:
        def __init__(self, number: int) -> None:
            del number
            self._now = (0.0, 0)

        def memory_info(self) -> SimpleNamespace:
            self._now = next(steps)
            return SimpleNamespace(rss=self._now[0])

        def num_fds(self) -> int:
            return self._now[1]

    monkeypatch.setattr("psutil.Process", Process)
    watched = Watched(1)
    for _ in range(80):
        watched.look()
    figures = watched.figures("player")
    assert figures["soak.player_rss_growth_percent"] == 2.0
    assert figures["soak.player_files_growth"] == 1.0


def test_the_real_daemon_hears_commands_while_the_real_player_plays(
    kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(music_speech, "EVERY", 4.0)
    monkeypatch.setattr(music_speech, "LEAD", 0.2)
    monkeypatch.setattr(music_speech, "SONG_SECONDS", 1.0)
    monkeypatch.setattr(music_trial, "SETTLE", 0.2)
    found = measure(Way("one", (0,)), load(track(kit, 4.0), songs(tmp_path)))
    json.dumps(found.figures)
    assert found.figures["blocks"] > 100
    assert found.figures["events"] == len(found.delays) > 0
    assert found.figures["lost_ms"] == 0.0
    assert found.figures["recogniser_cpu_percent"] > 0.0
    assert len(found.errors) == 1
