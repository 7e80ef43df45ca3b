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
from earshot.networks import Session, metadata, number, open_network
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
        facts = metadata(self._attention)
        self._before = tuple(number(facts, key, attention) for key in ("past", "joiner"))

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
        past = np.zeros(self._before, np.float32)
        return Rows(self._attention, known, {"key": key, "value": value, "mask": mask}, past)


class Rows(NamedTuple):
    """The names of a catalog, ready to be attended to."""

    session: Session
    names: tuple[Named, ...]
    given: dict[str, Frames]
    past: Frames  # [PAST, J] of the frames before the first

    def attend(self, past: Frames, frames: Frames) -> tuple[Attended, Frames]:
        """Encoded frames [T, J] after others [PAST, J], and those that are past then."""
        every = np.concatenate([past, frames])
        found = Attended(*self.session.run(None, {"encoded": every, **self.given}))
        return found, every[len(frames) :]


class AttendingEncoder:
    """An encoder whose frames know of the names."""

    def __init__(self, plain: Encodes, rows: Rows) -> None:
        self.plain, self.rows = plain, rows
        self.window, self.shift = plain.window, plain.shift

    def start(self) -> State:
        """That of the plain one, and no frames before."""
        return (*self.plain.start(), self.rows.past)

    def step(self, window: Frames, state: State) -> tuple[Frames, State]:
        """As the plain one; then attend."""
        attended, state = self.attended(window, state)
        return attended.frames, state

    def attended(self, window: Frames, state: State) -> tuple[Attended, State]:
        """A step, with what was attended to."""
        *plain, past = state
        encoded, following = self.plain.step(window, tuple(plain))
        found, past = self.rows.attend(past, encoded)  # type: ignore[arg-type]
        return found, (*following, past)
