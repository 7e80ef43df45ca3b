"""Variants beside each other: recipes that differ as asked, pieces in time, and the whole chain."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models import compare, pieces
from models.blocks import KINDS, Shape
from models.compare import VARIANTS, row, table
from models.corpus import Recording
from models.data import Corpus
from models.grow import grown
from models.network import Transducer
from models.variants import merged, paced, seconds_a_step, variants
from tests.models import small_cache

ROOT = Path(__file__).parents[2]
BASE = """
[base]
network = { width = 16, middle = 16, inner = 1, heads = 2, kernel = 3, joiner = 8, chunk = 4, left = 8, tokens = 79 }
data = { length = 320, rows = 3, window = 4, seed = 3 }
optimiser = { kind = "adamw", decay = 0.01, average = 0.9, clip = 1.0 }
[base.stage]
frames = { share = 0.5, rate = [1e-3, 1e-3], frames = 1.0, transducer = 0.0, ctc = 0.0, emit = 0.0 }
both = { share = 0.5, rate = [1e-3, 1e-4], frames = 0.1, transducer = 1.0, ctc = 0.1, emit = 0.0 }
[variant.lstm.network]
kind = "lstm"
[variant.pieces.network]
tokens = 60
[variant.late]
like = "lstm"
stage = { both = { emit = 0.03 }, frames = { share = 0.0 } }
"""  # noqa: E501 - TOML knows tables on one line only


class Letters:
    """A processor whose pieces are letters."""

    def encode(self, word: str) -> list[int]:
        return [ord(letter) for letter in word]


def test_changes_reach_into_tables_and_leave_the_rest() -> None:
    base = {"a": {"b": 1, "c": {"d": 2}}, "e": [1]}
    assert merged(base, {"a": {"c": {"d": 3}}, "e": [2]}) == {
        "a": {"b": 1, "c": {"d": 3}},
        "e": [2],
    }
    assert base == {"a": {"b": 1, "c": {"d": 2}}, "e": [1]}


def test_a_variant_may_be_like_another(tmp_path: Path) -> None:
    (tmp_path / "v.toml").write_text(BASE, encoding="utf8")
    found = variants(tmp_path / "v.toml")
    assert list(found) == ["lstm", "pieces", "late"]
    assert found["late"]["network"] == found["lstm"]["network"]
    assert found["late"]["stage"]["both"]["emit"] == 0.03
    assert found["lstm"]["stage"]["both"]["emit"] == 0.0


def test_a_variant_like_none_before_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v.toml").write_text(BASE + 'data = {}\n[variant.x]\nlike = "y"\n', encoding="utf8")
    with pytest.raises(SystemExit, match="x is like 'y', which does not stand above it"):
        variants(tmp_path / "v.toml")


def test_the_variants_that_come_with_it_are_shapes_and_keep_the_base() -> None:
    found = variants(VARIANTS)
    shapes = {name: Shape(**recipe["network"]) for name, recipe in found.items()}
    assert {shape.kind for shape in shapes.values()} == set(KINDS)
    keys = {name: set(recipe) - {"start"} for name, recipe in found.items()}
    assert set(map(tuple, map(sorted, keys.values()))) == {
        ("data", "network", "optimiser", "stage")
    }


def test_weights_to_start_with_fit_the_variants_that_name_them() -> None:
    for recipe in variants(VARIANTS).values():
        if "start" in recipe:
            kept = torch.load(ROOT / recipe["start"], weights_only=True)["average"]
            shape = Shape(**recipe["network"])
            Transducer(shape).load_state_dict(grown(kept, shape))


def test_steps_are_shared_out_by_the_time_they_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes = {"frames": 0.1, "both": 0.5}
    monkeypatch.setattr(
        "models.variants.seconds_a_step", lambda _, stage, *__: takes[stage["name"]]
    )
    (tmp_path / "v.toml").write_text(BASE, encoding="utf8")
    known = variants(tmp_path / "v.toml")
    corpus = Corpus(small_cache.write(tmp_path, {"an4": 12}, 8))
    found = paced(known["lstm"], corpus, 1, tmp_path)
    steps = [(stage["name"], stage["steps"]) for stage in found["stage"]]
    assert steps == [("frames", 300), ("both", 60)]
    (only,) = paced(known["late"], corpus, 1, tmp_path)["stage"]
    assert (only["name"], only["steps"]) == ("both", 120)


def test_trying_steps_changes_no_run(tmp_path: Path) -> None:
    (tmp_path / "v.toml").write_text(BASE, encoding="utf8")
    known = variants(tmp_path / "v.toml")["lstm"]
    corpus = Corpus(small_cache.write(tmp_path, {"an4": 12}, 8))
    stage = {"name": "both", **known["stage"]["both"]}
    assert seconds_a_step({**known, "stage": [stage]}, stage, corpus, tmp_path) > 0
    assert not (tmp_path / "run.pt").exists()


def test_the_pieces_of_a_word_share_its_time() -> None:
    word = np.array([0, 0, 1], np.int32)
    start, end = np.array([10, 14, 30], np.int32), np.array([14, 18, 33], np.int32)
    spoken = Recording(Path("a"), "an4", "s", word, start, end, word)
    found = pieces.respelt(spoken, ["ab", "c"], Letters())
    assert found.token.tolist() == [97, 98, 99]
    assert found.start.tolist() == [10, 14, 30]
    assert found.end.tolist() == [14, 18, 33]
    assert found.word.tolist() == [0, 0, 1]


def test_the_table_has_a_cell_for_each_head() -> None:
    sets = {"an4": {"wer": 10.0, "phone_errors": 8.0}, "synthetic": {"wer": 12.0}}
    found: dict[str, Any] = {
        "variant": "x", "parameters": 3.1, "steps": 9, "hours": 1.0, "cpu_minutes": 2.0,
        "sets": sets, "wer": 10.0, "encoder_ms": 5.0, "all_ms": 20.0,
    }  # fmt: skip
    assert "| 8.0 / – | 10.0 / 12.0 |" in row(found)
    heads, rule, only = table([found]).splitlines()[2:]
    assert heads.count("|") == rule.count("|") == only.count("|")


def run(module: str, *options: str) -> None:
    given = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "daemon"), str(ROOT)])}
    command = [sys.executable, "-m", f"models.{module}", *options]
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_whole_chain_on_a_kit_of_a_minute(tmp_path: Path) -> None:
    kit, cache, out = (str(tmp_path / name) for name in ("kit", "cache", "out"))
    (tmp_path / "v.toml").write_text(BASE, encoding="utf8")
    run("tiny_kit", "--audio", "tests/audio", "--out", kit)
    run("prepare", "--kit", kit, "--out", cache, "--rooms", "0")
    given = ["--kit", kit, "--cache", cache, "--out", out, "--variants", str(tmp_path / "v.toml")]
    given += ["--minutes", "0.03", "--count", "2", "--jobs", "1", "--only", "lstm", "pieces"]
    run("compare", *given)
    written = (tmp_path / "out/table.json").read_text(encoding="utf8")
    names = [one["variant"] for one in json.loads(written)]
    assert names == ["lstm", "pieces"]
    assert all(one["steps"] and one["sets"] for one in json.loads(written))
    # What is done is only read again, and not for other minutes.
    known = variants(tmp_path / "v.toml")["lstm"]
    again = argparse.Namespace(out=tmp_path / "out", cache=tmp_path / "cache", count=2, minutes=9)
    assert compare.one("lstm", known, again) == json.loads(written)[0]
    again.count = 3
    with pytest.raises(SystemExit, match="was trained for other minutes; move it away"):
        compare.one("lstm", known, again)
