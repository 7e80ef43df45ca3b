"""A recording, what was understood of it, and when it was thought to be over, as a picture.

On one axis of time, from top to bottom: the words, the sound, where the voice-activity detector
hears speech, how sure it is that the speaker is done, and what was decided. An announcement (a
speculative end-point) is dashed, what stands is solid, what was taken back is grey. A bundle that
has no end-pointing network shows its pause instead, as a share of the one that ends an utterance.
Lengths are pixels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from earshot.attention_map import SVG, TEXT
from earshot.endpointers import EndPointSettings, Glance
from earshot.errors import DeviceError
from earshot.events import Event, Word
from earshot.frames import Frames
from earshot.marks import marks, rows, utterances
from earshot.units import SAMPLE_RATE, VAD_FRAME, seconds
from earshot.vad import Vad, VadSettings

Samples = npt.NDArray[np.float32]
Span = tuple[int, int]  # samples
LEFT, RIGHT, ABOVE, BELOW = 88, 36, 70, 46  # around the lanes
WORDS, SOUND, SPEECH, CHANCE, ROW, GAP = 24, 120, 14, 96, 22, 18  # heights; between lanes
NARROWEST, WIDEST, LEAST = 110, 420, 700  # of a second; of the picture
LETTER = 8.2  # about the width of one
SMALLEST = 0.02  # of full scale; what is softer is not drawn larger
PATH = "<path class='{}' d='{}'>{}</path>".format
BOX = "<rect class='{}' x='{:.1f}' y='{:.1f}' width='{:.1f}' height='{:.1f}' rx='{}'/>".format
STYLE = """
text{font:14px system-ui,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;fill:#535c6c}
.paper{fill:#fff}.heading{font-size:20px;font-weight:bold}.heading,.word{fill:#131923}
.lane{text-anchor:end;font-size:13px}.time{font-size:12px;text-anchor:middle}
.limit{font-size:12px;text-anchor:end}.word,.told{paint-order:stroke;stroke-linejoin:round}
.word,.told.early,.told.sure,.told.undone{stroke:#fff;stroke-width:4px;stroke-dasharray:none}
.grid{stroke:#eceff4;fill:none}.axis{stroke:#c3cad6;fill:none}.sound{fill:#7d889c}
.open{fill:#3568a8;opacity:.07}.said{fill:#131923}.speech{fill:#3568a8}.floor{fill:#eceff4}
.chance{fill:none;stroke:#3568a8;stroke-width:2}.threshold{stroke:#7d889c;stroke-dasharray:2 4}
.mark{fill:none;stroke-width:2}.early{stroke:#e8590c;stroke-dasharray:6 4}.sure{stroke:#e8590c}
.undone{stroke:#7d889c;stroke-dasharray:2 3}.told.early,.told.sure{fill:#c2410c}
.told.sure{font-weight:bold}
@media(prefers-color-scheme:dark){text{fill:#a9b3c4}.paper{fill:#12161d}
.heading,.word{fill:#f2f5f9}.grid{stroke:#1f2631}.axis{stroke:#3c4656}.sound{fill:#78849a}
.open,.speech{fill:#7fb0ea}.said{fill:#f2f5f9}.floor{fill:#1f2631}.chance{stroke:#7fb0ea}
.early,.sure{stroke:#ff8f4f}.told.early,.told.sure{fill:#ffab7a}
.word,.told.early,.told.sure,.told.undone{stroke:#12161d}}
"""


@dataclass(frozen=True, slots=True)
class Timeline:
    """What there is to see of a recording."""

    samples: Samples
    words: Sequence[Word]
    events: Sequence[Event]
    glances: Sequence[Glance]
    vad: VadSettings
    endpoint: EndPointSettings


def write(timeline: Timeline, path: Path) -> None:
    """Draw it. Raises DeviceError."""
    try:
        path.write_text(picture(timeline), encoding="utf8")
    except OSError as error:
        message = f"cannot write the timeline to {path}: {error.strerror or error}"
        raise DeviceError(message) from error


def runs(flags: Sequence[bool]) -> Iterator[Span]:
    """Where flags [T] of frames are set, as samples."""
    edges = np.flatnonzero(np.diff(np.array([False, *flags, False]).astype(int)))
    for first, last in edges.reshape(-1, 2).tolist():
        yield first * VAD_FRAME, last * VAD_FRAME


class _Drawing:
    """The lanes of a picture, each below the one before."""

    def __init__(self, timeline: Timeline) -> None:
        self._given = timeline
        self._second = _scale(timeline)
        self._marks = list(marks(timeline.events))
        labels = [(self.x(m.at), self.x(m.at) + LETTER * len(m.text) + 14) for m in self._marks]
        self._rows = rows(labels)
        words = [(self.x(w.start), self.x(w.start) + LETTER * len(w.text) + 6) for w in self._words]
        self._word_rows = rows(words)
        self.sound = ABOVE + WORDS * (1 + max(self._word_rows, default=0)) + 8
        self.speech = self.sound + SOUND + GAP
        self.chance = self.speech + SPEECH + GAP
        self.decided = self.chance + CHANCE + GAP
        self.floor = self.decided + ROW * (1 + max(self._rows, default=0)) + 4
        ends = [end for _, end in [*labels, *words]]
        self.right = max(LEFT + LEAST, self.x(len(timeline.samples)), *ends)

    @property
    def _words(self) -> Sequence[Word]:
        return self._given.words

    def x(self, position: int) -> float:
        """Where a sample is."""
        return LEFT + self._second * seconds(position)

    def lanes(self) -> Iterator[str]:
        """All of it, from the back to the front."""
        yield from self._axis()
        yield from self._heard()
        yield from self._lines()
        yield from self._chances()
        yield from self._spelt()
        yield from self._labels()

    def _axis(self) -> Iterator[str]:
        names: dict[str, float] = {"speech": self.speech + 12, "decided": self.decided + 15}
        names |= {"words": ABOVE + 14, "sound": self.sound + SOUND / 2 + 5}
        names["done?" if self._probable else "pause"] = self.chance + CHANCE / 2 + 5
        for name, y in names.items():
            yield TEXT(LEFT - 14, y, "lane", name)
        for second in range(int(seconds(len(self._given.samples))) + 1):
            x = LEFT + self._second * second
            yield PATH("grid", f"M{x:.1f} {self.sound}V{self.floor}", "")
            yield TEXT(x, self.floor + 20, "time", f"{second} s")
        yield PATH("axis", f"M{LEFT} {self.floor}H{self.right:.1f}", "")

    def _heard(self) -> Iterator[str]:
        """Utterances, the sound in them and the speech."""
        for start, end in utterances(self._given.events):
            width = self.x(end) - self.x(start)
            yield BOX("open", self.x(start), self.sound, width, self.decided - self.sound - GAP, 4)
        yield PATH("sound", _wave(self._given.samples, self._second, self.sound), "")
        length = self.x(len(self._given.samples)) - LEFT
        yield BOX("floor", LEFT, self.speech, length, SPEECH, 3)
        vad = Vad(self._given.vad)
        flags = [vad.accept(frame) for frame in Frames().accept(self._given.samples)]
        for start, end in runs(flags):
            yield BOX("speech", self.x(start), self.speech, self.x(end) - self.x(start), SPEECH, 3)

    @property
    def _probable(self) -> bool:
        """Whether a network says how likely the end is."""
        return any(glance.probability for glance in self._given.glances)

    def _chances(self) -> Iterator[str]:
        """How sure it is that the speaker is done, or how long the pause is."""
        s, floor = self._given.endpoint, self.chance + CHANCE
        limits = {s.done: f"sure: {s.done:.2f}", s.likely: f"likely: {s.likely:.2f}"}
        if not self._probable:
            share = s.short_pause_ms / s.pause_ms
            limits = {1.0: f"sure: {s.pause_ms} ms", share: f"likely: {s.short_pause_ms} ms"}
        for limit, told in limits.items():
            if limit <= 1:
                y = floor - CHANCE * limit
                yield PATH("threshold", f"M{LEFT} {y:.1f}H{self.right:.1f}", "")
                yield TEXT(self.right, y - 4, "limit", told)
        pen, last = [], -VAD_FRAME
        for glance in self._given.glances:
            y = floor - CHANCE * self._chance(glance)
            pen.append(
                f"{'L' if glance.at - last <= VAD_FRAME else 'M'}{self.x(glance.at):.1f} {y:.1f}"
            )
            last = glance.at
        yield PATH("axis", f"M{LEFT} {floor}H{self.right:.1f}", "")
        if pen:
            yield PATH("chance", "M" + "".join(pen)[1:], "")

    def _chance(self, glance: Glance) -> float:
        if self._probable:
            return glance.probability
        pause = min(glance.silence_ms, glance.pause_ms) if glance.words else 0.0
        return min(1.0, pause / self._given.endpoint.pause_ms)

    def _spelt(self) -> Iterator[str]:
        """Words over bars as long as they were heard."""
        labels = list[str]()
        for word, row in zip(self._words, self._word_rows, strict=True):
            x, y = self.x(word.start), ABOVE + 14 + WORDS * row
            yield BOX("said", x, self.sound - 7, max(2.0, self.x(word.end) - x - 2), 4, 2)
            yield PATH("grid", f"M{x:.1f} {y + 4}V{self.sound - 7}", "")
            labels.append(TEXT(x, y, "word", escape(word.text)))
        yield from labels

    def _lines(self) -> Iterator[str]:
        for mark, row in zip(self._marks, self._rows, strict=True):
            line = f"M{self.x(mark.at):.1f} {self.sound}V{self.decided + 16 + ROW * row}"
            yield PATH(f"mark {mark.kind}", line, "")

    def _labels(self) -> Iterator[str]:
        for mark, row in zip(self._marks, self._rows, strict=True):
            y = self.decided + 15 + ROW * row
            told = f"{mark.text} at {seconds(mark.at):.2f} s\n{mark.numbers}".strip()
            inside = f"{escape(mark.text)}<title>{escape(told)}</title>"
            yield TEXT(self.x(mark.at) + 6, y, f"told {mark.kind}", inside)


def _scale(timeline: Timeline) -> float:
    """Width of a second, so that words fit in it if they can."""
    words = timeline.words
    steps = [
        (LETTER * len(one.text) + 6) / max(0.05, seconds(after.start - one.start))
        for one, after in pairwise(words)
    ]
    wanted = float(np.percentile(steps, 80)) if steps else NARROWEST
    return min(WIDEST, max(NARROWEST, wanted, LEAST / max(1.0, seconds(len(timeline.samples)))))


def _wave(samples: Samples, second: float, top: float) -> str:
    """Outline of the sound, a step a pixel."""
    count = max(1, round(len(samples) / SAMPLE_RATE * second))
    if not len(samples):
        return f"M{LEFT} {top}"
    begins = np.linspace(0, len(samples), count, endpoint=False).astype(int)
    high, low = np.maximum.reduceat(samples, begins), np.minimum.reduceat(samples, begins)
    middle = top + SOUND / 2
    size = SOUND / 2 / max(SMALLEST, float(np.abs(samples).max()))
    x = LEFT + np.arange(count) * (seconds(len(samples)) * second / count)
    above = [f"{a:.1f} {middle - size * b - 0.4:.1f}" for a, b in zip(x, high, strict=True)]
    below = [f"{a:.1f} {middle - size * b + 0.4:.1f}" for a, b in zip(x, low, strict=True)]
    return f"M{'L'.join(above)}L{'L'.join(below[::-1])}Z"


def picture(timeline: Timeline) -> str:
    """The picture as SVG."""
    drawing = _Drawing(timeline)
    width, height = drawing.right + RIGHT, drawing.floor + BELOW
    said = " ".join(word.text for word in timeline.words) or "Nothing was understood."
    parts = [
        SVG(width, height),
        f"<style>{STYLE}</style>{BOX('paper', 0, 0, width, height, 0)}",
        TEXT(LEFT, 36, "heading", escape(said)),
        *drawing.lanes(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"
