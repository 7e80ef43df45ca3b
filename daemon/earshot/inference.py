"""The one thread on which networks run, shared by all sessions."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

from earshot.load import Governor
from earshot.scheduling import renice

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Inference:
    """First come, first served: who waits for an answer before asking again gets a fair share."""

    def __init__(self) -> None:
        self.governor = Governor()
        """how much effort all who use the thread are to spend"""
        begin = lambda: renice(self.governor.nice)  # noqa: E731 - with that of the first work
        self._thread = ThreadPoolExecutor(1, "inference", begin)

    async def run(self, work: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """Answer by `work`, run on the thread. A cancelled caller leaves begun work to its end."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, work, *arguments)

    def close(self) -> None:
        """Forget what has not begun, and wait for what has."""
        self._thread.shutdown(wait=True, cancel_futures=True)
