"""`earshot top` in a terminal, beside a daemon that is a process."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from earshot.__main__ import main

from tests.fake_recogniser import loud, quiet
from tests.processes import ROOT, Daemon, daemon, process
from tests.terminals import Terminal, terminal

WATCHES = 2  # clients: events, and the meter


def watched(d: Daemon, t: Terminal) -> None:
    d.until(lambda answer: t.read() and answer.counters.clients == WATCHES)


def speak(d: Daemon) -> None:
    d.hear(loud(0.4))
    d.hear(quiet(0.5))


def test_it_draws_what_happens_and_ends_by_an_interrupt() -> None:
    with daemon("--source", "-") as d, terminal("top", "--socket", str(d.path)) as t:
        watched(d, t)
        speak(d)
        text = t.until("✓ committed v1: pause", "4 arcs  word word word word", "ready · local-only")
        assert "fake 1.0 · raw audio" in text
        assert " 90% in 0.30 s" in text
        assert "━━━━" in text
        assert "MiB" in text
        d.hear(loud(0.3))
        t.until("words word word word", "-6.0 dB  speech")
        t.process.send_signal(signal.SIGINT)
        assert t.rest() == 0
        assert t.written.count(b"\x1b[?1049h") == 1
        assert t.written.endswith(b"\x1b[?25h\x1b[?1049l"), "the terminal is as it was before"


def test_it_outlives_the_daemon_and_finds_it_again() -> None:
    with tempfile.TemporaryDirectory(prefix="e") as folder:
        path = Path(folder) / "e.sock"
        with terminal("top", "--socket", str(path)) as t:
            for _ in range(2):
                t.until(f"no daemon answers at {path}")
                with daemon("--source", "-", path=path) as d:
                    watched(d, t)
                    speak(d)
                    t.until("ready · local-only", "4 arcs  word word word word")
                    d.end()


def test_a_dumb_terminal_gets_lines() -> None:
    with (
        daemon("--source", "-") as d,
        terminal("top", "--socket", str(d.path), kind="dumb", columns=160) as t,
    ):
        watched(d, t)
        speak(d)
        text = t.until("the daemon answers", "[1] speech started", "[1.1] committed")
        assert "“word word word word” (90% sure)" in text
        assert "…" not in text, "partials are left out"


def test_what_is_said_does_nothing_to_the_terminal() -> None:
    with (
        process("tests.rude_daemon", "0", "--source", "-") as d,
        terminal("top", "--socket", str(d.path)) as t,
    ):
        watched(d, t)
        speak(d)
        t.until("committed v1", "<img/src=x/onerror", "earshot  fake 1.0")
        assert t.screen.title == ""
        assert "earshot  fake 1.0" in t.text


def test_the_picture_of_the_readme_fetches_nothing() -> None:
    text = (ROOT / "daemon/earshot/assets/top.svg").read_text(encoding="utf-8")
    assert len(text) <= 60_000
    assert "url(http" not in text


def test_one_frame_is_printed_or_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "top.svg"
    with daemon("--source", "-") as d:
        d.until(lambda _: True)
        command = [sys.executable, "-m", "earshot", "top", "--once", "--socket", str(d.path)]
        found = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
        assert found.stderr == ""
        assert "fake 1.0 · raw audio" in found.stdout
        assert "CPU" in found.stdout
        assert "\x1b" not in found.stdout
        assert main(["top", "--svg", str(picture), "--socket", str(d.path)]) == 0
        text = picture.read_text(encoding="utf-8")
        assert text.startswith("<svg")
        assert "https://cdnjs" not in text
        assert "local-only" in text.replace("&#160;", " ")
    capsys.readouterr()
    assert main(["top", "--once", "--socket", str(d.path)]) == 1
    assert "no daemon answers" in capsys.readouterr().err
