"""Word lattices as files: .json for programs, .dot for Graphviz, .svg to look at.

The picture has its nodes from left to right by time and its best path in lane 0. The rest is taken
as chains: arcs between nodes that have a place first, short ones before long ones; an arc elsewhere
is drawn out both ways to such nodes. A chain lies in the lane nearest to its ends that is free from
its first node to its last. An arc is as long as its label needs, and the label stands on its flat
part, so no two labels touch. Lengths are pixels.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from unicodedata import combining, east_asian_width

from earshot.errors import DeviceError, RequestError
from earshot.events import Arc, Lattice
from earshot.paths import paths, score
from earshot.units import seconds

NOTHING = "Nothing was understood."
MANY, LEAST = 60, 0.005  # of more than so many arcs, those with this posterior are drawn
MARGIN, LANE, GAP, RADIUS = 28, 36, 16, 5  # around all; between lanes, nodes; of a node
ABOVE, BELOW, SECOND, TICK = 84, 64, 90, 44  # the lanes; least a second; from one time to the next
WIDE, USUAL, NARROW, CHANCE = 15.0, 9.6, 6.4, 38  # characters of a word; its probability
STYLE = """
text{font:15px system-ui,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;fill:#535c6c}
tspan{unicode-bidi:isolate}.paper,.node{fill:#fff}.arc{fill:none}.arc,.node{stroke:#7d889c}
.word{text-anchor:middle;paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}
.word.best{font-weight:bold}.heading,.word.best{fill:#131923}.heading{font-size:20px;font-weight:bold}
.word .chance{font-size:11px;font-weight:normal;fill:#6c768a}.word.best .chance{fill:#c2410c}
.arc.best,.node.best{stroke:#e8590c}.tip{fill:#7d889c}.tip.best,.node.end{fill:#e8590c}
.note,.time{font-size:12px}.time{text-anchor:middle}.axis{stroke:#c3cad6}.grid{stroke:#eceff4}
@media(prefers-color-scheme:dark){text{fill:#a9b3c4}.paper,.node{fill:#12161d}
.arc,.node{stroke:#78849a}.word{stroke:#12161d}.heading,.word.best{fill:#f2f5f9}
.word .chance{fill:#8f9bb0}.word.best .chance{fill:#ffab7a}.arc.best,.node.best{stroke:#ff8f4f}
.tip{fill:#78849a}.tip.best,.node.end{fill:#ff8f4f}.axis{stroke:#3c4656}.grid{stroke:#1f2631}}
"""
TIP = """<marker id="{0}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="{1}"
 markerHeight="{1}" markerUnits="userSpaceOnUse" orient="auto"><path class="tip {0}"
 d="M0 1L10 5L0 9z"/></marker>""".format
CURVE = """<path class="arc {0}" stroke-width="{1:.1f}" opacity="{2:.2f}" marker-end="url(#{0})"
 d="M{3} {4}C{5} {4} {5} {6} {7} {6}H{8}C{9} {6} {10} {11} {12} {13}">{14}</path>""".format


def write(lattices: Sequence[Lattice], path: Path) -> None:
    """Write lattices, one an utterance, as the suffix of the path says.

    Raises RequestError for a suffix that says nothing, DeviceError where nothing can be written.
    """
    text = kind(path)(lattices)
    try:
        path.write_bytes(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        message = f"cannot write the lattice to {path}: {error.strerror or error}"
        raise DeviceError(message) from error


def kind(path: Path) -> Callable[[Sequence[Lattice]], str]:
    """What writes files of this suffix. Raises RequestError where nothing does."""
    kinds = {".json": _json, ".dot": _dot, ".svg": _svg}
    if path.suffix.lower() not in kinds:
        message = f"a lattice is written as .json, .dot or .svg, and {path} is none of them"
        raise RequestError(message)
    return kinds[path.suffix.lower()]


def lattice_object(lattice: Lattice) -> dict[str, object]:
    """Say a lattice as a JSON object: times in seconds, the best path as numbers of its arcs."""
    nodes = [round(seconds(node), 3) for node in lattice.nodes]
    arcs = [_arc_object(arc) for arc in lattice.arcs]
    return {"nodes": nodes, "arcs": arcs, "best": _best(lattice)}


def _arc_object(arc: Arc) -> dict[str, object]:
    times = {"start": round(seconds(arc.start), 3), "end": round(seconds(arc.end), 3)}
    scored = {n: round(getattr(arc, n), 4) for n in ("acoustic", "language", "bias", "posterior")}
    found = {"source": arc.source, "target": arc.target, "word": arc.word, **times, **scored}
    return found | {"phones": list(arc.phones)} if arc.phones else found


def _best(lattice: Lattice) -> list[int]:
    path = next(paths(lattice), (0.0, ()))[1] if lattice.arcs else ()
    return [lattice.arcs.index(arc) for arc in path]


def _said(lattice: Lattice, best: list[int]) -> str:
    return " ".join(_plain(lattice.arcs[i].word) for i in best) or NOTHING


def _plain(text: str) -> str:
    """Text on one line, without the characters that XML forbids."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff]", "\ufffd", " ".join(text.split()))


def _json(lattices: Sequence[Lattice]) -> str:
    found = {"lattices": [lattice_object(lattice) for lattice in lattices]}
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"


def _dot(lattices: Sequence[Lattice]) -> str:
    lines = ["rankdir=LR;", "node [shape=circle];", 'edge [color="gray50"];']
    lines += [line for i, lattice in enumerate(lattices) for line in _cluster(f"u{i}", lattice)]
    nothing = [] if lattices else [f"label={_quoted(NOTHING)};"]
    return "\n  ".join(["digraph lattices {", *lines, *nothing]) + "\n}\n"


def _cluster(name: str, lattice: Lattice) -> Iterator[str]:
    best = _best(lattice)
    yield f"subgraph cluster_{name} {{ label={_quoted(_said(lattice, best))};"
    for i, position in enumerate(lattice.nodes):
        yield f'  {name}n{i} [label="{seconds(position):.2f} s"];'
    for i, arc in enumerate(lattice.arcs):
        marks = ', color="#e8590c", style=bold, penwidth=3' if i in best else ""
        label = _quoted(arc.word, f"{arc.posterior:.2f}")
        yield f"  {name}n{arc.source} -> {name}n{arc.target} [label={label}{marks}];"
    yield "}"


def _quoted(*lines: str) -> str:
    """Lines as one string of Graphviz, which reads escapes and entities."""
    escapes = str.maketrans({"\\": "\\\\", '"': '\\"', "&": "&amp;"})
    return '"' + "\\n".join(_plain(line).translate(escapes) for line in lines) + '"'


@dataclass(slots=True)
class _Plan:
    """Where the parts of a lattice stand; arcs and nodes go by their numbers."""

    lattice: Lattice
    best: list[int]
    arcs: dict[int, Arc]  # that are drawn, likeliest first
    lane: dict[int, int] = field(default_factory=dict)  # of arcs; below 0 is above the best path
    row: dict[int, int] = field(default_factory=dict)  # the lane of nodes
    x: dict[int, float] = field(default_factory=dict)  # of nodes


def _planned(lattice: Lattice) -> _Plan:
    best, many = _best(lattice), len(lattice.arcs) > MANY
    arcs = {
        i: a for i, a in enumerate(lattice.arcs) if not many or a.posterior >= LEAST or i in best
    }
    arcs = dict(sorted(arcs.items(), key=lambda item: -item[1].posterior))
    plan, left, taken = _Plan(lattice, best, arcs), dict(arcs), list[tuple[int, int, int]]()
    while left:
        chain = best if best and not plan.row else _grown(left, plan.row)
        _settle(plan, chain, taken)
        left = {i: arc for i, arc in left.items() if i not in chain}
    at = float(MARGIN - GAP + RADIUS)
    for node in sorted(plan.row):
        into = {i: arc.source for i, arc in arcs.items() if arc.target == node}
        ends = [plan.x[source] + _length(plan, i) for i, source in into.items()]
        time = SECOND * seconds(lattice.nodes[node] - lattice.nodes[max(0, node - 1)])
        plan.x[node] = at = max(at + GAP, at + time, *ends)
    return plan


def _grown(left: dict[int, Arc], placed: dict[int, int]) -> list[int]:
    """The next chain: between nodes that have a place, or drawn out to such nodes."""

    def far(i: int) -> tuple[int, int]:
        source, target = left[i].source, left[i].target
        return (source not in placed) + (target not in placed), target - source

    chain, into, out = [min(left, key=far)], [0], [0]
    while into and (node := left[chain[0]].source) not in placed:
        into = [i for i, arc in left.items() if arc.target == node][:1]
        chain = into + chain
    while out and (node := left[chain[-1]].target) not in placed:
        out = [i for i, arc in left.items() if arc.source == node][:1]
        chain = chain + out
    return chain


def _settle(plan: _Plan, chain: list[int], taken: list[tuple[int, int, int]]) -> None:
    """Give a chain its lane; `taken` are lanes with the first and last node of what is there."""
    first, last = plan.arcs[chain[0]].source, plan.arcs[chain[-1]].target
    ends = [plan.row.get(node, 0) for node in (first, last)]

    def far(lane: int) -> tuple[int, int, int]:
        crossed = 2 * any(lane * end < 0 for end in ends)
        return sum(abs(lane - end) for end in ends) + crossed, abs(lane), lane

    full = {lane for lane, start, stop in taken if start < last and first < stop}
    used = plan.lane.values()
    lanes = range(min(used, default=0) - 1, max(used, default=0) + 2)
    lane = min(set(lanes) - full, key=far)
    taken.append((lane, first, last))
    for i in chain:
        plan.lane[i] = lane
        for node in (plan.arcs[i].source, plan.arcs[i].target):
            plan.row.setdefault(node, lane)


def _bends(plan: _Plan, number: int) -> tuple[float, float]:
    """Lengths of an arc's turns into its lane and out of it."""
    arc, lane = plan.arcs[number], plan.lane[number]
    near, far = abs(lane - plan.row[arc.source]), abs(lane - plan.row[arc.target])
    return min(16 + 9 * near, 70), min(16 + 9 * far, 70)


def _length(plan: _Plan, number: int) -> float:
    """The least length of an arc."""
    return sum(_bends(plan, number)) + _width(plan.arcs[number].word) + CHANCE


def _width(text: str) -> float:
    """About the width of text, rather too much."""

    def one(c: str) -> float:
        wide = c.isupper() or c in "mw@%&" or east_asian_width(c) in "WF"
        return 0 if combining(c) else WIDE if wide else NARROW if c in "fijlrt'.,-" else USUAL

    return sum(map(one, _plain(text)))


def _svg(lattices: Sequence[Lattice]) -> str:
    parts, top, width = list[str](), float(MARGIN), 400.0
    for plan in map(_planned, lattices):
        base = top + ABOVE - LANE * min(plan.lane.values(), default=0)
        floor = base + LANE * max(plan.lane.values(), default=0) + BELOW
        parts += [*_heading(plan, top), *_axis(plan, base, floor - 22), *_drawn(plan, base)]
        heading = 1.4 * _width(_said(plan.lattice, plan.best))
        top, width = floor + MARGIN, max(width, heading, *plan.x.values())
    if not lattices:
        parts, top = [_text("heading", MARGIN, top + 20, NOTHING)], 3.0 * MARGIN
    size = f'width="{width + 2 * MARGIN:.0f}" height="{top:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>'
    style = f"<style>{STYLE}</style><defs>{TIP('other', 9)}{TIP('best', 12)}</defs>"
    paper = f'<rect class="paper" {size}/>'
    return "\n".join([head, style, paper, *parts, "</svg>\n"])


def _text(kind: str, x: float, y: float, text: str, inside: str = "") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(_plain(text))}{inside}</text>'


def _heading(plan: _Plan, top: float) -> Iterator[str]:
    yield _text("heading", MARGIN, top + 20, _said(plan.lattice, plan.best))
    chance = math.exp(min(0.0, sum(score(plan.arcs[i]) for i in plan.best)))
    hidden = len(plan.lattice.arcs) - len(plan.arcs)
    notes = [f"{chance:.0%} of all paths"] if plan.best else []
    notes += [f"{hidden} arcs under {LEAST} are not shown"] if hidden else []
    yield _text("note", MARGIN, top + 41, " · ".join(notes))


def _axis(plan: _Plan, base: float, floor: float) -> Iterator[str]:
    left, right = min(plan.x.values(), default=MARGIN), max(plan.x.values(), default=MARGIN)
    yield f'<path class="axis" d="M{left:.1f} {floor:.1f}H{right:.1f}"/>'
    free = 0.0
    for node in (n for n, row in plan.row.items() if not row):
        x = plan.x[node]
        yield f'<path class="grid" d="M{x:.1f} {base:.1f}V{floor + 4:.1f}"/>'
        if x >= free:
            free = x + TICK
            yield _text("time", x, floor + 18, f"{seconds(plan.lattice.nodes[node]):.2f} s")


def _drawn(plan: _Plan, base: float) -> Iterator[str]:
    """Arcs, the best path on top, then nodes, then words, which no line may cross."""
    order = [i for i in reversed(plan.arcs) if i not in plan.best] + plan.best
    for i in order:
        yield _curve(plan, i, base)
    for node, x in plan.x.items():
        kind, y = "node" + " best" * (not plan.row[node]), base + LANE * plan.row[node]
        last = node == len(plan.lattice.nodes) - 1
        marks = {RADIUS + 3: "", RADIUS - 1: " end"} if last else {RADIUS: " end" * (not node)}
        for radius, mark in marks.items():
            yield f'<circle class="{kind}{mark}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>'
    for i in order:
        (near, far), arc = _bends(plan, i), plan.arcs[i]
        x = (plan.x[arc.source] + near + plan.x[arc.target] - far) / 2
        kind, y = "best" if i in plan.best else "other", base + LANE * plan.lane[i] - 8
        inside = f' <tspan class="chance">{arc.posterior:.2f}</tspan>{_tooltip(arc)}'
        yield _text(f"word {kind}", x, y, arc.word, inside)


def _curve(plan: _Plan, number: int, base: float) -> str:
    """An arc: a turn into its lane, the lane, a turn out of it."""
    arc, (near, far), best = plan.arcs[number], _bends(plan, number), number in plan.best
    lane, left, right = plan.lane[number], plan.x[arc.source], plan.x[arc.target]
    y, to = base + LANE * plan.row[arc.source], base + LANE * plan.row[arc.target]
    side = (lane > plan.row[arc.target]) - (lane < plan.row[arc.target])
    last, strength = arc.target == len(plan.lattice.nodes) - 1, arc.posterior**0.5
    tip = right - (RADIUS + 4 if last else RADIUS + 1) * (0.7 if side else 1)
    turn = (left, y, left + near / 2, base + LANE * lane, left + near, right - far, right - far / 2)
    end = (tip - 6, to + 18 * side, tip, to + (7 if last else 5) * side)
    wide, seen = (3.5, 1.0) if best else (1 + 2 * strength, 0.4 + 0.6 * strength)
    places = (round(at, 1) for at in (*turn, *end))
    return CURVE("best" if best else "other", wide, seen, *places, _tooltip(arc))


def _tooltip(arc: Arc) -> str:
    times = f"{seconds(arc.start):.2f}–{seconds(arc.end):.2f} s, posterior {arc.posterior:.4f}"
    scores = f"acoustic {arc.acoustic:.2f}, language {arc.language:.2f}, bias {arc.bias:.2f}"
    return f"<title>{escape(_plain(arc.word))}\n{times}\n{scores}</title>"
