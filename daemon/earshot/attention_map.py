"""What the network attended to: a map of names over time, as a picture.

A row a name, a column an encoder frame of 40 ms; the darker, the more of the attention. Names that
got hardly any are left out; the last row is the share of none of them. Lengths are pixels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
import numpy.typing as npt

from earshot.attention import MOST_ROWS, Attended, AttendingEncoder
from earshot.encoder import Frames, Windows
from earshot.errors import DeviceError, RequestError
from earshot.events import Named, Word
from earshot.features import features
from earshot.units import ENCODER_FRAME, ENCODER_FRAME_MS, seconds
from earshot.utterance import TAIL

Samples = npt.NDArray[np.float32]
Shares = npt.NDArray[np.float32]
MOST_NAMES = 24
LEAST = 0.02  # share of a frame, from which it is drawn
COLUMN, ROW, LEFT, ABOVE, BELOW, RIGHT = 7, 24, 210, 64, 72, 28
SVG = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {0:.0f} {1:.0f}' width='{0:.0f}' "
    "height='{1:.0f}' role='img'>"
).format
TEXT = "<text x='{:.1f}' y='{:.1f}' class='{}'>{}</text>".format
CELL = (
    "<rect x='{:.1f}' y='{}' width='{}' height='{}' class='cell' opacity='{:.3f}'>"
    "<title>{}</title></rect>"
).format
STYLE = """
text{font:14px system-ui,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;fill:#535c6c}
.paper{fill:#fff}.cell{fill:#e8590c}.name{text-anchor:end}.heading{font-size:20px;font-weight:bold}
.heading,.word{fill:#131923}.time{font-size:12px;text-anchor:middle}.grid{stroke:#eceff4}
@media(prefers-color-scheme:dark){text{fill:#a9b3c4}.paper{fill:#12161d}.cell{fill:#ff8f4f}
.heading,.word{fill:#f2f5f9}.grid{stroke:#1f2631}}
"""


@dataclass(frozen=True, slots=True)
class AttentionMap:
    """Shares of the attention [T, names + 1]; the last column is that of none."""

    names: tuple[Named, ...]
    share: Shares


def attended(encoder: AttendingEncoder, x: Frames) -> list[Attended]:
    """What is attended to in each chunk of features [T, 80], as an utterance hears them."""
    windows, state, found = Windows(encoder.window, encoder.shift), encoder.start(), []
    for window in [*windows.accept(x), *windows.finish(x[:0], TAIL)]:
        chunk, state = encoder.attended(window, state)
        found.append(chunk)
    return found


def mapped(encoder: object, samples: Samples) -> AttentionMap:
    """What is attended to in a whole recording. Raises RequestError where nothing can be."""
    if not isinstance(encoder, AttendingEncoder):
        message = (
            "nothing is attended to: it takes a bundle with attention.onnx, and a catalog with "
            f"names, though not more than can be said in {MOST_ROWS:,} ways"
        )
        raise RequestError(message)
    names = tuple(dict.fromkeys(encoder.rows.names))
    place = {name: i for i, name in enumerate(names)}
    column = np.array([place[name] for name in encoder.rows.names], np.int64)
    found = []
    for chunk in attended(encoder, features(samples)):
        share = np.zeros((len(chunk.frames), len(names) + 1), np.float32)
        real = np.flatnonzero(chunk.chosen < len(column))
        np.add.at(share.T, column[chunk.chosen[real]], chunk.share[:, real].T)
        share[:, -1] = chunk.share[:, -1]
        found.append(share)
    return AttentionMap(names, np.concatenate(found)[: len(samples) // ENCODER_FRAME + 1])


def write(found: AttentionMap, words: Sequence[Word], path: Path) -> None:
    """Draw it, with the words that were understood. Raises DeviceError."""
    try:
        path.write_text(picture(found, words), encoding="utf8")
    except OSError as error:
        message = f"cannot write the attention to {path}: {error.strerror or error}"
        raise DeviceError(message) from error


def picture(found: AttentionMap, words: Sequence[Word]) -> str:
    """The map as SVG."""
    best = np.argsort(-found.share[:, :-1].max(0, initial=0), kind="stable")[:MOST_NAMES]
    shown = [i for i in best if found.share[:, i].max(initial=0) >= LEAST]
    shown.sort(key=lambda i: int(found.share[:, i].argmax()))
    labels = [f"{found.names[i].name} ({found.names[i].kind})" for i in shown]
    rows = list(zip([*labels, "none of them"], [*shown, len(found.names)], strict=True))
    width = LEFT + COLUMN * len(found.share) + RIGHT
    height = ABOVE + ROW * len(rows) + BELOW
    parts = [
        SVG(width, height),
        f"<style>{STYLE}</style><rect class='paper' width='{width}' height='{height}'/>",
        TEXT(20, 34, "heading", escape(" ".join(word.text for word in words) or "nothing")),
        *_cells(found, rows),
        *_foot(len(found.share), words, ABOVE + ROW * len(rows)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _cells(found: AttentionMap, rows: Sequence[tuple[str, int]]) -> Iterator[str]:
    for row, (label, column) in enumerate(rows):
        y = ABOVE + ROW * row
        yield TEXT(LEFT - 10, y + ROW * 0.7, "name", escape(label))
        for t in np.flatnonzero(found.share[:, column] >= LEAST):
            share, at = float(found.share[t, column]), t * ENCODER_FRAME_MS / 1000
            told = f"{escape(label)}, {at:.2f} s: {share:.0%}"
            yield CELL(LEFT + COLUMN * t, y + 1, COLUMN, ROW - 2, share, told)


def _foot(frames: int, words: Sequence[Word], y: int) -> Iterator[str]:
    """Words and seconds below the rows."""
    a_second = COLUMN * 1000 / ENCODER_FRAME_MS
    for second in range(int(frames * COLUMN / a_second) + 1):
        x = LEFT + a_second * second
        yield f"<line class='grid' x1='{x}' x2='{x}' y1='{ABOVE}' y2='{y + 34}'/>"
        yield TEXT(x, y + 54, "time", f"{second} s")
    for word in words:
        yield TEXT(LEFT + a_second * seconds(word.start), y + 22, "word", escape(word.text))
