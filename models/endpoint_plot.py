"""Latency against cut-offs, as a picture: earshot's two end-pointers, and the others.

Each curve is an end-pointer by its threshold, left in the median, right at the 90th percentile,
above without noise, below with music, voices and noise; the nearer to the lower left corner, the
better. Large points are thresholds in use, the light corner is the aim. What never ends counts as
4 s, so it is above its panel, where an arrow says so. Lengths are pixels.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from math import ceil
from pathlib import Path

from earshot.attention_map import SVG, TEXT

from models.rivals import EARLY, FINAL, SILENCES, TRAILING_MS

WIDTH, HEIGHT, LEFT, GAP, ABOVE, LEGEND = 380, 280, 70, 84, 104, 60  # of panels; around them
ROW = HEIGHT + 96  # from one row of panels to the next
TALLEST, STEP, WIDEST, HALF = 1_600, 400, 40, 20  # ms, percent
PANELS = {"ep50": "half have ended", "ep90": "nine in ten have ended"}
GROUPS = {"clean": "without noise", "noisy": "in music, voices or noise"}
AIM = (3, {"ep50": 480, "ep90": 800})  # percent cut off, ms, of the final end-pointer
OWN = {FINAL: FINAL, EARLY: "early"}  # what their figures are under
USED = {"silence": SILENCES, "sherpa-onnx": (TRAILING_MS,), "webrtcvad": SILENCES[:2]}
TOLD = {
    FINAL: "earshot, final",
    EARLY: "earshot, speculative",
    "silence": "fixed silence after words",
    "sherpa-onnx": "rules of sherpa-onnx",
    "webrtcvad": "webrtcvad alone",
}
CLASS = {FINAL: "own", EARLY: "own early", "silence": "a", "sherpa-onnx": "b", "webrtcvad": "c"}
LINE = "<path class='{}' d='{}'/>".format
DOT = "<circle class='dot {}' cx='{:.1f}' cy='{:.1f}' r='{}'><title>{}</title></circle>".format
ARROW = "<path class='dot {}' d='{}'><title>{}</title></path>".format
STYLE = """
text{font:13px system-ui,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;fill:#535c6c}
.paper{fill:#fff}.heading{font-size:20px;font-weight:bold}.heading,.panel{fill:#131923}
.panel{font-size:15px}.tick,.mark{font-size:12px}.end{text-anchor:end}
.mark{paint-order:stroke;stroke:#fff;stroke-width:3px}.middle{text-anchor:middle}
.grid{stroke:#eceff4;fill:none}.axis{stroke:#c3cad6;fill:none}.aim{fill:#e8590c;opacity:.08}
.curve{fill:none;stroke-width:2}.own{stroke:#e8590c;stroke-width:3}.early{stroke-dasharray:7 5}
.a{stroke:#3568a8}.b{stroke:#4b8a3f}.c{stroke:#8a5fb0}.dot{fill:#fff;stroke-width:1.5}
.dot.early{stroke-dasharray:none}.dot.used{fill:#535c6c}.dot.used.own{fill:#e8590c}
.dot.used.a{fill:#3568a8}.dot.used.b{fill:#4b8a3f}.dot.used.c{fill:#8a5fb0}
@media(prefers-color-scheme:dark){text{fill:#a9b3c4}.paper,.dot{fill:#12161d}
.mark{stroke:#12161d}
.heading,.panel{fill:#f2f5f9}.grid{stroke:#1f2631}.axis{stroke:#3c4656}.own{stroke:#ff8f4f}
.a{stroke:#7fb0ea}.b{stroke:#8fcf80}.c{stroke:#c39ae8}.dot.used.own,.aim{fill:#ff8f4f}
.dot.used.a{fill:#7fb0ea}.dot.used.b{fill:#8fcf80}.dot.used.c{fill:#c39ae8}}
"""


@dataclass(frozen=True, slots=True)
class Point:
    """An end-pointer at a threshold: percent cut off, latencies in milliseconds, never ended."""

    name: str
    cut: float
    never: float
    latency: Mapping[str, float]
    mark: str = ""
    """its threshold, where that is to be read"""

    def told(self, panel: str) -> str:
        """For whoever points at it."""
        return (
            f"{self.name}: {self.latency[panel]:.0f} ms, {self.cut:.1f} % cut off, "
            f"{self.never:.1f} % never ended"
        )


def point(figures: Mapping[str, float], key: str, name: str, mark: str = "") -> Point | None:
    """The figures of an end-pointer; None where it never ended anything."""
    latency = {panel: figures[f"{key}.{panel}"] for panel in PANELS if f"{key}.{panel}" in figures}
    if not latency:
        return None
    return Point(name, figures[f"{key}.cut"], figures[f"{key}.never"], latency, mark)


def curve(figures: Mapping[str, float], group: str, name: str) -> list[Point]:
    """An end-pointer by its threshold, as models.endpoint measured a group of streams."""
    prefix = f"{group}.{name} @ "
    found = [key.removeprefix(prefix) for key in figures if key.startswith(prefix)]
    marks = sorted({mark.rpartition(".")[0] for mark in found}, key=float)
    points = (point(figures, f"{prefix}{mark}", f"{TOLD[name]}, {mark}") for mark in marks)
    return [one for one in points if one]


def used(figures: Mapping[str, float], group: str, name: str) -> list[Point]:
    """An end-pointer at the thresholds in use."""
    if name in OWN:
        points = [point(figures, f"{group}.{OWN[name]}", TOLD[name])]
    else:
        points = [
            point(figures, f"{group}.{name} @ {mark:g}", TOLD[name], f"{mark} ms")
            for mark in USED[name]
        ]
    return [one for one in points if one]


def write(figures: Mapping[str, float], about: str, path: Path) -> None:
    """Draw the figures of models.endpoint."""
    path.write_text(picture(figures, about), encoding="utf8")


def picture(figures: Mapping[str, float], about: str) -> str:
    """The picture as SVG; `about` says what was measured."""
    size = LEFT + 2 * WIDTH + GAP + 28, ABOVE + 2 * ROW + LEGEND
    panels = [
        Panel(group, latency, LEFT + x * (WIDTH + GAP), ABOVE + y * ROW, widest(figures, group))
        for y, group in enumerate(GROUPS)
        for x, latency in enumerate(PANELS)
    ]
    parts = [
        SVG(*size),
        f"<style>{STYLE}</style><defs>{''.join(panel.clip() for panel in panels)}</defs>",
        f"<rect class='paper' width='{size[0]}' height='{size[1]}'/>",
        TEXT(LEFT, 34, "heading", "How late it ends, and how often too early"),
        TEXT(LEFT, 56, "", escape(about)),
    ]
    for panel in panels:
        parts += [*panel.frame(), *panel.curves(figures)]
    return "\n".join([*parts, *_legend(figures, ABOVE + 2 * ROW - 20), "</svg>\n"])


def widest(figures: Mapping[str, float], group: str) -> int:
    """Percent up to which there is something to see."""
    cuts = [one.cut for name in TOLD for one in used(figures, group, name)]
    return min(WIDEST, 10 * ceil(max([*cuts, 9.0]) / 10 + 0.1))


@dataclass(frozen=True, slots=True)
class Panel:
    """One of the four, from its upper left corner on."""

    group: str
    latency: str
    left: float
    top: float
    widest: int

    def x(self, cut: float) -> float:
        """Where a share of cut-offs is."""
        return self.left + WIDTH * cut / self.widest

    def y(self, latency: float) -> float:
        """Where a latency is."""
        return self.top + HEIGHT * (1 - latency / TALLEST)

    def clip(self) -> str:
        """What bounds its curves."""
        return (
            f"<clipPath id='{self.group}-{self.latency}'><rect x='{self.left}' y='{self.top}' "
            f"width='{WIDTH}' height='{HEIGHT}'/></clipPath>"
        )

    def frame(self) -> Iterator[str]:
        """Grid, axes and the aim."""
        left, floor, right = self.left, self.y(0), self.left + WIDTH
        title = f"{PANELS[self.latency]}, {GROUPS[self.group]}"
        yield TEXT(left, self.top - 18, "panel", title)
        for latency in range(0, TALLEST + 1, STEP):
            yield LINE("grid", f"M{left} {self.y(latency):.1f}H{right}")
            yield TEXT(left - 8, self.y(latency) + 4, "tick end", f"{latency} ms")
        for cut in range(0, self.widest + 1, 10 if self.widest > HALF else 5):
            yield LINE("grid", f"M{self.x(cut):.1f} {self.top}V{floor}")
            yield TEXT(self.x(cut), floor + 18, "tick middle", f"{cut} %")
        cut, aims = AIM
        aimed, told = self.y(aims[self.latency]), f"the aim: {aims[self.latency]} ms, {cut} %"
        size = f"width='{self.x(cut) - left:.1f}' height='{floor - aimed:.1f}'"
        yield f"<rect class='aim' x='{left}' y='{aimed:.1f}' {size}><title>{told}</title></rect>"
        yield LINE("axis", f"M{left} {self.top}V{floor}H{right}")
        yield TEXT(right, floor + 36, "tick end", "cut off before the speaker was done")

    def curves(self, figures: Mapping[str, float]) -> Iterator[str]:
        """Curves, then the points on them."""
        yield f"<g clip-path='url(#{self.group}-{self.latency})'>"
        for name, kind in reversed(CLASS.items()):
            points = curve(figures, self.group, name)
            if points:
                places = (
                    f"{self.x(p.cut):.1f} {self.y(p.latency[self.latency]):.1f}" for p in points
                )
                yield LINE(f"curve {kind}", f"M{' '.join(places)}")
            yield from (self._dot(one, kind, 2.5) for one in points)
        yield "</g>"
        for name, kind in reversed(CLASS.items()):
            for one in used(figures, self.group, name):
                if one.cut <= self.widest:
                    yield from self._used(one, f"used {kind}")

    def _used(self, one: Point, kind: str) -> Iterator[str]:
        """A point, or an arrow to where it is above the panel."""
        if one.latency[self.latency] > TALLEST:
            tip = f"M{self.x(one.cut):.1f} {self.top - 10}l6 10h-12z"
            yield ARROW(kind, tip, escape(one.told(self.latency)))
            return
        yield self._dot(one, kind, 6)
        if "c" not in kind.split():  # its thresholds are those beside it
            place = self.x(one.cut) + 8, self.y(one.latency[self.latency]) + 20
            yield TEXT(*place, "mark", one.mark)

    def _dot(self, one: Point, kind: str, radius: float) -> str:
        place = self.x(one.cut), self.y(one.latency[self.latency])
        return DOT(kind, *place, radius, escape(one.told(self.latency)))


def _legend(figures: Mapping[str, float], top: int) -> Iterator[str]:
    """What each curve is, and how often it never ended in noise."""
    for number, (name, kind) in enumerate(CLASS.items()):
        x, y = LEFT + number % 2 * (WIDTH + GAP), top + 24 * (number // 2)
        never = [f"{one.never:.0f}" for one in used(figures, "noisy", name)]
        yield LINE(f"curve {kind}", f"M{x} {y - 4}h30")
        said = f"; never ends in noise: {', '.join(never)} %" if never else ""
        yield TEXT(x + 38, y, "", escape(TOLD[name] + said))
