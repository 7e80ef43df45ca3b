"""A re-ranker between what a session says and what clients get, in mode assisted.

    session ▶ stage ▶ clients          EndPoint(v1) ──────▶ EndPoint(v1)
                ⇅                            └ lattice ▶ uplink ▶ re-ranker
              uplink                   Committed(v1) waits ▶ Revised(v2) ▶ Committed(v2)

The lattice is handed over as soon as an end is seen, also when that is not sure yet, so that the
answer is usually there when it is. A commit waits for it, up to a deadline, and all that comes
behind waits too. If other words are likelier, the version that stands is revised, and versions of
the utterance count on from there. What is late, wrong or not there changes nothing but a count;
after several of these in a row nothing is asked for a while.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from earshot.asking import Asks, AssistSettings, AssistTally, Nobody, Question, Rest
from earshot.errors import EarshotError
from earshot.events import (
    Arc,
    Cancelled,
    Committed,
    EndPoint,
    EndPointKind,
    Event,
    Result,
    Retracted,
    Revised,
    SpeechStarted,
)
from earshot.ranked import reread

logger = logging.getLogger(__name__)

AHEAD_SECONDS = 1.0  # for an end that is not sure; nobody waits for it yet

Publish = Callable[[Event], None]
Complete = Callable[[Result, Sequence[Arc]], Awaitable[Result]]


class Assist:
    """What all stages share: whom to ask, how long to wait, what came of it."""

    def __init__(
        self,
        asks: Asks,
        settings: AssistSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` gives seconds."""
        self._asks, self.deadline = asks, settings.deadline_ms / 1_000
        self.tally, self.rest = AssistTally(), Rest(clock)
        self._stages: set[Stage] = set()

    @classmethod
    def none(cls) -> "Assist":
        """One by which nobody is asked."""
        return cls(Nobody(), AssistSettings())

    def stage(self, publish: Publish, complete: Complete) -> "Stage":
        """A stage of a session, to be closed with it.

        `complete` adds to a result what else there is to say, given the arcs of its words.
        """
        found = Stage(self, publish, complete)
        self._stages.add(found)
        return found

    def forget(self, stage: "Stage") -> None:
        """Have nothing to do with a stage any more."""
        self._stages.discard(stage)

    def drop(self) -> None:
        """Wait for no answer that is under way."""
        for stage in self._stages:
            stage.drop()

    def open_for(self, found: Result) -> bool:
        """Whether to ask about a result: of dictation, where there is a choice."""
        arcs = found.lattice.arcs
        choice = len({arc.source for arc in arcs}) < len(arcs)
        return self._asks.open and choice and not found.command and not self.rest.left

    async def better(self, question: Question, complete: Complete) -> Result | None:
        """The result that is likelier than the question's, if one is. Counts what came of it."""
        said = [word.text for word in question.result.words]
        self.tally.asked += 1
        try:
            paths = await self._asks.ask(question)
        except TimeoutError:
            self.late()
            return None
        except EarshotError as error:
            self.tally.failed += 1
            self._failed(str(error))
            return None
        self.rest.answered()
        if list(paths[0].words) == said:
            self.tally.confirmed += 1
            return None
        return await complete(reread(question.result, paths), paths[0].arcs)

    def late(self) -> None:
        """Count an answer that was not there in time."""
        self.tally.late += 1
        self._failed("the re-ranker answers too late")

    def _failed(self, reason: str) -> None:
        if self.rest.failed(reason):
            logger.warning("%s", self.rest.reason)


class Stage:
    """The way of one session's events to its clients, in order. Belongs to one event loop."""

    def __init__(self, assist: Assist, publish: Publish, complete: Complete) -> None:
        self._assist, self._publish_on, self._complete = assist, publish, complete
        self._held = deque[Event]()  # a commit that waits for an answer, and all behind it
        self._timer: asyncio.TimerHandle | None = None  # runs while something is held
        self._asking: asyncio.Task[None] | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._at = 0  # of the last event
        self._version = 0  # that stands, as clients know it
        self._more = 0  # by how many the versions that clients know are ahead of the session's
        self.utterance: int | None = None  # that clients know to be in progress

    def put(self, event: Event) -> None:
        """Take an event; it is published at once, unless it must wait."""
        if self._flowing.is_set():
            self._take(event)
        else:
            self._held.append(event)

    async def settled(self) -> None:
        """Wait until nothing is held."""
        while not self._flowing.is_set():  # what was held may hold the next
            await self._flowing.wait()

    def drop(self) -> None:
        """Wait for no answer."""
        self._forget_question()
        self._flow()

    def close(self) -> None:
        """End it; what is held is published."""
        self.drop()
        self._assist.forget(self)

    def _take(self, event: Event) -> None:
        if isinstance(event, Committed) and self._asking:
            self._hold(event)
            return
        if isinstance(event, SpeechStarted):
            self._more, self.utterance = 0, event.utterance
        if isinstance(event, SpeechStarted | Retracted | Revised | EndPoint | Cancelled):
            self._forget_question()
        if isinstance(event, Retracted | Revised | EndPoint | Committed):
            event = replace(event, version=event.version + self._more)
            self._version = event.version
        if isinstance(event, Committed | Cancelled):
            self.utterance = None
        self._publish(event)
        if isinstance(event, Revised | EndPoint) and self._assist.open_for(event.result):
            self._ask(event)

    def _publish(self, event: Event) -> None:
        self._at = event.at
        self._publish_on(event)

    def _ask(self, ended: EndPoint | Revised) -> None:
        unsure = isinstance(ended, EndPoint) and ended.kind is EndPointKind.SPECULATIVE
        seconds = self._assist.deadline + (AHEAD_SECONDS if unsure else 0.0)
        question = Question(ended.utterance, ended.version, ended.result, seconds)
        self._asking = asyncio.create_task(self._answer(question))
        self._asking.add_done_callback(self._answered)

    async def _answer(self, question: Question) -> None:
        found = await self._assist.better(question, self._complete)
        if found is None or self._asking is not asyncio.current_task():
            return
        self._assist.tally.revised += 1
        self._more += 1
        self._version += 1
        what = question.utterance, self._version
        self._publish(Revised(self._at, *what, reset=True, result=found))

    def _answered(self, task: asyncio.Task[None]) -> None:
        """Go on after an answer, whatever it was."""
        if not task.cancelled() and (error := task.exception()):
            logger.error("asking the re-ranker: a defect", exc_info=error)
        if self._asking is task:
            self._asking = None
            self._flow()

    def _forget_question(self) -> None:
        if self._asking:
            self._asking.cancel()
            self._asking = None

    def _hold(self, commit: Committed) -> None:
        """Let a commit wait, and all behind it."""
        self._held.appendleft(commit)
        self._flowing.clear()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._assist.deadline, self._give_up)

    def _give_up(self) -> None:
        self._assist.late()
        self.drop()

    def _flow(self) -> None:
        """Publish what was held, up to a commit that must wait in its turn."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._flowing.set()
        while self._held and self._flowing.is_set():
            self._take(self._held.popleft())
