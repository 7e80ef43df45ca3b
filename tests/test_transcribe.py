"""earshot transcribe, with a fake engine in the place of a bundle."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from earshot.__main__ import main

from tests.fake_engine import FakeEngine
from tests.fake_recogniser import FakeRecogniser, loud, quiet, s16le


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """What every bundle is now."""
    found = FakeEngine()
    monkeypatch.setattr("earshot.commands.transcribe.load_engine", lambda _: found)
    return found


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """A recording of two utterances."""
    path = tmp_path / "words.wav"
    audio = [loud(0.2), quiet(0.5), loud(0.1), quiet(0.5)]
    soundfile.write(path, np.concatenate(audio), 16_000)
    return path


@pytest.mark.usefixtures("engine")
def test_a_transcript_is_one_line_or_one_object(
    words: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["transcribe", str(words)]) == 0
    assert capsys.readouterr().out == "word word word\n"
    assert main(["transcribe", "--json", str(words)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found.pop("cpu_seconds") >= 0
    assert [word["start"] for word in found.pop("words")] == [0.0, 0.1, 0.7]
    assert found.pop("nbest")[0]["text"] == "word word word"
    assert found == {
        "path": str(words),
        "text": "word word word",
        "confidence": 0.9,
        "audio_seconds": 1.3,
        "bundle": "fake 1.0",
    }


@pytest.mark.usefixtures("engine")
def test_events_are_told_when_asked_for(words: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["transcribe", "--json", "--events", str(words)]) == 0
    events = json.loads(capsys.readouterr().out)["events"]
    kinds = [e["event"] for e in events if e["event"] != "partial"]
    assert kinds == ["speech_started", "end_point", "committed"] * 2
    point = next(e for e in events if e["event"] == "end_point")
    assert {key: point[key] for key in ("at", "utterance", "version", "kind", "rule", "text")} == {
        "at": 0.5,
        "utterance": 1,
        "version": 1,
        "kind": "final",
        "rule": "pause",
        "text": "word word",
    }
    assert main(["transcribe", "--events", str(words)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert "[1] speech started at 0.00 s" in out[0]
    assert out[-1] == "word word word"


def test_beam_and_length_of_the_list_are_those_asked_for(
    words: Path, capsys: pytest.CaptureFixture[str], engine: FakeEngine
) -> None:
    assert main(["transcribe", "--beam", "3", "--n-best", "2", str(words)]) == 0
    assert (engine.used[0].search.beam, engine.used[0].lattice.alternatives) == (3, 2)
    assert len(capsys.readouterr().out.splitlines()) > 1


@pytest.mark.usefixtures("engine")
def test_a_bad_file_is_one_line_and_does_not_stop_the_others(
    words: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut, text = tmp_path / "cut.flac", tmp_path / "text.wav"
    soundfile.write(cut, np.random.default_rng(1).uniform(-0.3, 0.3, 48_000), 16_000)
    cut.write_bytes(cut.read_bytes()[:-20_000])
    text.write_text("this is no audio", encoding="utf-8")
    files = [cut, tmp_path / "absent.wav", text, words]
    assert main(["transcribe", *map(str, files)]) == 1
    out, err = capsys.readouterr()
    assert out == f"{words}: word word word\n"
    assert [line.split(": ")[:2] for line in err.splitlines()] == [
        ["earshot", str(path)] for path in files[:3]
    ]


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("suffix", ["svg", "dot", "json"])
def test_the_lattices_are_written_as_their_suffix_says(
    words: Path, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"lattice.{suffix}"
    assert main(["transcribe", "--lattice", str(path), str(words)]) == 0
    text = path.read_text("utf-8")
    assert {"svg": "<svg", "dot": "digraph", "json": '"lattices"'}[suffix] in text
    assert text.count("word") >= 3


def test_a_lattice_of_an_unknown_kind_is_refused_before_the_work(
    words: Path, capsys: pytest.CaptureFixture[str], engine: FakeEngine
) -> None:
    assert main(["transcribe", "--lattice", "out.png", str(words)]) == 1
    out, err = capsys.readouterr()
    assert (out, engine.used) == ("", [])
    assert err.count("\n") == 1
    assert ".svg" in err


@pytest.mark.usefixtures("engine")
def test_raw_audio_on_standard_input_is_transcribed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "raw").write_bytes(s16le(loud(0.2)))
    with (tmp_path / "raw").open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        assert main(["transcribe", "-"]) == 0
    assert capsys.readouterr().out == "word word\n"


@pytest.mark.usefixtures("engine")
def test_an_interrupt_is_quiet(
    words: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(FakeRecogniser, "accept", interrupt)
    assert main(["transcribe", str(words)]) == 1
    assert capsys.readouterr() == ("", "")
