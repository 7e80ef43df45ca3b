"""Why a word came out as it did: names found around it, and names that lost."""

import json
from pathlib import Path

import pytest
from earshot.__main__ import main
from earshot.events import Arc, Explanation, Lattice, Named, Result, Rival, Word
from earshot.explain import MOST_NAMES, Index, explained
from earshot.lines import explanation_lines
from earshot.names import Form

from tests.closed_sets import SHIPPED
from tests.recordings import AUDIO

ANNA, ANNE, LAMP = (
    Named("contact", "Anna Smith"), Named("contact", "Anne Smith"), Named("device", "Desk lamp")
)  # fmt: skip
INDEX = Index(
    [Form(ANNA, ("anna", "smith")), Form(ANNE, ("anne", "smith")), Form(LAMP, ("desk", "lamp"))]
)


def arc(word: str, place: int, bias: float = 0.0, posterior: float = 1.0) -> Arc:
    """A word at a place, one second long, with what its path is worth as the acoustic score."""
    start = place * 16_000
    return Arc(place, place + 1, word, start, start + 16_000, -1.0, 0.0, bias, posterior)


def result(*arcs: Arc) -> Result:
    """The result of arcs, of which the first at each place are best."""
    lattice = Lattice(tuple(range(0, 64_000, 16_000)), tuple(sorted(arcs, key=lambda a: a.source)))
    best = [Word(a.word, a.start, a.end, a.posterior) for a in arcs[: len(lattice.nodes) - 1]]
    return Result(tuple(best), 1.0, (), lattice)


def test_the_whole_name_that_stands_there_is_told_and_what_lost_beside_it() -> None:
    heard = result(
        arc("call", 0), arc("anna", 1, 3.0, 0.7), arc("smith", 2, 4.0), arc("anne", 1, 1.0, 0.2),
        arc("ann", 1, 0.0, 0.1),
    )  # fmt: skip
    first, second = explained(heard, INDEX).explanations
    assert first == Explanation(1, 3.0, (ANNA,), (Rival("anne", 1.0, 0.2, (ANNE,)),))
    assert second == Explanation(2, 4.0, (ANNA,), ())
    one, other = explanation_lines(explained(heard, INDEX))
    assert one == (
        "  anna: favoured by +3.0 as contact “Anna Smith”, "
        "anne (contact “Anne Smith”, +1.0) lost at 20.0%"
    )
    assert other == "  smith: favoured by +4.0 as contact “Anna Smith”"


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("call smith", (ANNA, ANNE)),  # part of both
        ("smith's", (ANNA, ANNE)),
        ("two lamps", (LAMP,)),
        ("desk lamp", (LAMP,)),
        ("blue lamp", (LAMP,)),
        ("kitchen", ()),
    ],
)
def test_a_word_may_be_of_every_name_that_has_it_in_any_form(
    said: str, named: tuple[Named, ...]
) -> None:
    words = said.split()
    assert INDEX.names(words, len(words) - 1) == named


def test_only_some_names_are_told() -> None:
    index = Index([Form(Named("contact", f"Anna {i}"), ("anna", str(i))) for i in range(100)])
    assert len(index.names(["anna"], 0)) == MOST_NAMES


def test_words_in_which_names_had_no_part_are_not_explained() -> None:
    heard = result(arc("call", 0), arc("anna", 1), arc("smith", 2))
    assert explained(heard, INDEX).explanations == ()
    assert explained(Result((), 0.0, (), Lattice((0, 0), ())), INDEX).explanations == ()


@pytest.mark.skipif(not SHIPPED.exists(), reason="no bundle is shipped")
def test_transcribe_explains_in_lines_and_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names, path = tmp_path / "names.txt", str(AUDIO / "speech_commands_bed.flac")
    names.write_text("Bedd = bed\n", encoding="utf8")
    arguments = ["transcribe", "--bundle", str(SHIPPED), "--catalog", str(names), "--explain"]
    assert main([*arguments, path]) == 0
    text, explanation = capsys.readouterr().out.splitlines()
    assert text in {"bed", "bedd"}
    assert "phrase “Bedd”" in explanation
    assert main([*arguments, "--json", path]) == 0
    found = json.loads(capsys.readouterr().out)
    (one,) = found["explanations"]
    assert one["word"] == 0
    told = [one, *one["lost"]]
    assert any(part["names"] == [{"kind": "phrase", "name": "Bedd"}] for part in told)
