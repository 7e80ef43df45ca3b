"""The network attends to the owner's names while it hears: an adapter behind the encoder.

names.onnx turns the phones of names into keys and values, once whenever the catalog changes;
attention.onnx adds to encoded frames what the names that fit best hold at each of their phones.
What fits is told by what is heard and by the tokens that the network emits without names, greedily
(models/biasing.py has the method and its sources). Beside the search's favour, which waits for
sounds to fit a name, it changes what is heard; and without names nothing is changed.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from earshot.bundle import Bundle
from earshot.encoder import Frames, State
from earshot.events import Named
from earshot.networks import Session, metadata, number, open_network
from earshot.sounds import Tokens
from earshot.transducer import BLANK, Transducer

FILES = ("names.onnx", "attention.onnx")
MOST = 64  # names that are looked at closely at a time
MOST_ROWS = 2_048  # ways to say a name that are attended to
LONGEST = 24  # phones of one of them
NEVER = np.float32(-1e4)
Ints = npt.NDArray[np.int64]


class Encodes(Protocol):
    """What an utterance needs of an encoder."""

    window: int
    shift: int

    def start(self) -> State:
        """The state before any audio."""

    def step(self, window: Frames, state: State) -> tuple[Frames, State]:
        """Features [window, 80] and a state to encoded frames [T', J] and the next state."""


class Attended(NamedTuple):
    """What was attended to in some frames."""

    frames: Frames  # [T, J]
    share: Frames  # [T, MOST + 1] of each of the chosen names, and of none
    chosen: Ints  # [MOST]


class Attention:
    """The two networks of a bundle, beside its transducer."""

    def __init__(self, bundle: Bundle, transducer: Transducer) -> None:
        """Raise BundleError where they cannot be read."""
        names, attention = (bundle.file(name) for name in FILES)
        self._names, self._attention = open_network(names), open_network(attention)
        self._history = number(metadata(self._attention), "history", attention)
        self._emits = Emits(transducer)

    def rows(self, sounds: Sequence[tuple[Named, Tokens]]) -> "Rows":
        """Rows of the first of these names that are short enough."""
        fitting = [one for one in sounds if len(one[1]) <= LONGEST][:MOST_ROWS]
        longest = max((len(tokens) for _, tokens in fitting), default=1)
        token = np.zeros((max(MOST, len(fitting)), longest), np.int64)
        for row, (_, tokens) in zip(token, fitting, strict=False):
            row[: len(tokens)] = tokens
        key, value = self._names.run(None, {"token": token})
        mask = np.where(token > 0, np.float32(0), NEVER)
        known = tuple(named for named, _ in fitting)
        given = {"key": key, "value": value, "mask": mask}
        return Rows(self._attention, self._emits, known, given, np.zeros(self._history, np.int64))


class Emits:
    """What a transducer emits, greedily, before each frame."""

    def __init__(self, transducer: Transducer) -> None:
        self._transducer = transducer
        self._predicted = transducer.predict(np.arange(transducer.size)[:, None])

    def before(self, frames: Frames, history: Ints) -> tuple[Ints, Ints]:
        """Tokens before each frame [T, H], the latest first, and after the last [H]."""
        found = np.zeros((len(frames), len(history)), np.int64)
        for row, frame in zip(found, frames, strict=True):
            row[:] = history
            predicted = self._predicted[history[:1]]
            token = int(self._transducer.join(frame[None], predicted)[0].argmax())
            if token != BLANK:
                history = np.append(token, history[:-1])
        return found, history


class Rows(NamedTuple):
    """The names of a catalog, ready to be attended to."""

    session: Session
    emits: Emits
    names: tuple[Named, ...]
    given: dict[str, Frames]
    start: Ints  # [H] of tokens before the first frame

    def attend(self, frames: Frames, history: Ints) -> tuple[Attended, Ints]:
        """Encoded frames [T, J] after tokens [H], and the tokens after them."""
        before, history = self.emits.before(frames, history)
        given = {"encoded": frames, "history": before, **self.given}
        return Attended(*self.session.run(None, given)), history


class AttendingEncoder:
    """An encoder whose frames know of the names."""

    def __init__(self, plain: Encodes, rows: Rows) -> None:
        self.plain, self.rows = plain, rows
        self.window, self.shift = plain.window, plain.shift

    def start(self) -> State:
        """That of the plain one, and no tokens before."""
        return (*self.plain.start(), self.rows.start)

    def step(self, window: Frames, state: State) -> tuple[Frames, State]:
        """As the plain one; then attend."""
        attended, state = self.attended(window, state)
        return attended.frames, state

    def attended(self, window: Frames, state: State) -> tuple[Attended, State]:
        """A step, with what was attended to."""
        *plain, history = state
        encoded, following = self.plain.step(window, tuple(plain))
        found, history = self.rows.attend(encoded, history)  # type: ignore[arg-type]
        return found, (*following, history)
