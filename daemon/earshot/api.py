"""gRPC ⇄ events. Decides nothing: others say yes or raise, and here that becomes a status."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import grpc
from google.protobuf.duration_pb2 import Duration

from earshot.answering import answered
from earshot.asked import Asked
from earshot.asked_message import asked_of, format_of
from earshot.assist_message import assist_message
from earshot.convert import ECHOES, MODES, MODES_BACK, duration, to_message, wanted
from earshot.errors import EarshotError, LimitError, RequestError
from earshot.generated.v1 import privacy_pb2, recognition_pb2, status_pb2
from earshot.generated.v1.privacy_pb2_grpc import PrivacyServicer
from earshot.generated.v1.recognition_pb2_grpc import RecognitionServicer
from earshot.generated.v1.status_pb2_grpc import StatusServicer
from earshot.mode import ModeSwitch, Switches
from earshot.outbox import Outbox
from earshot.place import refuse_network
from earshot.pushed import PushedAudio
from earshot.session import Session
from earshot.sessions import Sessions
from earshot.tally import Histogram, Tally
from earshot.units import seconds

Requests = AsyncIterator[recognition_pb2.RecognizeRequest]
Response = recognition_pb2.ListenResponse | recognition_pb2.RecognizeResponse
Context = grpc.aio.ServicerContext[object, Response]

_STREAM, _WAIT = "audio of one call", "waiting for the client to read"
# gRPC ends the requests of a cancelled call as it ends those of one that is done, and may tell only
# then which it was. What is cancelled within this time of the end is not committed.
_CANCELLED_WITHIN = 0.02  # seconds


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Where the API is offered, and its limits."""

    socket: Path | None = None
    """the Unix socket; without it, earshot/earshot.sock in the runtime directory"""
    message_bytes: int = 1 << 20
    """a message of a client: half a minute of 16-bit audio at 16 kHz"""
    stream_seconds: float = 3_600.0
    """audio in one call of Recognize"""
    config_seconds: float = 10.0
    """how long a client may take to send its config"""
    write_seconds: float = 10.0
    """how long a client may leave an event unread before it is disconnected"""
    group: str | None = None
    """Unix group whose members may use the socket, beside its owner"""

    def __post_init__(self) -> None:
        """Raise SettingsError for a socket that is none."""
        if self.socket:
            refuse_network(self.socket)


@dataclass(frozen=True, slots=True)
class About:
    """What does not change while the daemon runs."""

    bundle: str
    version: str
    sandboxed: bool
    started: float  # time.monotonic()
    sandbox_reason: str = ""
    """why not, where it is not sandboxed"""


class RecognitionApi(RecognitionServicer):
    """The service Recognition."""

    def __init__(self, sessions: Sessions, settings: ApiSettings) -> None:
        self._sessions, self._settings = sessions, settings

    async def Listen(self, request: recognition_pb2.ListenRequest, context: Context) -> None:  # noqa: N802
        """Follow the source."""
        async with answered(context):
            with self._sessions.listen() as outbox:
                await self._deliver(outbox, request.filter, recognition_pb2.ListenResponse, context)

    async def Recognize(self, requests: Requests, context: Context) -> None:  # noqa: N802
        """Hear the audio of the client."""
        async with answered(context):
            with self._sessions.recognise() as (session, outbox):
                config = await self._config(requests)
                audio = PushedAudio(format_of(config))
                if (asked := asked_of(config)) != Asked():
                    await self._sessions.attune(session, asked)
                hearing = asyncio.create_task(self._hear(requests, audio, session, outbox))
                try:
                    response = recognition_pb2.RecognizeResponse
                    await self._deliver(outbox, config.filter, response, context)
                    await hearing  # whatever it did not expect is raised here
                finally:
                    hearing.cancel()
                    with suppress(asyncio.CancelledError):
                        await hearing

    async def _config(self, requests: Requests) -> recognition_pb2.RecognizeConfig:
        """Read the first message, which must be the config."""
        try:
            async with asyncio.timeout(self._settings.config_seconds):
                first = await anext(requests, None)
        except TimeoutError:
            first = None
        if first is None or first.WhichOneof("request") != "config":
            message = "the first message must hold the config; send it, then the audio"
            raise RequestError(message)
        return first.config

    async def _hear(
        self, requests: Requests, audio: PushedAudio, session: Session, outbox: Outbox
    ) -> None:
        """Hear the client to its end; what was said until an error is committed before it."""
        failure: EarshotError | None = None
        limit = self._settings.stream_seconds
        try:
            try:
                async for request in requests:
                    await session.hear(audio.accept(_audio(request)))
                    if (heard := seconds(session.position)) > limit:
                        raise LimitError(_STREAM, heard, limit, "seconds")
                await asyncio.sleep(_CANCELLED_WITHIN)
                await session.hear(audio.finish())
            except EarshotError as error:
                failure = error
            await session.finish()
        finally:
            outbox.close(failure)

    async def _deliver(
        self,
        outbox: Outbox,
        wish: recognition_pb2.Filter,
        response: Callable[..., Response],
        context: Context,
    ) -> None:
        """Write the events that the client wishes, until there are no more."""
        async for event in outbox:
            if wanted(event, wish):
                await self._write(response(event=to_message(event, wish)), context, outbox)

    async def _write(self, message: Response, context: Context, outbox: Outbox) -> None:
        limit = self._settings.write_seconds
        try:
            async with asyncio.timeout(limit):
                await context.write(message)
        except TimeoutError:
            outbox.unread = True
            raise LimitError(_WAIT, limit, limit, "seconds") from None


def _audio(request: recognition_pb2.RecognizeRequest) -> bytes:
    if request.WhichOneof("request") != "audio":
        message = "every message after the first must hold audio; the config is sent once"
        raise RequestError(message)
    return request.audio


class PrivacyApi(PrivacyServicer):
    """The service Privacy."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches

    async def SetMuted(  # noqa: N802
        self, request: privacy_pb2.SetMutedRequest, context: Context
    ) -> privacy_pb2.SetMutedResponse:
        """Mute or unmute."""
        async with answered(context):
            answer = await self._switches.mute.set(muted=request.muted)
        return privacy_pb2.SetMutedResponse(**answer._asdict())

    async def SetMode(  # noqa: N802
        self, request: privacy_pb2.SetModeRequest, context: Context
    ) -> privacy_pb2.SetModeResponse:
        """Decide what may leave the device."""
        async with answered(context):
            if request.mode not in MODES_BACK:
                message = f"mode {request.mode} is none that is known here; see Mode"
                raise RequestError(message)
            answer = await self._switches.mode.set(MODES_BACK[request.mode])
        return privacy_pb2.SetModeResponse(
            mode=MODES[answer.mode], lasting=answer.lasting, notes=answer.notes
        )


class StatusApi(StatusServicer):
    """The service Status."""

    def __init__(self, sessions: Sessions, about: About, mode: ModeSwitch) -> None:
        self._sessions, self._about, self._mode = sessions, about, mode

    async def GetStatus(  # noqa: N802
        self, request: status_pb2.GetStatusRequest, context: Context
    ) -> status_pb2.GetStatusResponse:
        """Tell how the daemon stands."""
        del request, context
        return self.answer()

    def answer(self) -> status_pb2.GetStatusResponse:
        """How the daemon stands."""
        about = self._about
        uptime = Duration()
        uptime.FromNanoseconds(round((time.monotonic() - about.started) * 1e9))
        sandbox = status_pb2.SANDBOX_ENFORCED if about.sandboxed else status_pb2.SANDBOX_NONE
        return status_pb2.GetStatusResponse(
            ready=self._sessions.ready,
            mode=MODES[self._mode.mode],
            assist=assist_message(self._mode),
            muted=self._sessions.source.muted,
            sandbox=sandbox,
            sandbox_reason=about.sandbox_reason,
            bundle=status_pb2.BundleName(name=about.bundle, version=about.version),
            source=self._sessions.source.description,
            echo_removal=ECHOES[self._sessions.source.echo],
            uptime=uptime,
            counters=self._counters(),
            load=self._load(),
            latencies=_latencies(self._sessions.tally),
        )

    def _load(self) -> status_pb2.Load:
        load = self._sessions.governor
        return status_pb2.Load(
            level=load.level, name=load.effort.name, queue_ms=round(load.queue_ms), share=load.share
        )

    def _counters(self) -> status_pb2.Counters:
        tally, clients = self._sessions.tally, self._sessions.clients
        return status_pb2.Counters(
            heard=duration(self._sessions.heard),
            utterances=tally.utterances,
            committed=tally.committed,
            cancelled=tally.cancelled,
            dropped_samples=tally.dropped,
            clients=clients.now,
            clients_total=clients.total,
            clients_dropped=clients.dropped,
            load_changes=self._sessions.governor.changes,
        )


def _latencies(tally: Tally) -> status_pb2.Latencies:
    return status_pb2.Latencies(
        announced=_histogram(tally.announced),
        ended=_histogram(tally.ended),
        recognised=_histogram(tally.delayed),
    )


def _histogram(one: Histogram) -> status_pb2.Histogram:
    return status_pb2.Histogram(bounds=one.bounds, counts=one.counts, sum=one.total)
