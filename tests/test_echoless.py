"""The remover between a source and those who hear it: in order, at its place, and with files."""

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from earshot import compose
from earshot.__main__ import main
from earshot.config import Settings
from earshot.devices import MicrophoneSettings
from earshot.echo import OFF, EchoSettings
from earshot.echoless import Echoless, same_rate, without_echo
from earshot.errors import AudioError
from earshot.events import AudioDropped, SourceChanged
from earshot.generated.v1 import playback_pb2, status_pb2
from earshot.microphone import Microphone
from earshot.playback.client import player_at
from earshot.reference import Played
from earshot.sources import Attentive, AudioFile, Chunk, Item, RawInput
from earshot.tape import NANOSECONDS
from earshot.units import SAMPLE_RATE

from tests.echo_path import Samples, blocks_of, echo_of, joined, music, weaker
from tests.player_process import player
from tests.processes import ROOT, process
from tests.sound_server import NoSoundServer, SoundServer, sound_server

RECORDING = ROOT / "daemon" / "earshot" / "assets" / "recording.flac"


class Script:
    """A source that gives what it is told."""

    description, live = "script", True

    def __init__(self, items: Sequence[Item]) -> None:
        self._items, self.closed = items, False
        self.heard = 0

    def __iter__(self) -> Iterator[Item]:
        for item in self._items:
            if isinstance(item, Chunk):
                self.heard = item.first + len(item.samples)
            yield item

    def close(self) -> None:
        self.closed = True


class Deaf(Script):
    """One with a device."""

    def __init__(self, items: Sequence[Item]) -> None:
        super().__init__(items)
        self.muted = self.speaking = False

    def mute(self) -> bool:
        self.muted = True
        return False

    def unmute(self) -> None:
        self.muted = False

    def attend(self, *, speaking: bool) -> None:
        self.speaking = speaking


class Player:
    """Tells what it plays, as far as the source has come."""

    def __init__(self, blocks: Sequence[Played], source: Script) -> None:
        self._blocks, self._source, self.closed = list(blocks), source, False

    def take(self) -> list[Played]:
        now = (self._source.heard + 3_200) * NANOSECONDS
        found = list(itertools.takewhile(lambda block: block.time < now, self._blocks))
        self._blocks = self._blocks[len(found) :]
        return found

    def close(self) -> None:
        self.closed = True


def chunks(heard: Samples, first: int = 0) -> list[Chunk]:
    return [Chunk(first + at, heard[at : at + 1_280]) for at in range(0, len(heard), 1_280)]


def heard_through(items: Sequence[Item], played: Samples) -> tuple[list[Item], Player]:
    source = Script(items)
    told = Player(blocks_of(played), source)
    return list(Echoless(source, told, lambda: source.heard * NANOSECONDS)), told


def test_all_that_the_source_gives_comes_in_its_order_and_at_its_place() -> None:
    played = music(4)
    echo = echo_of(played)
    lost = 2 * SAMPLE_RATE + 500
    begin, gap = SourceChanged(0, ready=True, description="x"), AudioDropped(lost, 700, 700)
    items: list[Item] = [begin, *chunks(echo[:lost]), gap, *chunks(echo[lost + 700 :], lost + 700)]
    found, told = heard_through(items, played)
    assert found[0] == begin
    at = found.index(gap)
    before = joined([item for item in found[:at] if isinstance(item, Chunk)])
    after = [item for item in found[at:] if isinstance(item, Chunk)]
    assert len(before) == lost
    assert after[0].first == lost + 700
    assert len(joined(after)) == len(echo) - lost - 700
    assert weaker(echo, before, 1.5, 2) > 20
    assert told.closed


def test_what_an_echo_was_taken_out_of_says_so() -> None:
    played = music(2)
    heard = np.pad(echo_of(played), (0, 2 * SAMPLE_RATE))
    found, _ = heard_through(chunks(heard), played)
    cleaned = [item.cleaned for item in found if isinstance(item, Chunk)]
    assert cleaned[0]
    assert not cleaned[-1]
    assert sorted(cleaned, reverse=True) == cleaned, "first all that has an echo, then the rest"


def test_without_a_player_the_chunks_pass_as_they_are() -> None:
    items = chunks(music(1))
    found, _ = heard_through(items, np.zeros(0, np.float32))
    assert all(one is other for one, other in zip(found, items, strict=True))


def test_it_is_closed_and_muted_as_its_source_is() -> None:
    source = Deaf([])
    echoless = Echoless(source, Player([], source))
    assert (echoless.live, echoless.description) == (True, "script")
    assert isinstance(echoless, Attentive)
    echoless.attend(speaking=True)
    assert source.speaking
    assert not echoless.mute()
    assert source.muted
    echoless.unmute()
    assert not source.muted
    echoless.close()
    assert source.closed
    plain = Script([])
    assert Echoless(plain, Player([], plain)).mute()


def test_only_a_microphone_has_our_own_echo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    settings = Settings()
    microphone = Microphone(settings.microphone, muted=True)
    assert isinstance(compose.without_own_echo(microphone, settings), Echoless)
    off = Settings(echo=EchoSettings(OFF))
    assert compose.without_own_echo(microphone, off) is microphone
    served = Settings(microphone=MicrophoneSettings(device="echo-cancel"))
    assert compose.without_own_echo(microphone, served) is microphone
    file = AudioFile(RECORDING)
    assert compose.without_own_echo(file, settings) is file
    file.close()
    raw = RawInput(sys.stdin.buffer)
    assert compose.without_own_echo(raw, settings) is raw


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Speech under music that is as loud, and the music alone."""
    folder = tmp_path_factory.mktemp("echo")
    speech, rate = soundfile.read(RECORDING, dtype="float32")
    assert rate == SAMPLE_RATE
    before = 3 * SAMPLE_RATE
    speech = np.pad(speech, (before, SAMPLE_RATE))
    played = music(len(speech) / SAMPLE_RATE)
    echo = echo_of(played)
    echo *= np.float32(np.std(speech[before:]) / np.std(echo))
    both = np.stack([speech + echo, speech, played]) * np.float32(0.5)
    for name, samples in zip(("heard", "speech", "played"), both, strict=True):
        soundfile.write(folder / f"{name}.flac", samples, rate)
    soundfile.write(folder / "short.flac", played[: 2 * rate], rate)
    soundfile.write(folder / "slow.flac", played[::2], rate // 2)
    return folder


def test_the_echo_in_a_recording_is_taken_out(files: Path) -> None:
    found = without_echo(AudioFile(files / "heard.flac"), files / "played.flac")
    left = joined([item for item in found if isinstance(item, Chunk)])
    speech, _ = soundfile.read(files / "speech.flac", dtype="float32")
    heard, _ = soundfile.read(files / "heard.flac", dtype="float32")
    assert len(left) == len(heard)
    seconds = len(left) / SAMPLE_RATE
    assert weaker(heard - speech, left - speech, 3, seconds) > 10


def test_a_reference_that_does_not_fit_is_refused(files: Path) -> None:
    with pytest.raises(AudioError, match=r"short\.flac: 2\.0 s long, but the recording"):
        list(without_echo(AudioFile(files / "heard.flac"), files / "short.flac"))
    with pytest.raises(AudioError, match="8000 Hz, but the recording has 16000 Hz"):
        same_rate(files / "heard.flac", files / "slow.flac")
    with pytest.raises(AudioError, match=r"none\.flac: no such file"):
        same_rate(files / "heard.flac", files / "none.flac")


def test_the_command_takes_a_reference(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = compose.load_engine("en")
    monkeypatch.setattr("earshot.commands.transcribe.load_engine", lambda _: engine)
    heard, played = str(files / "heard.flac"), str(files / "played.flac")
    texts = list[set[str]]()
    for more in ([str(files / "speech.flac")], [heard], ["--reference", played, heard]):
        assert main(["transcribe", "--json", *more]) == 0
        texts.append(set(json.loads(capsys.readouterr().out)["text"].split()))
    quiet, loud, left = texts
    assert len(quiet & left) > len(quiet & loud)
    assert main(["transcribe", "--reference", str(files / "slow.flac"), heard]) == 1
    assert "8000 Hz" in capsys.readouterr().err
    assert main(["transcribe", "--reference", played, heard, heard]) == 1
    told = capsys.readouterr().err
    assert "--reference belongs to one recording; give one file" in told


@pytest.mark.microphone
def test_what_a_real_player_plays_is_taken_out_of_a_real_microphone(tmp_path: Path) -> None:
    song = tmp_path / "song.flac"
    soundfile.write(song, music(20), SAMPLE_RATE)
    try:
        with (
            sound_server() as server,
            player(settings='device = "pulse"', environment=server.environment) as found,
        ):
            found.play(song, loop=True)
            found.until_it_plays(50)
            command = [sys.executable, "-m", "tests.echo_process", str(found.reference), "8"]
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=server.environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=True,
            )
    except NoSoundServer as reason:
        pytest.skip(str(reason))
    heard, left = json.loads(done.stdout)
    assert len(heard) == len(left)
    # A machine that is busy makes the sound server stumble; then the echo is lost for a moment.
    assert max(one - other for one, other in zip(heard, left, strict=True)) > 20


@pytest.mark.microphone
def test_the_status_tells_when_what_a_real_player_plays_is_taken_out(
    server: SoundServer, folder: Path
) -> None:
    song, config = folder / "song.flac", folder / "earshot.toml"
    soundfile.write(song, music(20), SAMPLE_RATE)
    config.write_text('[microphone]\ndevice = "pulse"\n', encoding="utf-8")
    hear = ("tests.fake_daemon", "0", "--source", "mic", "--config", str(config))
    place, environment = folder / "earshot.sock", server.environment
    with (
        player(settings='device = "pulse"', environment=environment, folder=folder) as found,
        process(*hear, path=place, environment=environment) as house,
    ):
        waiting = house.until(lambda answer: answer.ready)
        assert waiting.echo_removal == status_pb2.ECHO_REMOVAL_WAITING
        found.play(song, loop=True)
        house.until(lambda answer: answer.echo_removal == status_pb2.ECHO_REMOVAL_ACTIVE)
        with player_at(found.place) as stub:
            stub.Stop(playback_pb2.StopRequest())
        house.until(lambda answer: answer.echo_removal == status_pb2.ECHO_REMOVAL_WAITING)
