"""Bundles: whole ones open, and of others one sentence says which file and what is wrong."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from earshot.bundle import Bundle, find, installed, open_bundle, read_symbols
from earshot.engine import Engine
from earshot.errors import BundleError

from tests import networks, small


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return networks.phones(tmp_path / "tiny", tuning="[tuning]\ndelay_ms = 40")


def test_a_whole_bundle_opens(folder: Path) -> None:
    bundle = open_bundle(folder)
    assert isinstance(bundle, Bundle)
    assert (bundle.label, bundle.kind) == ("tiny 1", "phones")
    assert bundle.symbols == tuple(small.SYMBOLS)
    assert [path.name for path in bundle.network] == ["encoder.onnx", "decoder.onnx", "joiner.onnx"]
    assert all(path.exists() for path in bundle.network)
    assert bundle.tuning == {"delay_ms": 40}
    assert bundle.file("lexicon") == folder / "lexicon"
    assert set(bundle.facts) == {"name", "version", "kind", "files", "tuning"}


def edited(old: str, new: str) -> Callable[[Path], object]:
    """What changes the first `old` of bundle.toml."""

    def edit(folder: Path) -> None:
        path = folder / "bundle.toml"
        text = path.read_text("utf8")
        assert re.search(old, text)
        path.write_text(re.sub(old, new, text, count=1), "utf8")

    return edit


def flipped(folder: Path) -> None:
    data = bytearray((folder / "joiner.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "joiner.onnx").write_bytes(data)


def truncated(folder: Path) -> None:
    data = (folder / "words.lm").read_bytes()
    (folder / "words.lm").write_bytes(data[:-1])


def rewritten(name: str, text: str) -> Callable[[Path], object]:
    """A file with another content, honestly listed."""

    def write(folder: Path) -> None:
        (folder / name).write_text(text, "utf8")
        networks.manifest(folder, "phones")

    return write


def with_a_folder(folder: Path) -> None:
    (folder / "g2p.onnx").unlink()
    (folder / "g2p.onnx").mkdir()


TOKENS = "<blk> 0\nA 1\nB 2\nC 3\nA| 4\nB| 5\n"
# what is done to the folder, the file that is named, the reason
DAMAGE: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "missing": (lambda f: (f / "lexicon").unlink(), "lexicon", "no such file"),
    "a folder": (with_a_folder, "g2p.onnx", "has .* bytes|is a directory"),
    "truncated": (truncated, "words.lm", r"has \d+ bytes, but must have \d+"),
    "a flipped byte": (flipped, "joiner.onnx", "sha256 is not that of bundle.toml"),
    "wrong size": (edited(r"bytes = \d+", "bytes = 5"), "decoder.onnx", "but must have 5"),
    "no size": (edited(r"bytes = \d+", "length = 5"), "decoder.onnx", "does not list its bytes"),
    "not listed": (edited(r"tokens\.txt", "tokens.tsv"), "tokens.txt", "does not list its bytes"),
    "too much listed": (
        edited(r"\[tuning\]", '[files.more]\nbytes = 1\nsha256 = ""\n[tuning]'),
        "more",
        "no such file",
    ),
    "bad TOML": (edited("name", "name = ="), "bundle.toml", "cannot be read"),
    "not text": (lambda f: (f / "bundle.toml").write_bytes(b"\xff"), "bundle.toml", "cannot be"),
    "no name": (edited("name = .*", ""), "bundle.toml", "name is missing or not a str"),
    "a number for a version": (edited('"1"', "1"), "bundle.toml", "version is missing or not"),
    "unknown kind": (edited('"phones"', '"words"'), "bundle.toml", "kind is 'words'"),
    "tuning is no table": (
        edited(r"\[tuning\]\ndelay_ms = 40", "[[tuning]]"),
        "bundle.toml",
        "must be a table",
    ),
    "tokens with a gap": (
        rewritten("tokens.txt", "<blk> 0\nA 2\n"),
        "tokens.txt",
        "from 0 on without a gap",
    ),
    "a token twice": (
        rewritten("tokens.txt", "<blk> 0\nA 1\nB 1\n"),
        "tokens.txt",
        "from 0 on without a gap",
    ),
    "no tokens": (rewritten("tokens.txt", ""), "tokens.txt", "not a table of tokens"),
    "tokens without numbers": (
        rewritten("tokens.txt", "<blk>\nA\n"),
        "tokens.txt",
        "not a table of tokens",
    ),
    "another vocabulary": (rewritten("tokens.txt", TOKENS), "tokens.txt", "6 tokens, but .* has 7"),
    "not a network": (rewritten("joiner.onnx", "hello"), "joiner.onnx", "not a network"),
    "not a language model": (rewritten("words.lm", "hello\n"), "words.lm", "not a language model"),
    "not a lexicon": (rewritten("lexicon", "a\t0.0\tQ\n"), "lexicon", "not a lexicon"),
    "another lexicon": (rewritten("lexicon", "zebra\t0.0\tA\n"), "lexicon", "no word"),
    "unknown tuning": (edited("delay_ms", "delay"), "bundle.toml", "tuning.delay is not a setting"),
    "unfit tuning": (
        edited("delay_ms = 40", 'delay_ms = "40"'),
        "bundle.toml",
        "tuning.delay_ms is '40'",
    ),
}


@pytest.mark.parametrize(("damage", "file", "reason"), DAMAGE.values(), ids=DAMAGE.keys())
def test_damage_is_refused_with_the_file_and_the_reason(
    folder: Path, damage: Callable[[Path], object], file: str, reason: str
) -> None:
    damage(folder)
    with pytest.raises(BundleError) as refused:
        Engine.open(open_bundle(folder))
    said = str(refused.value)
    assert said.startswith(f"{folder / file}: ")
    assert re.search(reason, said)
    assert "\n" not in said


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="there is no such folder"):
        open_bundle(tmp_path / "nowhere")


def test_a_foreign_folder_opens_by_the_names_of_its_files(tmp_path: Path) -> None:
    folder = networks.write(tmp_path / "zipformer-en", "zipformer2")
    for part in ("encoder", "decoder", "joiner"):
        (folder / f"{part}.onnx").rename(folder / f"{part}-epoch-99-avg-1.onnx")
    (folder / "encoder-epoch-99-avg-1.int8.onnx").write_bytes(b"")
    bundle = open_bundle(folder)
    assert (bundle.label, bundle.kind) == ("zipformer-en unversioned", "pieces")
    names = [path.name for path in bundle.network]
    assert names[0] == "encoder-epoch-99-avg-1.int8.onnx", "the small one, where both are there"
    assert names[1:] == ["decoder-epoch-99-avg-1.onnx", "joiner-epoch-99-avg-1.onnx"]


def test_a_foreign_folder_with_two_encoders_is_refused(tmp_path: Path) -> None:
    folder = networks.write(tmp_path, "lstm")
    (folder / "encoder-2.onnx").write_bytes(b"")
    with pytest.raises(BundleError, match=r"one encoder\*.onnx is needed.*encoder-2.onnx, encoder"):
        open_bundle(folder)


def test_a_foreign_folder_without_a_joiner_is_refused(tmp_path: Path) -> None:
    (networks.write(tmp_path, "lstm") / "joiner.onnx").unlink()
    with pytest.raises(BundleError, match=r"one joiner\*.onnx is needed, but there is none"):
        open_bundle(tmp_path)


def test_phones_without_a_manifest_are_refused(folder: Path) -> None:
    (folder / "bundle.toml").unlink()
    with pytest.raises(BundleError, match=r"bundle.toml: missing, and the tokens are no word piec"):
        open_bundle(folder)


def test_symbols_may_be_a_space_or_unicodes_other_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "tokens.txt"
    path.write_text("<blk> 0\n 1\n\u2028 2\n\x85 3\n▁a 4\n", "utf8")
    assert read_symbols(path) == ("<blk>", " ", "\u2028", "\x85", "▁a")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    place = tmp_path / "data" / "earshot" / "bundles"
    place.mkdir(parents=True)
    return place


def test_bundles_are_found_by_name_those_of_the_user_first(data: Path) -> None:
    for name in ("mine", "en"):
        (data / name).mkdir()
    (data / "a file").touch()
    found = list(installed())
    assert found[:2] == [data / "en", data / "mine"]
    assert [folder.name for folder in found].count("en") == 1
    assert find("mine") == data / "mine"
    assert find("en") == data / "en"


def test_a_bundle_is_found_by_its_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find(str(folder)) == folder
    monkeypatch.chdir(folder.parent)
    assert find("tiny").resolve() == folder
    assert find("./nowhere") == Path("nowhere"), "a path is a path, there or not"


def test_an_unknown_name_is_refused_with_the_known_ones(data: Path) -> None:
    (data / "mine").mkdir()
    with pytest.raises(BundleError, match=r"there is no bundle 'xx'; installed: .*mine.*\./xx"):
        find("xx")
