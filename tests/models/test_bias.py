"""What is counted where names are measured, and the commands that are spoken for it."""

import random
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from earshot.entries import Entry, Kind

from models import bias, named
from models.bias import Clip, Heard, compared, grouped, summary
from models.choose import is_withheld
from models.score import aligned, edits


@pytest.mark.parametrize(
    ("wanted", "given", "listed", "rest"),
    [
        ("call anna smith now", "call anna smith now", 0, 0),
        ("call anna smith now", "call hannah smith no", 1, 1),
        ("call anna smith", "call smith", 1, 0),
        ("turn it on", "turn it on anna", 1, 0),
        ("turn it on", "turn it on please", 0, 1),
        ("call anna", "", 1, 1),
    ],
)
def test_errors_are_told_apart_by_the_word_that_is_wrong(
    wanted: str, given: str, listed: int, rest: int
) -> None:
    found = compared(wanted.split(), given.split(), frozenset(("anna", "smith")))
    assert found == [listed, rest]


def test_an_alignment_is_as_short_as_can_be_and_holds_all_words() -> None:
    dice = random.Random(0)  # noqa: S311 - nothing secret
    for _ in range(50):
        one, other = ([dice.choice("abc") for _ in range(dice.randrange(7))] for _ in range(2))
        pairs = aligned(one, other)[::-1]
        assert [a for a, _ in pairs if a] == one
        assert [b for _, b in pairs if b] == other
        assert sum(a != b for a, b in pairs) == edits(one, other)


def test_every_group_has_its_names_and_others_up_to_the_size() -> None:
    names = [Entry.of(Kind.CONTACT, f"name {i}") for i in range(5)]
    others = [Entry.of(Kind.CONTACT, f"other {i}") for i in range(9)]
    clips = [Clip(Path(str(i)), "", (name,)) for i, name in enumerate(names)]
    groups = list(grouped(clips, 4, 2, others))
    assert [len(some) for some, _ in groups] == [2, 2, 1]
    assert [len(entries) for _, entries in groups] == [4, 4, 4]
    assert all(set(clip.names) <= set(entries) for some, entries in groups for clip in some)
    assert [len(entries) for _, entries in grouped(clips, 1, 5, others)] == [5], "none is left out"


def test_the_names_that_are_said_may_stand_anywhere_in_a_catalog() -> None:
    names = [Entry.of(Kind.CONTACT, f"name {i}") for i in range(3)]
    others = [Entry.of(Kind.CONTACT, f"other {i}") for i in range(97)]
    clips = [Clip(Path(str(i)), "", (name,)) for i, name in enumerate(names)]
    catalog = bias.catalog_of(clips, 100, others)
    assert catalog == bias.catalog_of(clips, 100, others)
    assert sorted(one.name for one in catalog) == sorted(one.name for one in [*names, *others])
    assert max(catalog.index(name) for name in names) > len(names)


def test_a_summary_counts_each_kind_of_word_by_itself() -> None:
    every = [Heard((1, 2), (0, 4), 0, 1.0, 0.02, 90.0), Heard((0, 2), (1, 1), 2, 1.0, 0.04, 95.4)]
    found = summary(every)
    assert found["listed"][0] == 25.0
    assert found["rest"][0] == 20.0
    assert found["all"][0] == pytest.approx(100 * 2 / 9, abs=0.01)
    assert (found["false_names"], found["cpu"], found["memory_mib"]) == (2, 0.03, 95)


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """Lists of names as the data kit has them."""
    lists = tmp_path / "text/names"
    (lists / "entities").mkdir(parents=True)
    dice = random.Random(1)  # noqa: S311 - nothing secret
    made = ["".join(dice.choices("abdeiklmnorstu", k=6)) for _ in range(400)]
    given = "".join(f"{name}\tF\t5000\n" for name in made[:200])
    surnames = "".join(f"{name}\t0.1\t{i}\n" for i, name in enumerate(made[200:]))
    (lists / "given_us_ssa_1960_2020.tsv").write_text("name\tsex\tcount\n" + given, "utf8")
    (lists / "surnames_us_census1990.tsv").write_text("name\tpercent\trank\n" + surnames, "utf8")
    (lists / "entities/ohf_names_en.tsv").write_text("den light\tDen light\tlight\n", "utf8")
    devices = "den light\tDen Light\tlight\nattic big fan\tAttic fan\tfan\nfan\tFan\tfan\n"
    (lists / "entities/homellm_devices_en.tsv").write_text(devices, "utf8")
    titles = "the switch\tThe Switch\t1\na b c d e\tLong\t1\n"
    (lists / "entities/homellm_media_names.tsv").write_text(titles, "utf8")
    return tmp_path


def test_names_are_those_that_no_training_has_said(kit: Path) -> None:
    pools = named.Pools.of(kit).names
    words = {word for name in pools[Kind.CONTACT] for word in name.split()}
    assert words
    assert all(map(is_withheld, words))
    assert pools[Kind.DEVICE] == ["attic big fan"], "one is in sentences, one is too short"
    assert pools[Kind.PLAYLIST] == ["the switch"]
    assert "panic room" in pools[Kind.ROOM]


def test_commands_are_different_mixed_by_kind_and_always_the_same(kit: Path) -> None:
    found = named.commands(kit, 60)
    assert len(found) == 60
    assert all(entry.name in text for text, entry in found.items())
    kinds = Counter(entry.kind for entry in found.values())
    assert kinds.most_common(1)[0][0] is Kind.CONTACT
    assert found == named.commands(kit, 60)
    jobs = list(named.jobs(list(found), kit / "out"))
    assert sum(len(job.sayings) for job in jobs) == 60
    assert len({job.speaker.voice for job in jobs}) == min(len(jobs), len(named.VOICES))


def test_strangers_share_no_word_with_what_is_said(kit: Path) -> None:
    said = list(islice(named.Pools.of(kit).entries(), 5))
    clips = [Clip(Path("x"), "", (one,)) for one in said]
    words = {word for one in said for word in one.name.split()}
    others = bias.strangers(kit, clips, 20)
    assert others
    assert all(words.isdisjoint(one.name.split()) for one in others)
