"""Unknown words are written: by the speller, by a bundle that has one, and for programs."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from earshot.bundle import SPELLER, open_bundle
from earshot.engine import Engine
from earshot.events import Arc, EndPoint, Lattice, Word
from earshot.lines import word_object
from earshot.loop import Unknown
from earshot.p2g import P2g
from earshot.pictures import lattice_object
from earshot.speller import Speller

from tests import networks, rewriters, small
from tests.recordings import recording


class Guess(P2g):
    """A network whose spellings are known."""

    def __init__(self, *texts: str) -> None:
        self.texts, self.asked = texts, list[tuple[str, ...]]()

    def spell(self, phones: Sequence[str], count: int = 1) -> list[tuple[str, float]]:
        self.asked.append(tuple(phones))
        return [(text, -1.0 - i) for i, text in enumerate(self.texts[:count])]


def speller(folder: Path, p2g: P2g) -> Speller:
    model = small.ngram(folder)
    return Speller(p2g, small.SYMBOLS, small.tree(model), small.WORDS, model.unigram)


def test_what_sounds_like_a_word_of_the_lexicon_is_that_word_and_the_likelier_one(
    tmp_path: Path,
) -> None:
    made = speller(tmp_path, guess := Guess("never"))
    assert made.spell([1, 5]) == "ab"
    assert made.spell([5]) == "b", "and not bee, which is said alike and rarer"
    assert not guess.asked


def test_of_the_spellings_the_first_that_is_no_known_word_is_taken(tmp_path: Path) -> None:
    made = speller(tmp_path, guess := Guess("bee", "cab", "cabba", "kabba"))
    assert made.spell([3, 1, 2, 4]) == Unknown("cabba", ("C", "A", "B", "A"))
    assert made.spell([3, 1, 2, 4]) == Unknown("cabba", ("C", "A", "B", "A"))
    assert guess.asked == [("C", "A", "B", "A")], "each word is spelt once"


def test_a_word_in_all_its_spellings_known_is_spelt_by_the_likeliest(tmp_path: Path) -> None:
    assert speller(tmp_path, Guess("bee", "b")).spell([2, 4]) == Unknown("bee", ("B", "A"))


def opened(folder: Path, unknown: float) -> Engine:
    """The engine of a bundle with a speller."""
    made = rewriters.bundle(folder, f"[tuning.search]\nunknown = {unknown}\n")
    return Engine.open(open_bundle(made))


def words(engine: Engine) -> list[Word]:
    recogniser, audio = engine.recogniser(), recording("an4_command1").samples()
    events = [*recogniser.accept(audio), *recogniser.finish()]
    return [w for event in events if isinstance(event, EndPoint) for w in event.result.words]


def test_a_bundle_with_a_speller_writes_unknown_words_and_marks_them(tmp_path: Path) -> None:
    found = words(opened(tmp_path, 0.0))
    marked = [word for word in found if word.phones]
    assert marked
    assert all(set(word.text) <= set("xyz") for word in marked)
    assert all(set(word.phones) <= set("ABC") for word in marked)
    assert {word.text for word in found if not word.phones} <= set(small.SPOKEN)


def test_a_bundle_without_a_speller_knows_no_other_words(tmp_path: Path) -> None:
    plain = rewriters.bundle(tmp_path / "plain", "[tuning.search]\nunknown = 4.0\n")
    (plain / SPELLER).unlink()
    found = words(Engine.open(open_bundle(networks.manifest(plain, "phones"))))
    assert {word.text for word in found} <= set(small.SPOKEN)
    assert not any(word.phones for word in found)
    unlikely = words(opened(tmp_path / "speller", -1e3))
    assert [replace(word, confidence=0.0) for word in unlikely] == [
        replace(word, confidence=0.0) for word in found
    ]


def test_programs_are_told_which_words_are_unknown() -> None:
    known, unknown = Word("turn", 0, 1_600, 0.5), Word("zaza", 1_600, 3_200, 0.5, ("Z", "AA"))
    assert "phones" not in word_object(known)
    assert word_object(unknown)["phones"] == ["Z", "AA"]
    one = Arc(0, 1, "zaza", 0, 1_600, -0.1, 0.0, 0.0, 1.0, ("Z", "AA"))
    for arc, phones in ((one, ["Z", "AA"]), (replace(one, phones=()), None)):
        told = lattice_object(Lattice((0, 1_600), (arc,)))["arcs"]
        assert isinstance(told, list)
        assert told[0].get("phones") == phones
