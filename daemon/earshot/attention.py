"""The network attends to the owner's names while it hears: an adapter behind the encoder.

names.onnx turns the phones of names into keys and values, once whenever the catalog changes;
attention.onnx adds to encoded frames what the names that fit best hold at each of their phones
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
from earshot.networks import Session, open_network
from earshot.sounds import Tokens

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
    """The two networks of a bundle."""

    def __init__(self, bundle: Bundle) -> None:
        """Raise BundleError where they cannot be read."""
        names, attention = (bundle.file(name) for name in FILES)
        self._names, self._attention = open_network(names), open_network(attention)

    def rows(self, sounds: Sequence[tuple[Named, Tokens]]) -> "Rows":
        """Rows of the first of these names that are short enough."""
        fitting = [one for one in sounds if len(one[1]) <= LONGEST][:MOST_ROWS]
        longest = max((len(tokens) for _, tokens in fitting), default=1)
        token = np.zeros((max(MOST, len(fitting)), longest), np.int64)
        for row, (_, tokens) in zip(token, fitting, strict=False):
            row[: len(tokens)] = tokens
        key, value = self._names.run(None, {"token": token})
        mask = np.where(token > 0, np.float32(0), NEVER)
        return Rows(self._attention, tuple(named for named, _ in fitting), (key, value, mask))


class Rows:
    """The names of a catalog, ready to be attended to."""

    def __init__(
        self, session: Session, names: tuple[Named, ...], given: tuple[Frames, Frames, Frames]
    ) -> None:
        self._session, self.names = session, names
        self._given = dict(zip(("key", "value", "mask"), given, strict=True))

    def attend(self, frames: Frames) -> Attended:
        """Encoded frames [T, J] that know of the names."""
        return Attended(*self._session.run(None, {"encoded": frames, **self._given}))


class AttendingEncoder:
    """An encoder whose frames know of the names."""

    def __init__(self, plain: Encodes, rows: Rows) -> None:
        self.plain, self.rows = plain, rows
        self.window, self.shift, self.start = plain.window, plain.shift, plain.start

    def step(self, window: Frames, state: State) -> tuple[Frames, State]:
        """As the plain one; then attend."""
        encoded, state = self.plain.step(window, state)
        return self.rows.attend(encoded).frames, state
