"""Where the time goes: CPU seconds of each stage of the recogniser, by a stopwatch around it."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from earshot import utterance
from earshot.encoder import Encoder
from earshot.features import Features
from earshot.search import Search
from earshot.transducer import TableScorer
from earshot.vad import Vad

STAGES = ("vad", "features", "encoder", "joiner", "search", "lattice")
Place = tuple[Any, str, str]  # what holds the function, its name there, and its stage
PLACES: tuple[Place, ...] = (
    (Vad, "accept", "vad"),
    (Features, "accept", "features"),
    (Features, "finish", "features"),
    (Encoder, "step", "encoder"),
    (TableScorer, "hear", "joiner"),
    (Search, "accept", "search"),
    (Search, "words", "search"),
    (Search, "raw", "lattice"),
    (utterance, "build", "lattice"),
    (utterance, "result", "lattice"),
)


class Stopwatch:
    """While it is entered, counts the CPU seconds of each stage, less those of stages inside it."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = dict.fromkeys(STAGES, 0.0)
        self._inside = [0.0]  # seconds of stages within the stage under way
        self._before: list[Any] = []

    def __enter__(self) -> Self:
        self._before = [getattr(holder, name) for holder, name, _ in PLACES]
        for (holder, name, stage), function in zip(PLACES, self._before, strict=True):
            setattr(holder, name, self._timed(function, stage))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for (holder, name, _), function in zip(PLACES, self._before, strict=True):
            setattr(holder, name, function)

    def _timed(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - as what it stands for
            self._inside.append(0.0)
            began = time.process_time()
            try:
                return function(*given, **named)
            finally:
                whole = time.process_time() - began
                self.spent[stage] += whole - self._inside.pop()
                self._inside[-1] += whole

        return timed
