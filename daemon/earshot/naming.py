"""The engine that favours the catalog as it is now: a change counts from the next utterance on.

The file is looked at twice a second by its size and time, which costs nothing; what changed is read
and its names are compiled beside the recognition, with pauses that leave the processor to it.
"""

import asyncio
import logging
import threading
import time
from pathlib import Path

from earshot.engine import Engine
from earshot.entries import USUAL_WEIGHTS, Entry, KindWeights, Phrases
from earshot.errors import EarshotError, RequestError
from earshot.store import Store

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
MOST_ASKED = 4  # lists of phrases that are kept: clients send the same again
PAUSE_SECONDS = 0.002  # after some words that had to be guessed; recognition takes its turn
Stamp = tuple[tuple[int, int] | None, ...]  # time and size of a file, None where there is none


class _OverError(Exception):
    """The daemon stops."""


class Naming:
    """Follows a catalog."""

    def __init__(self, engine: Engine, path: Path, weights: KindWeights = USUAL_WEIGHTS) -> None:
        """`engine` favours nothing; at `path` is a catalog, or will be."""
        self._plain, self._path, self._weights = engine, path, weights
        self._stamp: Stamp = ()
        self._entries: list[Entry] = []
        self._asked: dict[Phrases, Engine] = {}
        self._asking = threading.Lock()  # calls ask in threads of their own
        self._over = threading.Event()
        self.engine = engine

    async def watch(self) -> None:
        """Follow the catalog until cancelled."""
        try:
            while True:
                await asyncio.to_thread(self.look)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            self._over.set()

    def look(self) -> None:
        """Take up what changed. A catalog that cannot be read is told; what was known stays."""
        stamp = self._stamped()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._take(self._read())
        except EarshotError as error:
            logger.warning("the catalog stays as it was: %s", error)
        except _OverError:
            pass

    def _stamped(self) -> Stamp:
        """The database and its log: what is written goes to the one and later to the other."""
        found: list[tuple[int, int] | None] = []
        for path in (self._path, self._path.with_name(self._path.name + "-wal")):
            try:
                facts = path.stat()
            except OSError:
                found.append(None)
            else:
                found.append((facts.st_mtime_ns, facts.st_size))
        return tuple(found)

    def _read(self) -> list[Entry]:
        if not self._path.exists():
            return []
        with Store(self._path) as store:
            return store.entries()

    def _take(self, entries: list[Entry]) -> None:
        if entries == self._entries:
            return
        self.engine, refused = self._plain.naming(entries, self._weights, self._pause)
        self._entries, self._asked = entries, {}
        logger.info("catalog: %d names are favoured, %d cannot be", len(entries), len(refused))
        for name, why in refused:
            logger.debug("%s: %s", name, why)

    def with_phrases(self, phrases: Phrases) -> Engine:
        """The engine for one stream, with phrases beside the catalog as it is now.

        Raises RequestError for a phrase that cannot be said.
        """
        with self._asking:
            asked = self._asked  # of the catalog as it is now
            if known := asked.get(phrases):
                return known
        engine = self._compiled(phrases)
        with self._asking:
            while len(asked) >= MOST_ASKED:
                del asked[next(iter(asked))]
            asked[phrases] = engine
        return engine

    def _compiled(self, phrases: Phrases) -> Engine:
        engine, refused = self._plain.naming([*self._entries, *phrases.entries], self._weights)
        asked = {entry.name for entry in phrases.entries}
        for one in refused:
            if one.name in asked:
                message = f"{phrases.source}: {one.why}"
                raise RequestError(message)
        return engine

    def _pause(self) -> None:
        if self._over.is_set():
            raise _OverError
        time.sleep(PAUSE_SECONDS)
