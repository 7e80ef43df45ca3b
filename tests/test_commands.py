"""The command line as a program, against a daemon with a fake recogniser."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import soundfile
from earshot import compose, config
from earshot.__main__ import COMMANDS, ELSEWHERE, main, parser
from earshot.errors import DeviceError
from earshot.microphone import Microphone
from earshot.sources import AudioFile

from tests.fake_engine import FakeEngine
from tests.fake_recogniser import loud, quiet
from tests.fakes import FakeDevice
from tests.processes import PATIENCE, ROOT, daemon
from tests.recordings import recording, similarity

EARSHOT = [sys.executable, "-m", "earshot"]


def test_status_tells_how_the_daemon_stands(capsys: pytest.CaptureFixture[str]) -> None:
    with daemon("--source", "-") as d:
        d.hear(quiet(0.5))
        d.until(lambda answer: answer.ready)
        assert main(["status", "--json", "--socket", str(d.path)]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["ready"] is True
        assert (found["mode"], found["muted"]) == ("local-only", False)
        assert found["sandbox"] in {"none", "enforced"}
        assert found["bundle"] == "fake 1.0"
        assert str(found["source"]).startswith("raw audio")
        assert found["echo"] == "off"  # no microphone is heard
        assert found["dropped_samples"] == 0
        assert main(["status", "--socket", str(d.path)]) == 0
        out = capsys.readouterr().out.splitlines()
        assert ["ready", "yes"] in [text.split() for text in out]
        assert ["echo", "off"] in [text.split() for text in out]


@pytest.mark.parametrize("command", ["status", "listen", "mute", "unmute"])
def test_without_a_daemon_one_line_says_what_to_do(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "e.sock"
    assert main([command, "--socket", str(path)]) == 1
    caught = capsys.readouterr()
    assert caught.out == ""
    assert caught.err == f"earshot: no daemon answers at {path}; start one with `earshot run`\n"


def test_listen_prints_what_is_heard_until_the_daemon_stops() -> None:
    with daemon("--source", "-") as d:
        d.until(lambda _: True)
        plain = [*EARSHOT, "listen", "--lattice", "--socket", str(d.path)]
        with (
            subprocess.Popen(plain, stdout=-1, stderr=-1, text=True) as people,
            subprocess.Popen([*plain, "--json"], stdout=-1, stderr=-1, text=True) as program,
        ):
            d.until(lambda answer: answer.counters.clients == 2)
            d.hear(loud(0.2))
            d.hear(quiet(0.5))
            d.until(lambda answer: answer.counters.committed == 1)
            d.end()
            out, err = people.communicate(timeout=PATIENCE)
            told, _ = program.communicate(timeout=PATIENCE)
    assert "final end-point (pause: silence_ms 300): “word word” (90% sure)" in out
    assert out.count("→") == 2
    assert err.startswith("earshot: ")
    assert "stopping" in err
    assert people.returncode == program.returncode == 1
    events = [json.loads(text) for text in told.splitlines()]
    names = [event["event"] for event in events]
    assert names == ["speech_started", "partial", "partial", "end_point", "committed"]
    assert len(events[3]["lattice"]["arcs"]) == 2


def test_a_reader_who_has_enough_is_no_error_message() -> None:
    with daemon("--source", "-") as d:
        d.until(lambda _: True)
        command = [*EARSHOT, "listen", "--socket", str(d.path)]
        with subprocess.Popen(command, stdout=-1, stderr=-1, text=True) as listening:
            d.until(lambda answer: answer.counters.clients == 1)
            assert listening.stdout is not None
            listening.stdout.close()
            listening.stdout = None
            d.hear(loud(0.3))
            _, err = listening.communicate(timeout=PATIENCE)
    assert (listening.returncode, err) == (1, "")


@pytest.mark.parametrize("command", [*COMMANDS, *ELSEWHERE])
def test_a_command_is_the_same_alone_and_among_all(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for found in (parser(), parser(["--verbose", command])):
        with pytest.raises(SystemExit, match=r"^0$"):
            found.parse_args([command, "--help"])
    among, alone = capsys.readouterr().out.split(f"usage: earshot {command}")[1:]
    assert among == alone


def test_wrong_use_is_answered_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["sing"], ["status", "--nonsense"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2
        assert "usage: earshot" in capsys.readouterr().err


def test_a_bad_setting_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "earshot.toml"
    config.write_text("[api]\nsoket = 1\n", encoding="utf-8")
    assert main(["run", "--config", str(config)]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"earshot: {config}: api.soket is not a setting; here may stand socket")
    assert err.count("\n") == 1


def findings(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    return {f["what"]: f for f in json.loads(capsys.readouterr().out)["findings"]}


def no_microphone(*_: object) -> None:
    message = "there is no microphone (found: none)"
    raise DeviceError(message)


def test_the_doctor_names_each_trouble_and_its_mend(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("earshot.checks.sound.PortAudio", no_microphone)
    place, absent = tmp_path / "e.sock", tmp_path / "absent"
    assert main(["doctor", "--json", "--socket", str(place), "--bundle", str(absent)]) == 1
    found = findings(capsys)
    assert "onnxruntime" in found["libraries"]["found"]
    assert found["python"]["mend"] == found["socket folder"]["mend"] == ""
    assert str(absent) in found["bundle"]["found"]
    assert found["bundle"]["state"] == found["microphone"]["state"] == "TROUBLE"
    assert "plug one in" in found["microphone"]["mend"]
    assert "earshot run" in found["daemon"]["mend"]
    assert main(["doctor", "--socket", str(place), "--bundle", str(absent)]) == 1
    out = capsys.readouterr().out
    assert f"note     daemon: no daemon answers at {place}" in out
    assert "TROUBLE  microphone: there is no microphone (found: none)\n" in out
    assert "ok       python: 3." in out


def test_the_doctor_is_content_without_what_is_not_needed(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("earshot.checks.sound.PortAudio", no_microphone)
    monkeypatch.setattr("earshot.compose.load_engine", lambda _: FakeEngine())
    config = tmp_path / "earshot.toml"
    config.write_text('source = "auto"\n', encoding="utf-8")
    place = ["--socket", str(tmp_path / "e.sock")]
    assert main(["doctor", "--json", *place, "--config", str(config)]) == 0
    found = findings(capsys)
    assert found["bundle"]["found"] == "fake 1.0"
    assert found["microphone"]["state"] == found["daemon"]["state"] == "note"
    assert main(["doctor", "--json", *place]) == 1  # now the microphone is what is to be heard


def test_the_doctor_does_not_take_the_microphone_from_the_daemon(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("earshot.checks.sound.PortAudio", no_microphone)
    monkeypatch.setattr(
        "earshot.checks.service.status",
        lambda _: SimpleNamespace(
            ready=True, muted=False, mode=1, source="microphone 'x' (16000 Hz, channels: 1)"
        ),
    )
    monkeypatch.setattr("earshot.compose.load_engine", lambda _: FakeEngine())
    main(["doctor", "--json"])
    found = findings(capsys)
    assert found["microphone"]["state"] == found["daemon"]["state"] == "ok"
    assert found["microphone"]["found"].endswith("heard by the daemon")


def test_the_microphone_or_else_the_recording_that_comes_with_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))  # nobody muted it
    settings = config.Settings(source="auto")
    monkeypatch.setattr(compose, "PortAudio", no_microphone)
    source = compose.open_source(settings)
    assert isinstance(source, AudioFile)
    source.close()
    assert "there is no microphone" in caplog.text
    assert "recording" in caplog.text
    monkeypatch.setattr(compose, "PortAudio", lambda: SimpleNamespace(open=lambda _: FakeDevice()))
    monkeypatch.setattr("earshot.microphone.PortAudio", FakeDevice)
    assert isinstance(compose.open_source(settings), Microphone)


def test_the_recording_that_comes_with_it_is_what_its_readme_says() -> None:
    audio, rate = soundfile.read(compose.recording(), dtype="float32")
    assert (rate, audio.ndim) == (16_000, 1)
    text = compose.recording().with_name("README.md").read_text("utf-8")
    for name in ("librispeech_sentence2", "an4_command2", "librispeech_sentence1"):
        assert similarity(audio, recording(name).samples()) > 0.999
        assert recording(name).text in text


def test_an_interrupt_is_how_listening_is_meant_to_end() -> None:
    """Also from a shell's background, whose programs inherit that it is ignored."""
    with daemon("--source", "-") as d:
        d.until(lambda _: True)
        heed = ["env", "--default-signal=INT"]
        command = [*heed, *EARSHOT, "listen", "--socket", str(d.path)]
        with subprocess.Popen(command, stdout=-1, stderr=-1, text=True) as listening:
            try:
                d.until(lambda answer: answer.counters.clients == 1 or listening.poll() is not None)
                listening.send_signal(signal.SIGINT)
                out, err = listening.communicate(timeout=PATIENCE)
            finally:
                listening.kill()
    assert (out, err, listening.returncode) == ("", "", 0)


def test_the_package_can_be_run_as_a_module() -> None:
    found = subprocess.run([*EARSHOT, "--version"], cwd=ROOT, capture_output=True, check=True)
    assert found.stdout.startswith(b"earshot ")
