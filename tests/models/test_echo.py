"""Our own music in a room: what the scenes hold, and what the measurement makes of them."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from earshot.units import SAMPLE_RATE

from models import cancellers, echo, loudspeaker
from models.loudspeaker import Places, Scene, at_clock, music_alone
from models.tiny_kit import rows_to
from models.tracks import Spoken
from tests.echo_path import music, weaker
from tests.processes import ROOT

WORDS = (("ten", 0.3, 0.7), ("four", 0.8, 1.4))
RECORDING = ROOT / "daemon" / "earshot" / "assets" / "recording.flac"


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two rooms and a song."""
    folder = tmp_path_factory.mktemp("kit")
    (folder / "noise").mkdir()
    (folder / "rir/simulated").mkdir(parents=True)
    soundfile.write(folder / "noise/song.flac", music(20), SAMPLE_RATE)
    rows_to(folder / "noise/manifest.tsv", [{"path": "song.flac", "kind": "music", "use": "test"}])
    rows = []
    for name, away in (("near", "0.6"), ("far", "1.5"), ("loud", "0.4")):
        taps = 0.05 * np.random.default_rng(len(name)).standard_normal(3_000)
        taps *= np.exp(-np.arange(3_000) / 600)
        taps[:32] = 0
        taps[32] = 0.9
        soundfile.write(folder / f"rir/simulated/{name}.flac", taps, SAMPLE_RATE)
        rows.append({"file": f"{name}.flac", "rt60_target_s": "0.3", "distance_m": away})
    rows_to(folder / "rir/simulated/manifest.tsv", rows)
    return folder


@pytest.fixture(scope="module")
def one() -> Spoken:
    spans = tuple((round(a * SAMPLE_RATE), round(b * SAMPLE_RATE)) for _, a, b in WORDS)
    return Spoken(RECORDING, "an4", "someone", tuple(word for word, *_ in WORDS), spans)


@pytest.fixture(scope="module")
def scene(kit: Path, one: Spoken) -> Scene:
    return Places.of(kit).scene(one, 5, "seed")


def test_the_music_is_as_loud_as_was_asked(kit: Path, one: Spoken, scene: Scene) -> None:
    span = slice(scene.stream.start, scene.stream.end)
    for level, found in ((5, scene), (-5, Places.of(kit).scene(one, -5, "seed"))):
        powers = [np.square(part[span]).mean() for part in (found.echo, found.speech)]
        assert 10 * np.log10(powers[0] / powers[1]) == pytest.approx(level, abs=0.2)
        assert np.allclose(found.heard, found.speech + found.echo, atol=1e-6)
        assert np.abs(found.heard).max() <= 1
    assert scene.stream.words == ("ten", "four")
    alone = music_alone(scene.stream)
    assert alone[1] < scene.stream.start
    assert np.abs(scene.speech[slice(*alone)]).max() < np.abs(scene.echo[slice(*alone)]).max()


def test_speakers_and_loudspeakers_are_not_in_one_place(kit: Path) -> None:
    places = Places.of(kit)
    assert not set(places.speakers) & set(places.loudspeakers)


def test_the_player_tells_what_is_played(scene: Scene) -> None:
    told = np.concatenate([block.samples for block in scene.blocks]) / 32_768
    assert np.abs(told - scene.played[: len(told)]).max() < 1e-4
    assert len(scene.arrivals) == len(scene.chunks())


def test_a_clock_that_runs_faster_reads_faster() -> None:
    time = np.arange(20_000) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * 500 * time).astype(np.float32)
    found = at_clock(tone, 1 + 1e-4)
    right = np.sin(2 * np.pi * 500 * (1 + 1e-4) * time)
    assert np.abs(found[100:-100] - right[100:-100]).max() < 0.01


@pytest.mark.parametrize("way", ["earshot", "speexdsp", "webrtc"])
def test_every_way_takes_some_of_the_echo_out(scene: Scene, way: str) -> None:
    if way not in cancellers.usable():
        pytest.skip(f"the library of {way} is not installed")
    left = cancellers.WAYS[way](scene)
    begin, end = (at / SAMPLE_RATE for at in music_alone(scene.stream))
    length = min(len(left), len(scene.heard))
    echo_left = left[:length] - scene.speech[:length]
    assert weaker(scene.echo, echo_left, begin, end) > 6


def test_without_a_way_it_stays(scene: Scene) -> None:
    assert cancellers.none(scene) is scene.heard


def test_figures_compare_ways_on_the_same_recordings(
    kit: Path, one: Spoken, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(echo, "recordings_of", lambda *_: [one])
    arguments = ["echo", "--kit", str(kit), "--sets", "an4", "--levels", "0", "--count", "1"]
    arguments += ["--ways", "none", "earshot", "--json"]
    monkeypatch.setattr("sys.argv", arguments)
    echo.main()
    found = json.loads(capsys.readouterr().out)
    assert found["bench"] == "echo"
    figures = found["figures"]
    assert figures["an4.0_dB.none.erle_spoken_db"] == pytest.approx(0, abs=0.1)
    assert figures["an4.0_dB.earshot.erle_alone_db"] > 10
    assert {name.split(".")[1] for name in figures} == {"quiet", "0_dB"}
    assert figures["an4.0_dB.earshot.gain"] == pytest.approx(
        figures["an4.0_dB.none.wer"] - figures["an4.0_dB.earshot.wer"], abs=0.01
    )


def test_a_kit_without_music_is_refused(tmp_path: Path) -> None:
    (tmp_path / "noise").mkdir()
    (tmp_path / "rir/simulated").mkdir(parents=True)
    rows_to(tmp_path / "noise/manifest.tsv", [{"path": "x", "kind": "noise", "use": "test"}])
    rows = [{"file": "x", "rt60_target_s": "0.3", "distance_m": "1"}]
    rows_to(tmp_path / "rir/simulated/manifest.tsv", rows)
    with pytest.raises(SystemExit, match="lacks music"):
        loudspeaker.Places.of(tmp_path)
