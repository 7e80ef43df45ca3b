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
from earshot.entries import Kind
from earshot.errors import INSTALL, BundleError
from earshot.events import Named
from earshot.networks import Session, open_network
from earshot.sounds import Tokens

FILES = ("names.onnx", "attention.onnx")
MOST_ROWS = 4_096  # ways to say names that are attended to
TOGETHER = 256  # of them at a time: what is worked out on the way takes much more memory
Ints = npt.NDArray[np.int64]
READY = ("value", "last", "first", "weight")  # what names.onnx makes of the phones of names
GIVEN = ("encoded", "token", *READY, "names")
# The chunk before, whether there was one (and this one: 1), which names were looked at, and how
# attention was spread over them and none.
BEFORE = ("past", "known", "looked", "rows", "none")
HEARD = np.ones((2, 1, 1, 1), np.float32)


def attended_of(sounds: Sequence[tuple[Named, Tokens]]) -> Sequence[tuple[Named, Tokens]]:
    """Those of a catalog that are attended to: all, or of too many phrases only, or none.

    Where names of other kinds belong the search knows, and favours them as well alone; of too
    many phrases it does, too (models/LOG.md).
    """
    some = sounds
    if len(some) > MOST_ROWS:
        some = [one for one in sounds if one[0].kind == Kind.PHRASE.value]
    return some if len(some) <= MOST_ROWS else ()


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
    heads: npt.NDArray[np.float32]  # [H, T, E] of each of the names that were looked at
    chosen: Ints  # [E]

    @property
    def share(self) -> Frames:
        """The same on average [T, E + 1], and last of others or none."""
        share = self.heads.mean(0)
        return np.append(share, 1 - share.sum(-1, keepdims=True), axis=-1)


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
        *_, self._most, self._longest = shapes["rows"]
        nothing, nowhere = (np.zeros(shapes[name], np.float32) for name in ("past", "rows"))
        first = np.array([0, 1], np.float32).reshape(HEARD.shape)
        none = np.ones(shapes["none"], np.float32)
        self._start: State = nothing, first, np.arange(self._most), nowhere, none

    def rows(self, sounds: Sequence[tuple[Named, Tokens]]) -> "Rows":
        """Rows of these names, and of the first phones of long ones."""
        token = np.zeros((max(self._most, len(sounds)), self._longest), np.int64)
        for row, (_, tokens) in zip(token, sounds, strict=False):
            row[: len(tokens)] = tokens[: self._longest]
        parts = (token[first : first + TOGETHER] for first in range(0, len(token), TOGETHER))
        value, *others = zip(*map(self._ready, parts), strict=True)
        given: dict[str, npt.NDArray[Any]] = {
            "token": token,
            "names": np.array([max(1, len(sounds))], np.float32),
            "value": np.concatenate(value, axis=1),
            **{k: np.concatenate(x) for k, x in zip(READY[1:], others, strict=True)},
        }
        return Rows(self._attention, tuple(named for named, _ in sounds), given, self._start)

    def _ready(self, token: Ints) -> tuple[npt.NDArray[Any], ...]:
        """What names hold in half precision, and the rest of READY."""
        value, *others = self._names.run(list(READY), {"token": token})
        return value.astype(np.float16), *others


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
        biased, heads, chosen, rows, none = self.session.run(None, given)
        return Attended(biased, heads, chosen), (frames, HEARD, chosen, rows, none)


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
