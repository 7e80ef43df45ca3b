"""The adapter that attends to names: what it is trained on, what it changes, how it is shipped."""

import random
import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from earshot.__main__ import main as earshot
from earshot.attention import FILES, AttendingEncoder, Attention
from earshot.bundle import open_bundle
from earshot.engine import Engine
from earshot.entries import Entry, Kind
from earshot.errors import BundleError
from earshot.events import Named
from earshot.sources import AudioFile
from earshot.transcriber import transcribe

from models import attention, export_attention
from models.attending import LONGEST, MOST
from models.attention import AdapterRun, Catalogs, Losses, Said, padded
from models.biasing import Biasing
from models.blocks import Shape
from models.bundle import listed
from models.data import Batch, Corpus
from models.kept import keep, kept
from models.network import Transducer
from models.phones import PHONES
from models.progress import Log
from models.train import batches, loop
from tests.closed_sets import SHIPPED
from tests.models import small_cache
from tests.models.adapters import SIZES, in_chunks, lively
from tests.recordings import AUDIO

SHAPE = Shape(width=16, middle=16, inner=1, heads=4, kernel=3, joiner=12, chunk=4, left=8)
STAGE: dict[str, Any] = {"name": "all", "steps": 40, "rate": [3e-3, 1e-3], "rows": 1.0, "emit": 0.0}
RECIPE: dict[str, Any] = {
    "attention": {"phone": 4, "value": 3, "heads": 2},
    "data": {"length": 320, "rows": 3, "window": 4, "seed": 3},
    "optimiser": {"kind": "adamw", "decay": 0.0, "average": 0.9, "clip": 5.0},
    "stage": [STAGE],
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus(small_cache.write(tmp_path_factory.mktemp("cache"), {"an4": 14}, 8))


def catalogs(corpus: Corpus, wrong: float = 0.0, said: float = 1.0) -> Catalogs:
    return Catalogs(corpus, (3, 6), said, words=2, tokens=(1, 9), wrong=wrong)


def base() -> Transducer:
    torch.manual_seed(1)
    return Transducer(SHAPE).eval().requires_grad_(requires_grad=False)


def dice(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - nothing secret


def a_run(corpus: Corpus, out: Path) -> AdapterRun:
    out.mkdir(exist_ok=True)
    return AdapterRun(RECIPE, corpus, out, base())


def a_batch(corpus: Corpus, out: Path) -> Batch:
    return next(batches(a_run(corpus, out), 0, 1))


def go(run: AdapterRun, limit: int) -> None:
    run.resume()
    model = Losses(run.network, base(), catalogs(run.corpus), 4)  # type: ignore[arg-type]
    loop(run, model, batches(run, 0, 1), Log(attention.NAMES), limit)


def test_names_are_whole_words_of_what_is_said_and_others(corpus: Corpus, tmp_path: Path) -> None:
    data = a_batch(corpus, tmp_path)
    names, said = catalogs(corpus).draw(data, dice(0))
    assert said
    assert len(names) >= len(said) + 3
    for one in said:
        tokens = names[one.entry]
        row = data.target[one.row, : data.counts[one.row]].tolist()
        places = [i for i in range(len(row)) if tuple(row[i : i + len(tokens)]) == tokens]
        due = data.due[one.row].tolist()
        end = one.begin + len(one.phones)
        assert any(max(0, due[i] - 2) <= one.begin <= due[i] for i in places)
        assert any(end == max(one.begin, due[i + len(tokens) - 1]) for i in places)
        assert one.phones == tuple(sorted(one.phones))
        assert set(one.phones) <= set(range(len(tokens)))
    assert all(name[-1] > len(PHONES) for name in names), "a name ends where a word does"
    assert catalogs(corpus).draw(data, dice(0)) == (names, said)
    assert catalogs(corpus, said=0.0).draw(data, dice(0))[1] == []


def test_a_misheard_phone_stays_at_its_place_in_the_word(corpus: Corpus, tmp_path: Path) -> None:
    data = a_batch(corpus, tmp_path)
    right, said = catalogs(corpus).draw(data, dice(4))
    wrong, _ = catalogs(corpus, wrong=0.999).draw(data, dice(4))
    one = said[0].entry
    assert right[one] != wrong[one]
    assert [t > len(PHONES) for t in right[one]] == [t > len(PHONES) for t in wrong[one]]


def test_the_right_row_is_the_phone_of_the_name_and_else_that_of_none() -> None:
    """Two names of two phones: the second phone of the first is heard in the first frame."""
    rows = [[0.3, 0.4, 0.2, 0.0, 0.1], [0.1, 0.1, 0.1, 0.0, 0.7], [0.2, 0.2, 0.4, 0.1, 0.1]]
    loss, right = attention.row_loss(torch.tensor([rows]), (2, 2), [Said(0, 0, 0, (1,))])
    assert float(loss) == pytest.approx(-(np.log(0.4) + (np.log(0.7) + np.log(0.1)) / 2) / 2)
    assert float(right) == 1.0
    silent, right = attention.row_loss(torch.tensor([rows]), (2, 2), [])
    assert float(silent) == pytest.approx(-np.mean(np.log([0.1, 0.7, 0.1])))
    assert float(right) == 1.0


def test_training_learns_to_attend_leaves_the_network_alone_and_resumes_exactly(
    corpus: Corpus, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    whole = a_run(corpus, tmp_path / "whole")
    model = Losses(whole.network, base(), catalogs(corpus), 4)  # type: ignore[arg-type]
    heard = list(islice(batches(a_run(corpus, tmp_path / "x"), 0, 1), 4))

    def row_losses() -> float:
        torch.manual_seed(0)
        return float(sum(model(one, STAGE)[1][1] for one in heard))

    before = row_losses()
    go(whole, 40)
    assert row_losses() < before
    for name, value in base().state_dict().items():
        assert torch.equal(value, model.base[0].state_dict()[name]), name
    part = a_run(corpus, tmp_path / "part")
    go(part, 17)
    again = a_run(corpus, tmp_path / "part")
    go(again, 40)
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[name]), name


def of_bundle(joiner: int) -> Biasing:
    return lively(replace(SIZES, joiner=joiner, chunk=8))


@pytest.fixture(scope="module")
def attending(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle that ships, with an adapter that knows nothing yet but changes something."""
    if not SHIPPED.exists():
        pytest.skip("no bundle is shipped")
    folder = tmp_path_factory.mktemp("attending") / "en"
    shutil.copytree(SHIPPED, folder)
    engine = Engine.open(open_bundle(SHIPPED))
    joiner = engine.parts.encoder.step(
        np.zeros((engine.parts.encoder.window, 80), np.float32), engine.parts.encoder.start()
    )[0].shape[1]
    shape = replace(SHAPE, joiner=joiner, chunk=8)
    export_attention.export(of_bundle(joiner), shape, folder, int8=False)
    text = (folder / "bundle.toml").read_text(encoding="utf8").split("\n[files", 1)[0]
    files = "".join(
        f'\n[files."{name}"]\nbytes = {facts["bytes"]}\nsha256 = "{facts["sha256"]}"\n'
        for name, facts in listed(folder).items()
    )
    (folder / "bundle.toml").write_text(text + files, encoding="utf8")
    return folder


ATRIUM = Entry.of(Kind.ROOM, "Atrium")


def test_the_daemon_attends_as_torch_does(attending: Path) -> None:
    found = Attention(open_bundle(attending), 8, 192)
    phones = [tuple(range(1 + i % 50, 6 + i % 50 + i % 20)) for i in range(MOST)]  # also long ones
    sounds = [(Named("room", f"r{i}"), some) for i, some in enumerate(phones)]
    rows = found.rows(sounds)
    assert rows.names == tuple(named for named, _ in sounds)
    network = of_bundle(192)
    token = padded([some[:LONGEST] for some in phones])
    frames = np.random.default_rng(0).normal(size=(24, 192)).astype(np.float32)
    sizes = replace(SIZES, joiner=192, chunk=8)
    with torch.no_grad():
        (biased, shares), _ = in_chunks(network, token, torch.from_numpy(frames), MOST, sizes)
    state = rows.start
    for at in (0, 8, 16):
        attended, state = rows.attend(frames[at : at + 8], state)
        assert attended.share.shape == (8, MOST + 1)
        np.testing.assert_allclose(attended.frames, biased[at : at + 8].numpy(), atol=2e-4)
        wanted = shares[at : at + 8].numpy()
        np.testing.assert_allclose(attended.share[:, :-1], wanted[:, attended.chosen], atol=2e-4)


def test_names_are_attended_to_and_may_be_left_alone(attending: Path) -> None:
    engine = Engine.open(open_bundle(attending))
    named, _ = engine.naming([ATRIUM])
    assert isinstance(named.parts.encoder, AttendingEncoder)
    assert named.naming([])[0].parts.encoder is engine.parts.encoder, "nothing to attend to"
    search = replace(engine.tuning.search, attend=False)
    without, _ = engine.tuned(replace(engine.tuning, search=search)).naming([ATRIUM])
    assert without.parts.encoder is engine.parts.encoder
    silent, _ = engine.naming([Entry.of(Kind.ROOM, "Atrium", weight=0.0)])
    assert silent.parts.encoder is engine.parts.encoder
    path = AUDIO / "an4_go.flac"
    one, other = (transcribe(AudioFile(path), e.recogniser()) for e in (engine, without))
    assert one.text == other.text == "go"


def test_the_map_is_drawn_and_needs_one_recording_and_something_to_attend_to(
    attending: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names, out = tmp_path / "names.txt", tmp_path / "map.svg"
    names.write_text("Atrium\nLoggia & <Co>\n", encoding="utf8")
    path, common = str(AUDIO / "an4_go.flac"), ["--catalog", str(names), "--attention", str(out)]
    assert earshot(["transcribe", "--bundle", str(attending), *common, path]) == 0
    text = out.read_text(encoding="utf8")
    assert text.count("none of them") >= 1
    assert "<Co>" not in text
    capsys.readouterr()
    assert earshot(["transcribe", "--bundle", str(attending), *common, path, path]) != 0
    assert "--attention draws one recording" in capsys.readouterr().err
    assert earshot(["transcribe", "--bundle", str(attending), *common[2:], path]) != 0
    assert "nothing is attended to: it takes a bundle" in capsys.readouterr().err


def test_kept_weights_are_those_of_the_run_in_sixteen_bits(corpus: Corpus, tmp_path: Path) -> None:
    a_run(corpus, tmp_path).save()
    keep(tmp_path, tmp_path / "kept.pt")
    run, kept = (
        export_attention.load(path, base()).state_dict()
        for path in (tmp_path, tmp_path / "kept.pt")
    )
    for name, value in run.items():
        assert torch.equal(value.half().float(), kept[name]), name


def test_a_kept_adapter_goes_on_beside_a_network_that_was_trained_on(
    corpus: Corpus, tmp_path: Path
) -> None:
    a_run(corpus, tmp_path).save()
    keep(tmp_path, tmp_path / "kept.pt")
    moved = base()
    with torch.no_grad():
        moved.frame.weight *= 2
    run, new = (
        AdapterRun({**RECIPE, "data": {**RECIPE["data"], "seed": 9}}, corpus, tmp_path, moved)
        for _ in range(2)
    )
    run.begin_with(tmp_path / "kept.pt")
    old = kept(tmp_path / "kept.pt").weights
    frozen = ("attention.tokens.weight", "attention.tokens.bias")
    for name, value in run.network.state_dict().items():
        expected = new.network.state_dict()[name] if name in frozen else old[name]
        assert torch.equal(value, expected), name
        assert torch.equal(value, run.average[name]), name


def test_an_adapter_of_another_network_is_refused(attending: Path) -> None:
    for chunk, width in ((4, 192), (8, 96)):
        with pytest.raises(BundleError, match=r"attention\.onnx: .* the network beside it"):
            Attention(open_bundle(attending), chunk, width)


def test_a_damaged_adapter_is_one_clear_error(attending: Path, tmp_path: Path) -> None:
    folder = tmp_path / "en"
    shutil.copytree(attending, folder)
    (folder / FILES[1]).write_bytes(b"nothing")
    with pytest.raises(Exception, match=r"attention\.onnx: has 7 bytes, but must have"):
        open_bundle(folder)
