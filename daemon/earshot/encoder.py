"""The encoder: windows of features and a state in, encoded frames and a state out.

Loads the streaming conventions of sherpa-onnx by a table of layouts: what states a `model_type` has
and what shape each is. Inputs and outputs are bound by position, as sherpa-onnx does.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from earshot.errors import INSTALL, BundleError
from earshot.networks import metadata, number, numbers, open_network
from earshot.units import FEATURE_BINS

Frames = npt.NDArray[np.float32]
State = tuple[npt.NDArray[np.generic], ...]
Facts = dict[str, str]
# Of zipformer2's front end: batch, channels, frames, ((80 - 1) / 2 - 1) / 2 bins.
EMBED_STATE = (1, 128, 3, 19)
STACKS = (
    "num_encoder_layers", "encoder_dims", "query_head_dims", "value_head_dims", "num_heads",
    "cnn_module_kernels", "left_context_len",
)  # fmt: skip
QUIET = -15.942385  # log of the smallest power Kaldi's filter banks give: what silence looks like


def _lstm(facts: Facts, path: Path) -> State:
    layers = number(facts, "num_encoder_layers", path)
    sizes = (number(facts, "d_model", path), number(facts, "rnn_hidden_size", path))
    return tuple(np.zeros((layers, 1, size), np.float32) for size in sizes)


def _conformer(facts: Facts, path: Path) -> State:
    layers, width = number(facts, "num_encoder_layers", path), number(facts, "encoder_dim", path)
    rows = (number(facts, "left_context", path), number(facts, "cnn_module_kernel", path) - 1)
    caches = (np.zeros((layers, row, 1, width), np.float32) for row in rows)
    return (*caches, np.zeros(1, np.int64))


def _zipformer2(facts: Facts, path: Path) -> State:
    columns = [numbers(facts, key, path) for key in STACKS]
    if len({len(column) for column in columns}) > 1:
        message = f"{path}: metadata {', '.join(STACKS)} differ in length; {INSTALL}"
        raise BundleError(message)
    state: list[npt.NDArray[np.generic]] = []
    for layers, width, query, value, heads, kernel, left in zip(*columns, strict=True):
        shapes = (
            (left, 1, query * heads),
            (1, 1, left, 3 * width // 4),
            (left, 1, value * heads),
            (left, 1, value * heads),
            (1, width, kernel // 2),
            (1, width, kernel // 2),
        )
        state += [np.zeros(shape, np.float32) for _ in range(layers) for shape in shapes]
    return (*state, np.zeros(EMBED_STATE, np.float32), np.zeros(1, np.int64))


LAYOUTS: dict[str, Callable[[Facts, Path], State]] = {
    "lstm": _lstm,
    "conformer": _conformer,
    "zipformer2": _zipformer2,
}
# Whose last input is the count of feature frames before the window: the caller keeps it.
COUNTED = frozenset({"conformer"})


class Encoder:
    """A streaming encoder. Raises BundleError where the file is none."""

    def __init__(self, path: Path) -> None:
        self._session = open_network(path)
        facts = metadata(self._session)
        kind = facts.get("model_type", "")
        if kind not in LAYOUTS:
            message = f"{path}: model_type {kind!r} is not one of {', '.join(sorted(LAYOUTS))}"
            raise BundleError(message)
        if facts.get("feature"):
            message = f"{path}: hears {facts['feature']} features, but only Kaldi's are known"
            raise BundleError(message)
        self.window = number(facts, "T", path)
        """feature frames a step takes"""
        self.shift = number(facts, "decode_chunk_len", path)
        """feature frames from one step to the next"""
        self._start, self._counted = LAYOUTS[kind](facts, path), kind in COUNTED
        self._check(path, kind)

    def _check(self, path: Path, kind: str) -> None:
        """Refuse what would fail or stand still at the first step."""
        self._inputs = [i.name for i in self._session.get_inputs()]
        states = len(self._start)
        self._outputs = [o.name for o in self._session.get_outputs()][: 1 + states - self._counted]
        if len(self._inputs) != 1 + states or len(self._outputs) != 1 + states - self._counted:
            message = f"{path}: {len(self._inputs)} inputs, but {kind} has 1 and {states} states"
            raise BundleError(message)
        if not 0 < self.shift <= self.window:
            message = f"{path}: windows of {self.window} frames cannot go on by {self.shift}"
            raise BundleError(message)

    def start(self) -> State:
        """The state before any audio."""
        return self._start

    def step(self, window: Frames, state: State) -> tuple[Frames, State]:
        """Features [window, 80] and a state to encoded frames [T', J] and the next state."""
        given = dict(zip(self._inputs, (window[None], *state), strict=True))
        encoded, *following = self._session.run(self._outputs, given)
        if self._counted:
            following.append(state[-1] + self.shift)
        return encoded[0], tuple(following)


class Windows:
    """Any slicing of feature frames in, windows for the encoder out; pure."""

    def __init__(self, window: int, shift: int) -> None:
        self._window, self._shift = window, shift
        self._waiting = np.zeros((0, FEATURE_BINS), np.float32)

    def accept(self, frames: Frames) -> list[Frames]:
        """Take frames [T, 80] and give the windows [window, 80] that became complete."""
        self._waiting = np.concatenate([self._waiting, frames]) if len(frames) else self._waiting
        found = []
        while len(self._waiting) >= self._window:
            found.append(self._waiting[: self._window])
            self._waiting = self._waiting[self._shift :]
        return found

    def finish(self, frames: Frames, quiet: int) -> list[Frames]:
        """Take the last frames, add `quiet` of silence or more, and give the last windows."""
        found = self.accept(frames)
        rest = len(self._waiting) + quiet
        steps = max(0, -(-(rest - self._window) // self._shift)) + 1
        missing = self._window + (steps - 1) * self._shift - len(self._waiting)
        return found + self.accept(np.full((missing, FEATURE_BINS), QUIET, np.float32))
