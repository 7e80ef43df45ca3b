"""What a re-ranker answers is checked before anything is made of it."""

import math

import pytest
from earshot.errors import RequestError
from earshot.events import Word
from earshot.generated.v1.rescoring_pb2 import RescoredPath
from earshot.ranked import checked, reread

from tests.choosy import result_of

WORDS = (Word("word", 0, 1_600, 0.0), Word("word", 1_600, 3_200, 0.0))
FOUND = result_of(WORDS)
LATTICE = FOUND.lattice
SENT = range(len(LATTICE.arcs))  # arcs 0 and 2 say "ward", 1 and 3 "word"


def path(*arcs: int, score: float = -1.0, posterior: float = 0.25) -> RescoredPath:
    return RescoredPath(arcs=arcs, score=score, posterior=posterior)


def test_the_best_path_makes_words_times_confidence_and_alternatives() -> None:
    answer = [
        path(0, 2, score=-1, posterior=0.5),
        path(1, 2, score=-2, posterior=0.3),
        path(1, 3, score=-3, posterior=0.125),
    ]
    paths = checked(LATTICE, SENT, answer)
    found = reread(FOUND, paths)
    assert found.text == "ward ward"
    assert [(w.start, w.end) for w in found.words] == [(0, 1_600), (1_600, 3_200)]
    assert [w.confidence for w in found.words] == pytest.approx([0.5, 0.8])
    assert found.confidence == pytest.approx(math.sqrt(0.5 * 0.8))
    assert [a.text for a in found.alternatives] == ["ward ward", "word ward", "word word"]
    assert found.alternatives[0].score == pytest.approx(math.log(0.5))
    assert found.lattice == LATTICE


def test_the_same_text_twice_is_one_alternative() -> None:
    answer = [path(0, 2, score=-1), path(0, 2, score=-2), path(1, 3, score=-3)]
    found = reread(FOUND, checked(LATTICE, SENT, answer))
    assert [a.text for a in found.alternatives] == ["ward ward", "word word"]


def test_places_are_those_of_the_arcs_that_were_sent() -> None:
    (one,) = checked(LATTICE, (1, 3), [path(0, 1)])
    assert one.words == ("word", "word")


@pytest.mark.parametrize(
    "answer",
    [
        [],
        [path(1, 3)] * 65,
        [path()],
        [path(1)],
        [path(1, 1)],
        [path(3, 1)],
        [path(1, 3, 3)],
        [path(1, 4)],
        [path(1, 4_000_000_000)],
        [path(1, 3, score=math.nan)],
        [path(1, 3, score=math.inf)],
        [path(1, 3, posterior=math.nan)],
        [path(1, 3, posterior=1.5)],
        [path(1, 3, posterior=-0.5)],
        [path(1, 3, score=-2), path(0, 3, score=-1)],
        [path(1, 3, posterior=0.9), path(0, 3, posterior=0.9)],
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(answer: list[RescoredPath]) -> None:
    with pytest.raises(RequestError):
        checked(LATTICE, SENT, answer)
