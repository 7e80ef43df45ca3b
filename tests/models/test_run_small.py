"""The training holds together: every step on next to nothing, and a bundle that opens."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from earshot.bundle import open_bundle
from earshot.engine import Engine
from earshot.sources import AudioFile
from earshot.transcriber import transcribe

from models.corpus import table
from models.score import edits
from tests.recordings import recordings

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "small"
    given = {**os.environ, "OUT": str(out), "PYTHON": sys.executable}
    given["PYTHONPATH"] = os.pathsep.join([str(ROOT / "daemon"), str(ROOT)])
    done = subprocess.run(
        ["sh", "models/run_small.sh"], cwd=ROOT, env=given, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return out


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_bundle_it_makes_opens_verifies_and_transcribes(made: Path) -> None:
    bundle = open_bundle(made / "bundle")
    engine = Engine.open(bundle)
    found = transcribe(AudioFile(recordings()[0].path), engine.recogniser())
    assert bundle.kind == "phones"
    assert found.samples == len(recordings()[0].samples())
    assert engine.tuning.search.beam == bundle.tuning["search"]["beam"]
    assert set(bundle.facts["measured"]) == {"common_voice_en", "synthetic"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_second_run_finds_every_step_done(made: Path) -> None:
    before = (made / "bundle/bundle.toml").read_bytes()
    given = {
        **os.environ, "OUT": str(made), "KIT": str(made / "kit"), "BUNDLE": str(made / "bundle"),
        "PYTHON": sys.executable, "HOURS": "0", "LONG": "", "SPELL": "1",
    }  # fmt: skip
    done = subprocess.run(
        ["sh", "models/run_full.sh"], cwd=ROOT, env=given, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert all(line.endswith(": done before") for line in done.stdout.splitlines())
    assert (made / "bundle/bundle.toml").read_bytes() == before


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_chords_for_phones_are_learnt(made: Path) -> None:
    measured = json.loads((made / "measured.json").read_text(encoding="utf8"))
    assert measured["sets"]["synthetic"]["phone_errors"] < 50


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_twenty_sentences_it_was_trained_on_are_understood(made: Path) -> None:
    engine, folder = Engine.open(open_bundle(made / "bundle")), made / "kit/speech/synthetic"
    rows = [row for row in table(folder / "manifest.tsv") if row["split"] == "train"][:20]
    errors = words = 0
    for row in rows:
        wanted = row["text"].split()
        heard = transcribe(AudioFile(folder / row["path"]), engine.recogniser()).text
        errors, words = errors + edits(wanted, heard.split()), words + len(wanted)
    assert len(rows) == 20
    assert errors / words < 0.2
