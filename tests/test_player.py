"""The player as a process: the same tests where it plays to nobody, and to a sound server."""

import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from earshot import sandbox
from earshot.errors import DeviceError, RequestError
from earshot.generated.v1 import playback_pb2 as pb
from earshot.playback.client import player_at, status_of
from earshot.reference import BLOCK, BLOCK_MS
from earshot.units import SAMPLE_RATE
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.music import level, loudest, record, spoilt
from tests.player_process import PlayerProcess, collected, player
from tests.processes import PATIENCE
from tests.sound_server import NoSoundServer, SoundServer, sound_server

PULSE = 'device = "pulse"'


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("songs"), "tone.ogg", 10.0)


@pytest.fixture(
    scope="module", params=["null", pytest.param("pulse", marks=pytest.mark.microphone)]
)
def playing(request: pytest.FixtureRequest) -> Iterator[PlayerProcess]:
    """One player for all tests that leave it as they found it."""
    if request.param == "null":
        with player("--null") as found:
            yield found
        return
    try:
        with (
            sound_server() as server,
            player(settings=PULSE, environment=server.environment) as found,
        ):
            yield found
    except NoSoundServer as reason:
        pytest.skip(str(reason))


@pytest.fixture(autouse=True)
def stopped(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave nothing playing behind."""
    yield
    if "playing" in request.fixturenames:
        found: PlayerProcess = request.getfixturevalue("playing")
        stop(found)
        found.until(lambda s: s.state == pb.PLAYBACK_STATE_IDLE)


def stub(found: PlayerProcess, act: str, request: object) -> None:
    with player_at(found.place) as service:
        getattr(service, act)(request, timeout=PATIENCE)


def stop(found: PlayerProcess) -> None:
    stub(found, "Stop", pb.StopRequest())


def test_it_plays_and_whoever_wants_hears_what(playing: PlayerProcess, song: Path) -> None:
    assert playing.play(song, loop=True).files == 1
    status = playing.until_it_plays()
    assert list(status.playing) == ["tone.ogg"]
    blocks = collected(playing.reference, 60)
    heard = np.concatenate([block.samples for block in blocks[20:]])
    assert loudest(heard, SAMPLE_RATE) == pytest.approx(440, abs=5)
    assert level(heard) == pytest.approx(0.5 * 32_767 / np.sqrt(2), rel=0.05)


def test_blocks_of_the_reference_follow_each_other(playing: PlayerProcess, song: Path) -> None:
    playing.play(song, loop=True)
    playing.until_it_plays()
    before = playing.status().punctuality.underruns
    blocks = collected(playing.reference, 150)
    steps = np.diff([block.time for block in blocks]) / 1e6
    gaps = playing.status().punctuality.underruns - before
    assert all(len(block.samples) == BLOCK for block in blocks)
    # The clock of a real device is a little faster or slower, and is only looked at now and then.
    assert np.sum(np.abs(steps - BLOCK_MS) > 3.0) <= gaps
    ahead = blocks[-1].time / 1e9 - time.monotonic()
    assert -PATIENCE < ahead < 0.5


def test_it_counts_its_blocks_and_how_late_they_were(playing: PlayerProcess, song: Path) -> None:
    playing.play(song, loop=True, streams=3, gain_db=-6.0, tone=pb.Tone(bass_db=3.0))
    found = playing.until_it_plays(50)
    counts = found.punctuality
    times = [
        getattr(counts, f"lateness_{q}").ToNanoseconds() for q in ("p50", "p99", "p999", "max")
    ]
    assert times == sorted(times)
    assert counts.block.ToMilliseconds() == 20
    assert counts.slack.ToMilliseconds() >= 20
    assert counts.xruns <= counts.blocks
    assert len(found.playing) == 3
    assert found.priority


def test_pause_stop_and_resume(playing: PlayerProcess, song: Path) -> None:
    playing.play(song, loop=True)
    playing.until_it_plays()
    stub(playing, "Pause", pb.PauseRequest())
    playing.until(lambda s: s.state == pb.PLAYBACK_STATE_PAUSED)
    stub(playing, "Resume", pb.ResumeRequest())
    playing.until_it_plays()
    stop(playing)
    playing.until(lambda s: s.state == pb.PLAYBACK_STATE_IDLE and not s.playing)


def test_files_that_cannot_be_played_are_told(
    playing: PlayerProcess, song: Path, tmp_path: Path
) -> None:
    bad = spoilt(tmp_path / "bad")
    answer = playing.play(*bad, song, loop=True)
    assert answer.files == 1
    assert [str(path) in told for path, told in zip(bad, answer.problems, strict=True)]
    found = playing.until_it_plays()
    assert set(answer.problems) <= set(found.problems)
    with pytest.raises(RequestError, match=r"empty\.wav: is empty"):
        playing.play(*bad)
    playing.until_it_plays()  # what was playing plays on


def test_what_it_missed_while_stopped_is_counted(playing: PlayerProcess, song: Path) -> None:
    playing.play(song, loop=True)
    before = playing.until_it_plays().punctuality
    playing.signal(signal.SIGSTOP)
    time.sleep(0.6)
    playing.signal(signal.SIGCONT)
    counts = playing.until(lambda s: s.punctuality.underruns > before.underruns).punctuality
    assert counts.xruns > before.xruns
    assert (counts.missed.ToNanoseconds() - before.missed.ToNanoseconds()) / 1e9 > 0.2
    playing.until_it_plays()


def test_wrong_requests_are_refused_with_a_sentence(playing: PlayerProcess, song: Path) -> None:
    for asked, message in (
        ({"gain_db": 90.0}, "gain is 90 dB, but must be from -60 to 20"),
        ({"streams": 99}, "99 streams exceed the limit of 32 streams"),
        ({"tone": pb.Tone(treble_db=-90.0)}, "treble_db is -90"),
    ):
        with pytest.raises(RequestError, match=message):
            playing.play(song, **asked)


def test_its_sockets_are_of_owner_and_group_and_it_is_healthy(playing: PlayerProcess) -> None:
    for place in (playing.place, playing.reference):
        assert stat.S_IMODE(place.stat().st_mode) == 0o660
    with grpc.insecure_channel(f"unix:{playing.place}") as channel:
        request = health_pb2.HealthCheckRequest(service="earshot.v1.Playback")
        answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=PATIENCE)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_the_kernel_keeps_it_off_the_network(playing: PlayerProcess) -> None:
    try:
        sandbox.offered()
    except DeviceError as reason:
        pytest.skip(str(reason))
    facts = Path(f"/proc/{playing.process.pid}/status").read_text(encoding="utf-8")
    assert "\nSeccomp:\t2\n" in facts


def test_a_second_player_is_refused(playing: PlayerProcess) -> None:
    with pytest.raises(AssertionError), player(folder=playing.place.parent) as second:
        assert not second
    assert playing.status()


def test_a_signal_ends_it_with_a_fade_and_takes_its_sockets_away(song: Path) -> None:
    with player("--null", "--linger", "60") as found:
        found.play(song, loop=True)
        found.until_it_plays()
        code, told = found.end()
    assert code == 0
    assert "SIGTERM: stopping" in told
    assert "playback ends: " in told
    assert not found.place.exists()
    assert not found.reference.exists()
    with pytest.raises(DeviceError, match="no player answers"):
        status_of(found.place)


def test_with_nothing_to_play_it_may_end_by_itself() -> None:
    with player("--null", "--linger", "0.2") as found:
        assert found.process.wait(PATIENCE) == 0


def recorded(server: SoundServer, seconds: float) -> np.ndarray:
    """What is heard in the room."""
    command = ["parec", "--device=room.monitor", "--raw", "--format=s16le", "--channels=1"]
    command += [f"--rate={SAMPLE_RATE}"]
    size = 2 * round(seconds * SAMPLE_RATE)
    with subprocess.Popen(command, env=server.environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        data = process.stdout.read(size)
        process.kill()
    return np.frombuffer(data, "<i2")


@pytest.mark.microphone
def test_it_is_heard_and_goes_on_when_the_device_was_away_and_the_server_dead(song: Path) -> None:
    try:
        with (
            sound_server() as server,
            player(settings=PULSE, environment=server.environment) as found,
        ):
            found.play(song, loop=True)
            found.until_it_plays(50)
            if shutil.which("parec"):
                assert loudest(recorded(server, 1.0), SAMPLE_RATE) == pytest.approx(440, abs=3)
            found.play(song, loop=True, silent=True)
            found.until(lambda s: s.output.startswith("nowhere"))
            found.play(song, loop=True)
            found.until(lambda s: s.output.startswith("sound device"))
            found.until_it_plays()
            server.unplug()
            found.until(lambda s: s.state == pb.PLAYBACK_STATE_WAITING)
            server.plug()
            found.until_it_plays()
            server.stop()
            found.until(lambda s: s.state == pb.PLAYBACK_STATE_WAITING)
            server.start()
            found.until_it_plays()
            code, told = found.end()
    except NoSoundServer as reason:
        pytest.skip(str(reason))
    assert code == 0
    assert told.count("waiting for it") == 2
    assert told.count("is back") == 2
