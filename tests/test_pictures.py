import json
import math
import random
import re
import xml.etree.ElementTree as ET
from itertools import combinations
from pathlib import Path

import pytest
from earshot.errors import DeviceError, RequestError
from earshot.events import Arc, Lattice
from earshot.pictures import lattice_object, write
from hypothesis import given, settings
from hypothesis import strategies as st

SVG = "{http://www.w3.org/2000/svg}"
SECOND = 16_000
HOSTILE = [
    '<&">',
    "]]>",
    "two\nlines",
    "\x00\x1b",
    "🙂👩‍👩‍👧",
    "日本語",
    "שלום",
    "\\N\\",
    "&amp;",
    "'",
    "\ufffe",
]


def arc(source: int, target: int, word: str, probability: float) -> Arc:
    times = source * SECOND // 2, target * SECOND // 2
    return Arc(source, target, word, *times, math.log(probability) + 1, -1.5, 0.5, probability)


def made(*arcs: Arc) -> Lattice:
    last = max(arc.target for arc in arcs)
    order = sorted(arcs, key=lambda arc: (arc.source, arc.target, arc.word))
    return Lattice(tuple(node * SECOND // 2 for node in range(last + 1)), tuple(order))


SMALL = made(arc(0, 1, "turn", 0.75), arc(0, 1, "learn", 0.25), arc(1, 2, "on", 1.0))


def rolled(seed: int) -> Lattice:
    """Acyclic, every node between the start and the end, parallel arcs, short and long words."""
    dice = random.Random(seed)  # noqa: S311 - a made-up lattice is no secret
    nodes = dice.randint(2, 14)
    pairs = [(node - 1, node) for node in range(1, nodes)]
    for _ in range(dice.randint(0, 45)):
        first, second = sorted(dice.sample(range(nodes), 2))
        pairs.append((first, second))
    kept = [pair for pair in pairs if dice.random() < 0.9]
    kept += [(node, dice.randint(node + 1, nodes - 1)) for node in range(nodes - 1)]
    kept += [(dice.randint(0, node - 1), node) for node in range(1, nodes)]
    letters = "abcdefghijklmnopqrstuvwxyzMWÖ日"
    sizes = dice.choices([1, 3, 5, 8, 24], k=len(kept))
    words = ["".join(dice.choices(letters, k=size)) for size in sizes]
    chances = [dice.uniform(0.01, 1) for _ in kept]
    return made(*(arc(a, b, word, p) for (a, b), word, p in zip(kept, words, chances, strict=True)))


def drawn(folder: Path, *lattices: Lattice) -> ET.Element:
    path = folder / "out.svg"
    write(lattices, path)
    return ET.parse(path).getroot()  # noqa: S314 - our own file


def classed(root: ET.Element, *names: str) -> list[ET.Element]:
    return [e for e in root.iter() if set(names) <= set(e.get("class", "").split())]


def word_of(label: ET.Element) -> str:
    return (label.text or "").strip()


def box(label: ET.Element) -> tuple[float, float, float, float]:
    """Left, top, right, bottom: letters of 0.6 em, capitals and ideographs of one em."""
    ems = sum(0.6 if c.islower() and c not in "mw" else 1.0 for c in word_of(label))
    half = (15 * ems + 34) / 2
    x, y = float(label.get("x", "")), float(label.get("y", ""))
    return x - half, y - 13, x + half, y + 4


def apart(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


@given(st.integers(0, 100_000), st.integers(0, 100_000))
@settings(deadline=None, max_examples=40)
def test_no_label_stands_on_another_or_on_a_node(
    tmp_path_factory: pytest.TempPathFactory, seed: int, other: int
) -> None:
    lattices = rolled(seed), rolled(other)
    root = drawn(tmp_path_factory.mktemp("svg"), *lattices)
    labels = classed(root, "word")
    assert len(labels) == sum(len(lattice.arcs) for lattice in lattices)
    assert all(apart(box(a), box(b)) for a, b in combinations(labels, 2))
    for node in classed(root, "node"):
        x, y, r = (float(node.get(name, "")) for name in ("cx", "cy", "r"))
        assert all(apart((x - r, y - r, x + r, y + r), box(label)) for label in labels)
    width, height = float(root.get("width", "")), float(root.get("height", ""))
    for left, top, right, bottom in map(box, labels):
        assert left >= 0
        assert top >= 0
        assert right <= width
        assert bottom <= height


@pytest.mark.parametrize("seed", range(5))
def test_time_runs_to_the_right_and_the_best_path_on_one_height(seed: int, tmp_path: Path) -> None:
    lattice = rolled(seed)
    root = drawn(tmp_path, lattice)
    best = lattice_object(lattice)["best"]
    assert isinstance(best, list)
    words = [lattice.arcs[i].word for i in best]
    labels = classed(root, "word", "best")
    assert [word_of(label) for label in labels] == words
    assert len({label.get("y") for label in labels}) == 1
    places = [float(label.get("x", "")) for label in labels]
    assert places == sorted(places)
    assert len(classed(root, "arc", "best")) == len(words)
    assert classed(root, "heading")[0].text == " ".join(words)


def test_every_arc_is_a_curve_and_a_word_with_its_scores(tmp_path: Path) -> None:
    root = drawn(tmp_path, SMALL)
    assert {word_of(label) for label in classed(root, "word")} == {"turn", "learn", "on"}
    assert len(classed(root, "arc")) == 3
    label = next(label for label in classed(root, "word") if word_of(label) == "learn")
    assert label.findtext(f"{SVG}tspan") == "0.25"
    assert label.findtext(f"{SVG}title") == (
        "learn\n0.00–0.50 s, posterior 0.2500\nacoustic -0.39, language -1.50, bias 0.50"
    )
    assert [e.text for e in classed(root, "time")] == ["0.00 s", "0.50 s", "1.00 s"]
    assert [e.text for e in classed(root, "note")] == ["75% of all paths"]


def test_an_unlikely_arc_is_thinner_and_fainter(tmp_path: Path) -> None:
    root = drawn(tmp_path, made(*(arc(0, 1, f"w{p}", p) for p in (0.6, 0.3, 0.1))))
    others = classed(root, "arc", "other")
    assert [float(e.get("stroke-width", "")) for e in others] == [1.6, 2.1]
    assert [float(e.get("opacity", "")) for e in others] == [0.59, 0.73]


@pytest.mark.parametrize("word", HOSTILE)
@pytest.mark.parametrize("suffix", [".svg", ".dot", ".json"])
def test_any_word_can_be_written(word: str, suffix: str, tmp_path: Path) -> None:
    lattice, path = made(arc(0, 1, word, 1.0)), tmp_path / f"out{suffix}"
    write([lattice], path)
    shown = re.sub("[\x00\x1b\ufffe]", "\ufffd", word.replace("\n", " "))
    if suffix == ".svg":
        assert [word_of(e) for e in classed(drawn(tmp_path, lattice), "word")] == [shown]
    elif suffix == ".json":
        assert json.loads(path.read_bytes())["lattices"][0]["arcs"][0]["word"] == word
    else:
        assert [edge[2] for edge in edges(path.read_text("utf-8"))] == [f"{shown}\n1.00"]


def test_of_many_arcs_the_unlikely_are_hidden_and_counted(tmp_path: Path) -> None:
    chances = [0.9, *(0.01,) * 5, *(0.001,) * 55]
    many = made(*(arc(0, 1, f"w{i}", p) for i, p in enumerate(chances)))
    root = drawn(tmp_path, many)
    assert len(classed(root, "word")) == 6
    assert classed(root, "note")[0].text == "90% of all paths · 55 arcs under 0.005 are not shown"
    few = made(*many.arcs[:60])
    assert len(classed(drawn(tmp_path, few), "word")) == 60


def test_an_arc_whose_neighbours_are_hidden_is_still_drawn(tmp_path: Path) -> None:
    faint = [arc(a, b, "faint", 0.001) for a, b in [(0, 1), (2, 3)] for _ in range(40)]
    root = drawn(tmp_path, made(arc(0, 3, "best", 0.9), arc(1, 2, "alone", 0.08), *faint))
    assert sorted(word_of(e) for e in classed(root, "word")) == ["alone", "best"]


def edges(dot: str) -> list[tuple[str, str, str, str]]:
    """Source, target, label and the other marks of each edge, as Graphviz reads them."""
    found = re.findall(r'^ +(\w+) -> (\w+) \[label="((?:[^"\\]|\\.)*)"(.*)\];$', dot, re.MULTILINE)
    signs = {r"\n": "\n", r"\\": "\\", r"\"": '"', "&amp;": "&"}
    read = re.compile(r"\\.|&amp;")
    return [(a, b, read.sub(lambda m: signs[m[0]], label), marks) for a, b, label, marks in found]


def test_graphviz_gets_every_node_and_arc(tmp_path: Path) -> None:
    write([SMALL], tmp_path / "out.dot")
    assert (tmp_path / "out.dot").read_text("utf-8") == (
        "digraph lattices {\n"
        "  rankdir=LR;\n"
        "  node [shape=circle];\n"
        '  edge [color="gray50"];\n'
        '  subgraph cluster_u0 { label="turn on";\n'
        '    u0n0 [label="0.00 s"];\n'
        '    u0n1 [label="0.50 s"];\n'
        '    u0n2 [label="1.00 s"];\n'
        '    u0n0 -> u0n1 [label="learn\\n0.25"];\n'
        '    u0n0 -> u0n1 [label="turn\\n0.75", color="#e8590c", style=bold, penwidth=3];\n'
        '    u0n1 -> u0n2 [label="on\\n1.00", color="#e8590c", style=bold, penwidth=3];\n'
        "  }\n"
        "}\n"
    )


def test_json_holds_all_and_says_which_arcs_are_the_best_path(tmp_path: Path) -> None:
    write([SMALL, SMALL], tmp_path / "out.json")
    found = json.loads((tmp_path / "out.json").read_bytes())
    assert found == {"lattices": [lattice_object(SMALL)] * 2}
    assert found["lattices"][0]["nodes"] == [0.0, 0.5, 1.0]
    assert found["lattices"][0]["best"] == [1, 2]
    times, scores = {"start": 0.5, "end": 1.0}, {"acoustic": 1.0, "language": -1.5, "bias": 0.5}
    ends = {"source": 1, "target": 2, "word": "on", "posterior": 1.0}
    assert found["lattices"][0]["arcs"][2] == ends | times | scores


@pytest.mark.parametrize("lattices", [[], [Lattice((0, 0), ())], [Lattice((), ())]])
def test_where_nothing_was_understood_the_file_says_so(
    lattices: list[Lattice], tmp_path: Path
) -> None:
    assert [e.text for e in classed(drawn(tmp_path, *lattices), "heading")] == [
        "Nothing was understood."
    ]
    write(lattices, tmp_path / "out.dot")
    assert 'label="Nothing was understood."' in (tmp_path / "out.dot").read_text("utf-8")
    write(lattices, tmp_path / "out.json")
    found = json.loads((tmp_path / "out.json").read_bytes())["lattices"]
    assert [lattice["arcs"] for lattice in found] == [[] for _ in lattices]


@pytest.mark.parametrize("name", ["out.png", "out", "svg"])
def test_another_suffix_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"\.json, \.dot or \.svg"):
        write([SMALL], tmp_path / name)
    assert not (tmp_path / name).exists()


def test_a_suffix_may_be_in_capitals(tmp_path: Path) -> None:
    write([SMALL], tmp_path / "OUT.SVG")
    assert (tmp_path / "OUT.SVG").read_text("utf-8").startswith("<svg")


def test_a_path_that_cannot_be_written_is_said_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"cannot write .*out\.svg: No such file or directory"):
        write([SMALL], tmp_path / "missing" / "out.svg")
