"""Features of a few made-up recordings: functions of their names, never made twice."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from earshot.features import features

from models import prepare
from models.corpus import alignment, read

NAMES = ("one.wav", "two.wav", "three.wav")


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.setattr(prepare, "ProcessPoolExecutor", ThreadPoolExecutor)
    dice = np.random.default_rng(1)
    for i, name in enumerate((*NAMES, "room.wav")):
        soundfile.write(tmp_path / name, dice.normal(0, 0.1, 4000 + 800 * i), 16_000)
    return [tmp_path / name for name in NAMES]


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.glob("speech*")}


def test_the_first_version_is_dry_and_the_others_are_not(paths: list[Path]) -> None:
    (dry, speed), (spoilt, other) = prepare.one(paths[0], [0, 1], [paths[0].parent / "room.wav"])
    assert speed == 1.0
    np.testing.assert_array_equal(dry, features(read(paths[0])).astype(np.float16))
    assert 0.87 <= other <= 1.15
    assert len(spoilt) == pytest.approx(len(dry) / other, abs=1.5)


def test_a_version_is_a_function_of_the_name_alone(paths: list[Path]) -> None:
    room = [paths[0].parent / "room.wav"]
    alone = prepare.one(paths[1], [2], room)[0]
    prepare.one(paths[0], [1], room)
    among = prepare.one(paths[1], [0, 1, 2], room)[2]
    np.testing.assert_array_equal(alone[0], among[0])
    assert alone[1] == among[1]


def test_what_is_complete_is_kept_and_what_is_missing_is_made_alike(
    paths: list[Path], tmp_path: Path
) -> None:
    outs = {version: tmp_path / f"speech{version}" for version in range(3)}
    prepare.write(paths, outs, [])
    before = contents(tmp_path)
    assert sorted(before) == [f"speech{v}.{kind}" for v in range(3) for kind in ("f16", "npz")]
    assert all(prepare.complete(out, len(paths)) for out in outs.values())
    (tmp_path / "speech1.npz").unlink()  # the run was broken off here
    (tmp_path / "speech2.f16").write_bytes(before["speech2.f16"][0][:-160])
    prepare.write(paths, outs, [])
    after = contents(tmp_path)
    assert {name: data for name, (data, _) in after.items() if name.endswith("f16")} == {
        name: data for name, (data, _) in before.items() if name.endswith("f16")
    }
    assert after["speech0.f16"] == before["speech0.f16"]
    assert after["speech1.f16"][1] > before["speech1.f16"][1]
    assert not prepare.complete(outs[0], len(paths) + 1), "another list of recordings"


def test_a_run_that_is_broken_off_leaves_no_version_behind(
    paths: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(soundfile.LibsndfileError):
        prepare.write([*paths, tmp_path / "missing.wav"], {0: tmp_path / "speech0"}, [])
    assert not contents(tmp_path)


def test_alignments_are_read_as_tokens_frames_and_words() -> None:
    token, start, end, word = alignment("the:DH@10,AH@14@18 sea:S@20,IY@25@40")
    assert start.tolist() == [10, 14, 20, 25]
    assert end.tolist() == [14, 18, 25, 40]
    assert word.tolist() == [0, 0, 1, 1]
    assert len(token) == 4


def test_who_is_tested_on_is_not_trained_on(tmp_path: Path) -> None:
    folder = tmp_path / "speech" / "an4"
    folder.mkdir(parents=True)
    manifest = folder / "manifest.tsv"
    manifest.write_text("path\tspeaker\tsplit\na\tann\ttrain\nb\tbob\tdev\n", encoding="utf8")
    prepare.apart(tmp_path)
    with manifest.open("a", encoding="utf8") as file:
        file.write("c\tbob\ttrain\n")
    with pytest.raises(ValueError, match="an4: bob both in training and in dev"):
        prepare.apart(tmp_path)
