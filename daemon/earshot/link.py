"""The daemon's end of the way to the uplink: one Unix socket, connected in mode assisted only.

While it attends the uplink it knows how the re-ranker can be reached, and asks only when it can. An
uplink that is not there costs a look at its socket now and then.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from earshot.answering import refusal
from earshot.asking import AssistSettings, Question
from earshot.condition import UplinkState
from earshot.errors import DeviceError
from earshot.events import Lattice
from earshot.generated.v1.rescoring_pb2 import RescoreRequest
from earshot.generated.v1.uplink_pb2 import AttendRequest, ForwardRequest, StopUplinkRequest
from earshot.generated.v1.uplink_pb2_grpc import UplinkStub
from earshot.masking import masked
from earshot.parcel import Packed, pack
from earshot.ranked import Ranked, checked
from earshot.word_list import WordList

logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0  # seconds between two tries, each twice the one before
STOP_SECONDS = 1.0  # for the uplink to hear that it shall stop
PATHS = 16  # that are asked for: the alternatives, and what confidence is made of
OFF = "nothing leaves the device"
# What a re-ranker answers that numbers words in another way.
OTHER_LIST = {
    refusal(grpc.StatusCode.FAILED_PRECONDITION),
    refusal(grpc.StatusCode.INVALID_ARGUMENT),
}
MOST_BYTES = 1 << 16  # of an answer


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with the uplink."""

    state: UplinkState = UplinkState.OFF
    about: str = OFF
    since: float = field(default_factory=time.time, compare=False)  # seconds since 1970


class Link:
    """Asks the re-ranker through the uplink. Belongs to one event loop."""

    def __init__(
        self, place: Path, settings: AssistSettings, words: Callable[[], WordList]
    ) -> None:
        """`place` of the uplink's socket; `words` makes the list by which words are numbered."""
        self.place, self._words_of = place, words
        self._known = self._numbered = WordList()  # of the bundle, and of the re-ranker as well
        self._parcel, self._debias = settings.parcel, settings.debias
        self._hide = settings.hide_names
        self._on = False
        self._attending: asyncio.Task[None] | None = None
        self._stub: UplinkStub | None = None
        self._tried = asyncio.Event()
        self.standing = Standing()

    @property
    def open(self) -> bool:
        """Whether the re-ranker can be asked now."""
        return self._on and self.standing.state is UplinkState.READY

    async def start(self, seconds: float = 0.0) -> None:
        """Attend the uplink from now on; wait up to `seconds` until it is known how it stands."""
        self._on = True
        if self._attending is None:
            self._tried.clear()
            self._stands(UplinkState.ABSENT, self._missing())
            self._attending = asyncio.create_task(self._attend())
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._tried.wait()

    def close(self) -> None:
        """Ask nothing from now on; `stop` does the rest."""
        self._on = False

    async def stop(self, *, uplink: bool) -> None:
        """Connect no more; with `uplink`, stop that as well."""
        self.close()
        attending, self._attending = self._attending, None
        self._stands(UplinkState.OFF, OFF)
        if uplink and self._stub:
            with suppress(grpc.aio.AioRpcError):  # one that is gone has stopped
                await self._stub.StopUplink(StopUplinkRequest(), timeout=STOP_SECONDS)
        if attending:
            attending.cancel()
            await asyncio.gather(attending, return_exceptions=True)

    async def ask(self, question: Question) -> list[Ranked]:
        """The paths of a lattice in the re-ranker's order.

        Raises TimeoutError when it is late, DeviceError, RequestError for an answer that is none.
        """
        stub, lattice = self._stub, question.result.lattice
        if stub is None:
            raise DeviceError(self.standing.about)
        packed = await asyncio.to_thread(self._packed, lattice)
        request = RescoreRequest(parcel=packed.parcel, n_best=PATHS, debias=self._debias)
        asked = ForwardRequest(
            utterance=question.utterance, version=question.version, request=request
        )
        try:
            answer = await stub.Forward(asked, timeout=question.seconds)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                raise TimeoutError from error
            about = error.details() or error.code().name
            if about in OTHER_LIST and self._numbered.words:
                self._numbered = WordList()
                logger.info("the re-ranker has another list of words; they are spelt from now on")
            raise DeviceError(about) from error
        return checked(lattice, packed.arcs, answer.response.paths)

    def _packed(self, lattice: Lattice) -> Packed:
        """What leaves of a lattice. Raises RequestError, LimitError."""
        shown = masked(lattice, self._known) if self._hide else lattice
        return pack(shown, self._numbered, self._parcel)

    async def _attend(self) -> None:
        """Attend the uplink, and try again whenever that ends; for ever."""
        self._known = self._numbered = await asyncio.to_thread(_ready, self._words_of)
        pause = FIRST_PAUSE
        while True:
            if self.place.exists():
                began = time.monotonic()
                await self._attend_once()
                if time.monotonic() - began > LONGEST_PAUSE:
                    pause = FIRST_PAUSE
            self._stands(UplinkState.ABSENT, self._missing())
            self._tried.set()
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _attend_once(self) -> None:
        """Attend the uplink until it is gone."""
        limit = ("grpc.max_receive_message_length", MOST_BYTES)
        target = f"unix:{self.place.absolute()}"
        async with grpc.aio.insecure_channel(target, options=[limit]) as channel:
            stub = UplinkStub(channel)  # type: ignore[no-untyped-call]
            try:
                async for now in stub.Attend(AttendRequest()):
                    self._stub = stub
                    state = UplinkState.READY if now.reachable else UplinkState.UNREACHABLE
                    self._stands(state, now.about)
                    self._tried.set()
            except grpc.aio.AioRpcError as error:
                logger.debug("the uplink: %s", error.details())
            finally:
                self._stub = None

    def _missing(self) -> str:
        return f"no uplink answers at {self.place}"

    def _stands(self, state: UplinkState, about: str) -> None:
        """Take note of a change, and log it."""
        if (found := Standing(state, about)) != self.standing:
            if state is not self.standing.state:
                logger.info("re-ranking is %s: %s", state, about)
            self.standing = found


def _ready(words: Callable[[], WordList]) -> WordList:
    """Make the list, and all that takes a while."""
    found = words()
    _ = found.fingerprint, found.table  # made when they are first asked for
    return found
