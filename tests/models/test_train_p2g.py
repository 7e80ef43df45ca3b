"""Phones find their letters; a tiny training runs to its end and spells what it never saw."""

import lzma
import sys
from pathlib import Path

import pytest
from earshot.p2g import P2g

from models import aligner, p2g
from models.lexicon import Dictionary, Phones
from tests.models.small_dictionary import kit


def spelt(word: str, *chunks: str) -> p2g.Spelt:
    """A word by the names of the chunks of its letters."""
    codes = {aligner.name(code): code for code in range(aligner.KINDS)}
    return p2g.spelt(word, [codes[chunk] for chunk in chunks])


@pytest.mark.parametrize(
    ("word", "chunks", "phones", "letters"),
    [
        ("cab", "K AE B", "K AE B", "c a b"),
        ("box", "B AA K+S", "B AA K S", "b o x _"),
        ("cake", "K EY K _", "K EY K", "c a k+e"),
        ("knight", "_ N AY _ _ T", "N AY T", "k+n i+g+h t"),
        ("hour", "_ AW _ ER", "AW ER", "h+o+u r"),
    ],
)
def test_a_phone_has_the_letters_that_say_it_and_the_silent_ones_beside_them(
    word: str, chunks: str, phones: str, letters: str
) -> None:
    found = spelt(word, *chunks.split())
    assert found.phones == tuple(phones.split())
    assert [p2g.chunk(part) for part in found.letters] == letters.split()
    assert "".join(found.letters) == word


def test_words_with_rare_letters_for_a_phone_are_left_out() -> None:
    usual, odd = spelt("cab", "K", "AE", "B"), spelt("kab", "K", "AE", "B")
    found, chunks = p2g.kept([usual] * p2g.RARE + [odd])
    assert found == [usual] * p2g.RARE
    assert chunks == ["a", "b", "c"]


def test_ten_times_as_often_in_the_books_counts_once_more() -> None:
    assert [p2g.times(count) for count in (0, 900, 9_900, 99_900)] == [1, 2, 3, 4]


def test_errors_are_counted_against_the_nearest_spelling(monkeypatch: pytest.MonkeyPatch) -> None:
    class Sure:
        """Always the same two spellings."""

        def __init__(self, path: Path) -> None:
            assert path == Path("p2g.onnx")

        def spell(self, phones: Phones, count: int) -> list[tuple[str, float]]:
            assert phones in wanted
            return [("bee", -1.0), ("bea", -2.0)][:count]

    wanted: dict[Phones, set[str]] = {("B", "IY"): {"bea", "bees"}, ("B",): {"bee"}}
    monkeypatch.setattr(p2g, "P2g", Sure)
    found = p2g.measure(Path("p2g.onnx"), wanted, most=2)
    assert found == {
        "LER": pytest.approx(100 * 1 / 6),
        "LER of 2": 0.0,
        "WER": 50.0,
        "WER of 2": 0.0,
    }


@pytest.mark.parametrize("often", ["e", ""])
def test_a_tiny_training_spells_what_it_never_saw_in_the_usual_way(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    often: str,
) -> None:
    folder, out = kit(tmp_path, 400), tmp_path / "p2g.onnx"
    (folder / "text/gutenberg").mkdir()
    # One word in two ends in a silent e; the books have either all of these or all others.
    words = [word for word in Dictionary(folder).listed() if word.endswith("e") == bool(often)]
    with lzma.open(folder / "text/gutenberg/unigrams.tsv.xz", "wt", encoding="utf8") as file:
        file.writelines(f"{word}\t99900\n" for word in words)
    options = ["--kit", str(folder), "--out", str(out), "--steps", "30"]
    monkeypatch.setattr(sys, "argv", ["p2g", *options])
    p2g.main()
    report = capsys.readouterr().out
    assert "30/30: loss" in report
    assert f"{out}: {out.stat().st_size} bytes; LER " in report
    assert P2g(out).spell(["D", "AA", "M", "IH"])[0][0] == f"domi{often}"
    assert P2g(out).spell(["T", "AE", "K", "S", "IH"])[0][0] == f"taxi{often}"
