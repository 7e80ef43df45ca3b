"""The life of the daemon: everything starts in order, and stops in reverse.

    inference thread ▶ services ▶ source ▶ READY … signal ▶ last events ▶ source ▶ socket

The first signal asks for a polite end, in which what is being said is committed; a second one ends
the process at once.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

from earshot.api import About, ApiSettings, StatusApi
from earshot.asking import AssistSettings
from earshot.assist import Assist
from earshot.condition import Condition, SourceState
from earshot.errors import DeviceError, LimitError
from earshot.events import Event
from earshot.exposing import MetricsSettings, exposing
from earshot.feed import Feed
from earshot.link import Link
from earshot.load import Governor
from earshot.mode import ModeSwitch, Switches
from earshot.mute import MuteSwitch
from earshot.notify import Notifier
from earshot.place import ASSISTED, MUTED, uplink_of
from earshot.sandbox import Kept
from earshot.server import serving
from earshot.session import Recognises
from earshot.sessions import Sessions, SessionSettings, Special, unable
from earshot.signals import on_signals
from earshot.units import seconds
from earshot.word_list import WordList

logger = logging.getLogger(__name__)

LAST_EVENTS_SECONDS = 1.0  # for printing what came last
Work = Coroutine[object, object, None]


@dataclass(frozen=True, slots=True)
class Mind:
    """What recognises: a new recogniser for each stream of audio, and the bundle it comes from."""

    new_recogniser: Callable[[], Recognises]
    bundle: str
    version: str
    special: Special = unable
    """what hears as a client asks for"""
    watch: Callable[[], Work] | None = None
    """follows what may change what is recognised"""
    words: Callable[[], WordList] = WordList
    """makes the list by which words are numbered for a re-ranker"""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a life needs."""

    mind: Mind
    feed: Feed
    source: SourceState  # of the feed, at first
    place: Path  # of the socket
    state: Path  # folder of what outlives the daemon
    sessions: SessionSettings
    api: ApiSettings
    show: Callable[[Event], None] | None  # gets the events of the source, in a thread
    kept: Kept = Kept(enforced=False)  # noqa: RUF009 - frozen
    assist: AssistSettings = AssistSettings()  # noqa: RUF009 - frozen
    metrics: MetricsSettings = MetricsSettings()  # noqa: RUF009 - frozen
    governor: Governor = field(default_factory=Governor)
    live: bool = False  # whether the source gives its audio as it is spoken


async def live(plan: Plan) -> None:
    """Serve until a signal comes. Raises what made it impossible to go on."""
    mind, kept, notifier = plan.mind, plan.kept, Notifier()
    about = About(mind.bundle, mind.version, kept.enforced, time.monotonic(), kept.reason)
    link = _link(plan)
    assist = Assist(link, plan.assist)
    with closing(_sessions(plan, assist)) as sessions:
        switches = Switches(_mute(plan, sessions), _mode(plan, sessions, assist, link))
        tell = StatusApi(sessions, about, switches.mode).answer
        async with (
            serving(plan.place, plan.api, sessions, about, switches),
            exposing(plan.metrics, plan.api.group, tell),
        ):
            logger.info("clients are served at %s", plan.place)
            try:
                async with _working(_works(plan, sessions, switches, notifier)):
                    notifier.stopping()
                    notifier.status("stopping: what is being said is committed")
                    await sessions.stop()
            finally:
                await plan.feed.close()
                await switches.mute.stop()
                await switches.mode.stop()
                logger.info("stopped: %s", _figures(sessions, about.started))


def _link(plan: Plan) -> Link:
    return Link(plan.assist.socket or uplink_of(plan.place), plan.assist, plan.mind.words)


def _sessions(plan: Plan, assist: Assist) -> Sessions:
    mind = plan.mind
    sessions = Sessions(mind.new_recogniser, plan.sessions, plan.source, mind.special, assist)
    sessions.govern(plan.governor, live=plan.live)
    return sessions


def _mode(plan: Plan, sessions: Sessions, assist: Assist, link: Link) -> ModeSwitch:
    kept, sign = plan.state / ASSISTED, plan.place.with_name(ASSISTED)
    return ModeSwitch(sessions, assist, link, kept, sign)


def _mute(plan: Plan, sessions: Sessions) -> MuteSwitch:
    return MuteSwitch(sessions, plan.feed, plan.state / MUTED, plan.place.with_name(MUTED))


def _works(plan: Plan, sessions: Sessions, switches: Switches, notifier: Notifier) -> list[Work]:
    """All that goes on until the end; the first tells the good-bye."""
    watch = plan.mind.watch
    return [
        _show(sessions, plan.show),
        _announce(sessions, notifier),
        _say_when_over(sessions, plan.place),
        notifier.start(lambda: sessions.source.ready),
        notifier.watch(lambda: _progress(sessions)),
        _follow(sessions, plan.feed, switches),
        *([watch()] if watch else []),
    ]


@asynccontextmanager
async def _working(works: list[Work]) -> AsyncIterator[None]:
    """Work until a signal comes or a work fails, then let the caller say good-bye, then end all.

    The first work is given time to tell the good-bye. Raises what a work raised.
    """
    stop = asyncio.Event()
    on_signals(stop)
    tasks = [asyncio.create_task(work) for work in works]
    for task in tasks:
        task.add_done_callback(lambda task: stop.set() if _failed(task) else None)
    await stop.wait()
    try:
        yield
        await asyncio.wait(tasks[:1], timeout=LAST_EVENTS_SECONDS)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if _failed(task):
            task.result()


def _failed(task: asyncio.Task[None]) -> bool:
    return not task.cancelled() and task.exception() is not None


async def _follow(sessions: Sessions, feed: Feed, switches: Switches) -> None:
    """Hear the source, unless its owner muted it before the daemon was started."""
    await switches.mode.start()
    await switches.mute.start()
    await sessions.follow(feed)


async def _announce(sessions: Sessions, notifier: Notifier) -> None:
    """Say how the source is, and READY once it is heard, or is not to be: its owner muted it.

    A microphone that is not there is waited for, so that who depends on the service has one.
    """
    ready = False
    async for source in sessions.changes():
        if sessions.clients.stopping:
            return
        muted = ", muted" if source.muted else ""
        if source.known:
            notifier.status(source.description + muted)
        if source.ready and not ready:
            ready = True
            notifier.ready()
            logger.info("ready: %s%s", source.description, muted)


async def _say_when_over(sessions: Sessions, place: Path) -> None:
    """Say what is left to do when the source is at its end, for the daemon stays."""
    async for source in sessions.changes():
        if source.condition is Condition.ENDED:
            logger.info("nothing more is to be heard; clients are still served at %s", place)
            logger.info("Ctrl-C or SIGTERM stops the daemon")
            return


def _progress(sessions: Sessions) -> object:
    """Give something new whenever all is well: more was heard, or nothing is to be heard."""
    hearing = sessions.source.condition is Condition.HEARING
    return sessions.heard if hearing else time.monotonic()


def _figures(sessions: Sessions, started: float) -> str:
    """Say what happened since the start; no word of it."""
    tally, up = sessions.tally, time.monotonic() - started
    return (
        f"{up:.1f} s up, {seconds(sessions.heard):.1f} s of audio heard, "
        f"{seconds(tally.dropped):.1f} s lost, {tally.utterances} utterances "
        f"({tally.committed} committed, {tally.cancelled} cancelled), "
        f"{sessions.clients.total} clients"
    )


async def _show(sessions: Sessions, show: Callable[[Event], None] | None) -> None:
    """Show events as they happen; not on the event loop, for a terminal may be stopped."""
    if show is None:
        return
    with sessions.watch() as outbox:
        try:
            async for event in outbox:
                await asyncio.to_thread(show, event)
        except LimitError:
            logger.warning("events are no longer printed, for nobody reads them")
        except DeviceError:
            return  # the daemon is stopping
