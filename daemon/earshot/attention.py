"""The network attends to the owner's names while it hears: an adapter behind the encoder.

names.onnx makes of the phones of names what they hold, once whenever the catalog changes;
attention.onnx moves attention along their phones, frame by frame, and adds to a chunk of encoded
frames what the names that fit hold (models/biasing.py has the method and its sources). Beside
the search's favour, which waits for sounds to fit a name, it changes what is heard; and without
names nothing is changed.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from earshot.bundle import Bundle
from earshot.encoder import Frames, State
from earshot.errors import INSTALL, BundleError
from earshot.events import Named
from earshot.networks import Session, open_network
from earshot.sounds import Tokens

FILES = ("names.onnx", "attention.onnx")
MOST = 64  # names that are looked at closely in a chunk
MOST_ROWS = 4_096  # ways to say a name that are attended to
LONGEST = 24  # phones of one of them
TOGETHER = 256  # of them at a time: what is worked out on the way takes much more memory
Ints = npt.NDArray[np.int64]
GIVEN = ("encoded", "token", "value")
# The chunk before, whether there was one, which names were looked at, and how attention was spread.
BEFORE = ("past", "known", "looked", "rows", "none")
HEARD = np.ones(1, np.float32)


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
    share: Frames  # [T, MOST + 1] of each of the chosen names, and of others or none
    chosen: Ints  # [MOST]


class Attention:
    """The two networks of a bundle."""

    def __init__(self, bundle: Bundle, chunk: int, width: int) -> None:
        """`chunk`, `width`: of the encoded frames [T, J] of a step.

        Raises BundleError where the files are none, or of another network.
        """
        names, attention = (bundle.file(name) for name in FILES)
        self._names, self._attention = open_network(names), open_network(attention)
        shapes = {one.name: one.shape for one in self._attention.get_inputs()}
        if shapes.keys() != {*GIVEN, *BEFORE} or shapes["encoded"] != [chunk, width]:
            message = f"{attention}: inputs {shapes} do not fit the network beside it; {INSTALL}"
            raise BundleError(message)
        self._nothing = np.zeros((chunk, width), np.float32)
        self._heads = int(shapes["none"][0])

    def rows(self, sounds: Sequence[tuple[Named, Tokens]]) -> "Rows":
        """Rows of the first of these names that are short enough."""
        fitting = [one for one in sounds if len(one[1]) <= LONGEST][:MOST_ROWS]
        longest = max((len(tokens) for _, tokens in fitting), default=1)
        token = np.zeros((max(MOST, len(fitting)), longest), np.int64)
        for row, (_, tokens) in zip(token, fitting, strict=False):
            row[: len(tokens)] = tokens
        parts = (token[first : first + TOGETHER] for first in range(0, len(token), TOGETHER))
        held = [self._names.run(None, {"token": part})[0].astype(np.float16) for part in parts]
        named = tuple(named for named, _ in fitting)
        return Rows(
            self._attention,
            named,
            {"token": token, "value": np.concatenate(held)},
            self._start(longest),
        )

    def _start(self, longest: int) -> State:
        nowhere = np.zeros((self._heads, MOST, longest), np.float32)
        first, none = np.zeros(1, np.float32), np.ones((self._heads, 1, 1), np.float32)
        return self._nothing, first, np.arange(MOST), nowhere, none


class Rows(NamedTuple):
    """The names of a catalog, ready to be attended to."""

    session: Session
    names: tuple[Named, ...]
    given: dict[str, npt.NDArray[Any]]
    start: State
    """before the first chunk: nothing was heard, and the attention is to none"""

    def attend(self, frames: Frames, before: State) -> tuple[Attended, State]:
        """A chunk of encoded frames [T, J] after a state, and the next state."""
        given = {"encoded": frames, **self.given, **dict(zip(BEFORE, before, strict=True))}
        biased, share, chosen, rows, none = self.session.run(None, given)
        return Attended(biased, share, chosen), (frames, HEARD, chosen, rows, none)


class AttendingEncoder:
    """An encoder whose frames know of the names."""

    def __init__(self, plain: Encodes, rows: Rows) -> None:
        self.plain, self.rows = plain, rows
        self.window, self.shift = plain.window, plain.shift

    def start(self) -> State:
        """That of the plain one, and attention to no name."""
        return (*self.plain.start(), *self.rows.start)

    def step(self, window: Frames, state: State) -> tuple[Frames, State]:
        """As the plain one; then attend."""
        attended, state = self.attended(window, state)
        return attended.frames, state

    def attended(self, window: Frames, state: State) -> tuple[Attended, State]:
        """A step, with what was attended to."""
        plain, before = state[: -len(BEFORE)], state[-len(BEFORE) :]
        encoded, following = self.plain.step(window, plain)
        found, after = self.rows.attend(encoded, before)
        return found, (*following, *after)
