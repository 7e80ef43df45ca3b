"""The command line as a program, against a daemon with a fake recogniser."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from earshot.__main__ import main

from tests.fake_recogniser import loud, quiet
from tests.test_daemon import PATIENCE, ROOT, daemon

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
        assert found["dropped_samples"] == 0
        assert main(["status", "--socket", str(d.path)]) == 0
        out = capsys.readouterr().out.splitlines()
        assert ["ready", "yes"] in [text.split() for text in out]


@pytest.mark.parametrize("command", ["status", "listen"])
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


def test_the_doctor_names_each_trouble_and_its_mend(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, absent = tmp_path / "e.sock", tmp_path / "absent"
    assert main(["doctor", "--json", "--socket", str(place), "--bundle", str(absent)]) == 1
    findings = {f["what"]: f for f in json.loads(capsys.readouterr().out)["findings"]}
    assert "onnxruntime" in findings["libraries"]["found"]
    assert findings["python"]["mend"] == findings["socket folder"]["mend"] == ""
    assert str(absent) in findings["bundle"]["found"]
    assert findings["bundle"]["mend"]
    assert "earshot run" in findings["daemon"]["mend"]
    main(["doctor", "--socket", str(place), "--bundle", str(absent)])
    out = capsys.readouterr().out
    assert f"TROUBLE  daemon: no daemon answers at {place}" in out
    assert "ok       python: 3." in out


def test_the_package_can_be_run_as_a_module() -> None:
    found = subprocess.run([*EARSHOT, "--version"], cwd=ROOT, capture_output=True, check=True)
    assert found.stdout.startswith(b"earshot ")
