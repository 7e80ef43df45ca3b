"""The service Playback: gRPC ⇄ player."""

from pathlib import Path

import grpc
from google.protobuf.duration_pb2 import Duration

from earshot.answering import answered
from earshot.generated.v1 import playback_pb2 as pb
from earshot.generated.v1.playback_pb2_grpc import PlaybackServicer
from earshot.playback.audio import BLOCK_SECONDS
from earshot.playback.player import Player, Standing, State
from earshot.playback.settings import Tone
from earshot.playback.stream import Programme
from earshot.playback.tap import Tap

Context = grpc.aio.ServicerContext[object, object]

STATES = {
    State.IDLE: pb.PLAYBACK_STATE_IDLE,
    State.PLAYING: pb.PLAYBACK_STATE_PLAYING,
    State.PAUSED: pb.PLAYBACK_STATE_PAUSED,
    State.WAITING: pb.PLAYBACK_STATE_WAITING,
}


class PlaybackApi(PlaybackServicer):
    """The service Playback."""

    def __init__(self, player: Player, tap: Tap, priority: str) -> None:
        self._player, self._tap, self._priority = player, tap, priority

    async def Play(self, request: pb.PlayRequest, context: Context) -> pb.PlayResponse:  # noqa: N802
        """Play."""
        async with answered(context):
            programme = Programme(
                tuple(map(Path, request.files)),
                request.gain_db,
                request.loop,
                request.streams or 1,
                Tone(request.tone.bass_db, request.tone.middle_db, request.tone.treble_db),
                request.silent,
            )
            files, problems = await self._player.play(programme)
        return pb.PlayResponse(files=files, problems=problems)

    async def Stop(self, request: pb.StopRequest, context: Context) -> pb.StopResponse:  # noqa: N802
        """Fade out, and forget the files."""
        del request, context
        self._player.stop()
        return pb.StopResponse()

    async def Pause(self, request: pb.PauseRequest, context: Context) -> pb.PauseResponse:  # noqa: N802
        """Fade out, and stay."""
        del request, context
        self._player.pause()
        return pb.PauseResponse()

    async def Resume(self, request: pb.ResumeRequest, context: Context) -> pb.ResumeResponse:  # noqa: N802
        """Go on."""
        del request, context
        self._player.resume()
        return pb.ResumeResponse()

    async def GetPlaybackStatus(  # noqa: N802
        self, request: pb.GetPlaybackStatusRequest, context: Context
    ) -> pb.GetPlaybackStatusResponse:
        """Tell how it stands."""
        del request, context
        found = self._player.standing
        readers = pb.ReferenceReaders(readers=self._tap.readers, lost_blocks=self._tap.lost)
        return pb.GetPlaybackStatusResponse(
            state=STATES[found.state],
            output=found.output,
            playing=found.playing,
            ducked=found.ducked,
            priority=self._priority,
            problems=found.problems,
            punctuality=punctuality(found),
            reference=readers,
        )


def punctuality(found: Standing) -> pb.Punctuality:
    """Counts as a message."""
    counts = found.counts
    return pb.Punctuality(
        blocks=counts.blocks,
        block=lasting(BLOCK_SECONDS),
        slack=lasting(counts.slack),
        xruns=counts.xruns,
        longest_run=counts.longest_run,
        underruns=counts.underruns,
        missed=lasting(counts.missed),
        starved=found.starved,
        lateness_p50=lasting(counts.p50),
        lateness_p99=lasting(counts.p99),
        lateness_p999=lasting(counts.p999),
        lateness_max=lasting(counts.most),
    )


def lasting(seconds: float) -> Duration:
    """Seconds as a message."""
    found = Duration()
    found.FromNanoseconds(round(seconds * 1e9))
    return found
