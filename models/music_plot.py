"""Delays of the recogniser as a picture: for each number of cores, how many events came how soon.

A curve is a way of models/music.py; the further left and the steeper, the better. At its right end
stands the way, with the blocks of music that came too late. Lengths are pixels.
"""

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

import numpy as np
from earshot.attention_map import SVG, TEXT

from models.endpoint_plot import LINE, STYLE
from models.music_trial import Outcome

WIDTH, HEIGHT, LEFT, GAP, ABOVE, LEGEND = 420, 280, 70, 80, 96, 26  # of panels; around them
LEAST = 680  # width, for the longest line of the legend
FROM, TO = 1.0, 10_000.0  # ms, a logarithmic axis
TICKS = (1, 10, 100, 1_000, 10_000)
SHARES = np.linspace(0.01, 0.99, 99)
TOLD = {"one_core": "one core", "two_cores": "two cores"}
CLASSES = {"music": "own", "control": "own early", "usual": "a", "pulse": "b"}  # others are c


def write(found: Mapping[str, Outcome], about: str, path: Path) -> None:
    """Draw the outcomes of ways into a file."""
    path.write_text(picture(found, about), encoding="utf8")


def picture(found: Mapping[str, Outcome], about: str) -> str:
    """All panels, as SVG."""
    panels = list(dict.fromkeys(name.partition(".")[0] for name in found))
    ways = list(dict.fromkeys(name.partition(".")[2] for name in found))
    width = max(LEAST, LEFT + len(panels) * (WIDTH + GAP))
    height = ABOVE + HEIGHT + 60 + LEGEND * len(found)
    parts = [
        SVG(width, height),
        f"<style>{STYLE}</style><rect class='paper' width='100%' height='100%'/>",
        TEXT(LEFT, 34, "heading", "How soon an event comes after its audio"),
        TEXT(LEFT, 56, "tick", escape(about)),
    ]
    for number, panel in enumerate(panels):
        left = LEFT + number * (WIDTH + GAP)
        parts += _frame(left, TOLD.get(panel, panel))
        for way in ways:
            if outcome := found.get(f"{panel}.{way}"):
                parts.append(_curve(left, way, outcome))
    parts += _legend(found)
    return "".join((*parts, "</svg>\n"))


def _x(left: float, delay: float) -> float:
    share = np.log10(np.clip(delay, FROM, TO) / FROM) / np.log10(TO / FROM)
    return float(left + WIDTH * share)


def _frame(left: float, title: str) -> Iterator[str]:
    base = ABOVE + HEIGHT
    yield TEXT(left, ABOVE - 14, "panel", title)
    for tick in TICKS:
        x = _x(left, tick)
        yield LINE("grid", f"M{x:.1f} {ABOVE}V{base}")
        yield TEXT(x, base + 18, "tick middle", f"{tick:,} ms")
    for percent in (0, 50, 95):
        y = base - HEIGHT * percent / 100
        yield LINE("axis" if not percent else "grid", f"M{left} {y:.1f}h{WIDTH}")
        yield TEXT(left - 6, y + 4, "tick end", f"{percent} %")


def _curve(left: float, way: str, outcome: Outcome) -> str:
    delays = np.quantile(outcome.delays or [TO], SHARES)
    places = [
        f"{_x(left, delay):.1f} {ABOVE + HEIGHT * (1 - share):.1f}"
        for delay, share in zip(delays, SHARES, strict=True)
    ]
    return LINE(f"curve {CLASSES.get(way, 'c')}", "M" + "L".join(places))


def _legend(found: Mapping[str, Outcome]) -> Iterator[str]:
    for number, (name, outcome) in enumerate(found.items()):
        panel, _, way = name.partition(".")
        y, figures = ABOVE + HEIGHT + 50 + LEGEND * number, outcome.figures
        yield LINE(f"curve {CLASSES.get(way, 'c')}", f"M{LEFT} {y - 5}h36")
        said = f"{TOLD.get(panel, panel)}, {way}: p95 {figures['delay_p95_ms']:.0f} ms, "
        said += f"recogniser {figures['recogniser_cpu_percent']:.1f} % of a core"
        if "xruns" in figures:
            said += f"; {figures['xruns']:.0f} of {figures['blocks']:.0f} blocks of music late"
        yield TEXT(LEFT + 46, y, "tick", escape(said))
