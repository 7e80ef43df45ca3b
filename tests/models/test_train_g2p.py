"""Letters find their phones; a tiny training runs to its end; the lexicon uses what it wrote."""

import sys
from pathlib import Path

import pytest
from earshot.g2p import G2p

from models import aligner, g2p, lexicon
from models.phones import PHONES
from models.rewriter import held_out
from tests.models.small_dictionary import kit


def spelt(words: dict[str, str]) -> list[tuple[str, tuple[str, ...]]]:
    return [(word, tuple(phones.split())) for word, phones in words.items()]


def aligned(words: dict[str, str]) -> dict[str, str]:
    """Each word with its chunks as the file names them."""
    pairs = spelt(words)
    rows = aligner.align(aligner.learn(pairs), pairs)
    return {
        word: " ".join(map(aligner.name, row)) if row is not None else "impossible"
        for (word, _), row in zip(pairs, rows, strict=True)
    }


def test_letters_are_aligned_with_none_one_or_two_phones() -> None:
    words = {
        "box": "B AA K S",
        "fox": "F AA K S",
        "bob": "B AA B",
        "cake": "K EY K",
        "bake": "B EY K",
        "cab": "K AE B",
        "bacon": "B EY K AH N",
        "bed": "B EH D",
        "made": "M EY D",
        "kit": "K IH T",
        "dad": "D AE D",
        "ten": "T EH N",
    }
    assert aligned(words) == {
        "box": "B AA K+S",
        "fox": "F AA K+S",
        "bob": "B AA B",
        "cake": "K EY K _",
        "bake": "B EY K _",
        "cab": "K AE B",
        "bacon": "B EY K AH N",
        "bed": "B EH D",
        "made": "M EY D _",
        "kit": "K IH T",
        "dad": "D AE D",
        "ten": "T EH N",
    }


def test_a_word_with_more_phones_than_its_letters_can_say_is_told() -> None:
    found = aligned(
        {"at": "AE T", "i'd": "AY D", "tv": "T IY V IY", "www": "D AH B AH L Y UW T UW"}
    )
    assert found["www"] == "impossible"
    assert found["at"] == "AE T"


def test_a_probability_is_given_to_every_letter_and_sums_to_one() -> None:
    table = aligner.learn(spelt({"box": "B AA K S", "bob": "B AA B"})).reshape(-1, aligner.KINDS)
    assert table[[aligner.LETTERS.index(c) + 1 for c in "box"]].sum(1) == pytest.approx(1)


def test_expected_counts_are_those_of_all_alignments_weighed() -> None:
    # "ab" saying B in two ways: a silent and b said, or the other way round.
    ((_, batch),) = aligner.batches([("ab", ("B",))])
    table = aligner.first_table().reshape(-1, aligner.KINDS)
    says_b = 1 + PHONES.index("B")
    a, b = aligner.LETTERS.index("a") + 1, aligner.LETTERS.index("b") + 1
    table[a, [0, says_b]], table[b, [0, says_b]] = [0.5, 0.1], [0.2, 0.3]
    counts = aligner.expected(table.ravel(), batch).reshape(-1, aligner.KINDS)
    later, earlier = 0.5 * 0.3, 0.1 * 0.2
    assert counts[a, [0, says_b]] * (later + earlier) == pytest.approx([later, earlier])
    assert counts[b, [0, says_b]] * (later + earlier) == pytest.approx([earlier, later])
    assert counts.sum() == pytest.approx(2)


def test_every_kind_of_chunk_has_its_own_name() -> None:
    assert len({aligner.name(code) for code in range(aligner.KINDS)}) == aligner.KINDS


def test_a_tiny_training_writes_a_file_that_says_the_words_it_never_saw(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = kit(tmp_path, 400), tmp_path / "g2p.onnx"
    options = ["--kit", str(folder), "--out", str(out), "--limit", "300", "--steps", "25"]
    monkeypatch.setattr(sys, "argv", ["g2p", *options])
    g2p.main()
    report = capsys.readouterr().out
    assert "25/25: loss" in report
    assert f"{out}: {out.stat().st_size} bytes; PER " in report
    known = lexicon.Dictionary(folder).listed()
    unseen = {word: phones for word, phones in known.items() if held_out(word)}
    assert unseen
    assert g2p.measure(out, unseen)["PER"] < 10
    assert G2p(out).pronounce("taxo")[0][0] == ("T", "AE", "K", "S", "AA")


def test_the_lexicon_has_words_of_no_dictionary_said_by_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Sure:
        """Two guesses, the second as far behind as the word is long."""

        def __init__(self, path: Path) -> None:
            assert path == tmp_path / "g2p.onnx"

        def pronounce(self, word: str, count: int) -> list[tuple[tuple[str, ...], float]]:
            assert count == 2
            return [(("M",), -1.0), (("N",), -1.0 - len(word) / 4)]

    monkeypatch.setattr(lexicon, "G2p", Sure)
    kit(tmp_path, 1)
    (tmp_path / "words").write_text("mmm\nmmmmm\n", encoding="utf8")
    out = tmp_path / "lexicon"
    options = ["--kit", str(tmp_path), "--words", str(tmp_path / "words"), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["lexicon", *options])
    lexicon.main()
    assert out.read_text(encoding="utf8") == ""
    monkeypatch.setattr(sys, "argv", ["lexicon", *options, "--g2p", str(tmp_path / "g2p.onnx")])
    lexicon.main()
    assert out.read_text(encoding="utf8") == "mmm\t0.000\tM\nmmm\t-0.750\tN\nmmmmm\t0.000\tM\n"
