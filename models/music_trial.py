"""One way of hearing commands: with or without music, on some cores, beside busy processes."""

import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from earshot.client import connected, status
from earshot.events import Committed, EndPoint, Event, Partial, Retracted, Revised, SpeechStarted
from earshot.generated.v1 import playback_pb2
from earshot.playback.client import status_of
from earshot.units import seconds

from models.music_run import PIECE, Place, Recogniser, cpu_seconds, hogs, music, recogniser
from models.music_speech import Track, silence
from models.score import edits, rate
from models.texts import words_of

SETTLE = 2.0  # seconds that are not counted: threads start, caches fill
ANSWERS = (Partial, EndPoint, Revised, Retracted, Committed)  # what a client waits for


@dataclass(frozen=True, slots=True)
class Way:
    """How commands are heard."""

    name: str
    cores: tuple[int, ...]
    music: bool = True
    usual: bool = False
    """with the usual defaults of onnxruntime and the scheduler"""
    hogs: int = 0
    pulse: bool = False
    """play to a sound server, not to the pretended output"""


@dataclass(frozen=True, slots=True)
class Load:
    """What is the same for all ways."""

    track: Track
    songs: Sequence[Path]
    streams: int
    bundle: str
    silent_seconds: float


@dataclass
class Outcome:
    """What became of a way: figures, and the delays they are made of, in milliseconds."""

    figures: dict[str, float]
    delays: list[float]
    errors: list[int] = field(default_factory=list)


def measure(way: Way, load: Load, environment: dict[str, str] | None = None) -> Outcome:
    """Hear all commands of the track one way."""
    with tempfile.TemporaryDirectory(prefix="e") as folder, ExitStack() as stack:
        module = "models.usual" if way.usual else "earshot"
        place = Place(Path(folder), way.cores, module, environment)
        stack.enter_context(hogs(place, way.hogs))
        player = stack.enter_context(_music(place, way, load)) if way.music else None
        daemon = stack.enter_context(recogniser(place, load.bundle))
        silent = _listening(daemon, load.silent_seconds)
        began, spent = time.monotonic(), _spent(daemon, player)
        for slot in load.track.audio():
            daemon.say(slot)
        took = time.monotonic() - began
        used = [after - before for after, before in zip(_spent(daemon, player), spent, strict=True)]
        daemon.until_heard(seconds(PIECE * len(daemon.sent)))
        time.sleep(SETTLE / 4)  # for the last events
        outcome = _outcome(daemon, load, silent)
        share = used[0] - silent / 100 * (took - load.track.speech_seconds)
        outcome.figures["speech_cpu_percent"] = 100 * share / load.track.speech_seconds
        outcome.figures["recogniser_cpu_percent"] = 100 * used[0] / took
        if player is not None:
            outcome.figures["player_cpu_percent"] = 100 * used[1] / took
            outcome.figures |= punctuality(status_of(place.player).punctuality)
        return outcome


def _music(place: Place, way: Way, load: Load) -> AbstractContextManager[int]:
    """Music as the way has it."""
    options: list[str] = ["--null"]
    if way.pulse:
        config = place.folder / "player.toml"
        config.write_text('[playback]\ndevice = "pulse"\n', encoding="utf8")
        options = ["--config", str(config)]
    return music(place, load.songs, load.streams, *options)


def _spent(daemon: Recogniser, player: int | None) -> list[float]:
    """CPU seconds so far: of the daemon, of the player."""
    return [cpu_seconds(process) for process in (daemon.process.pid, player) if process]


def _listening(daemon: Recogniser, length: float) -> float:
    """Listen to silence; percent of a core that it takes."""
    daemon.say(silence(SETTLE))
    before, began = cpu_seconds(daemon.process.pid), time.monotonic()
    daemon.say(silence(length))
    return 100 * (cpu_seconds(daemon.process.pid) - before) / (time.monotonic() - began)


def _outcome(daemon: Recogniser, load: Load, silent: float) -> Outcome:
    """Delays, errors and losses."""
    late = delays(daemon)
    first = round((SETTLE + load.silent_seconds) * 16_000)
    given = understood([event for _, event in daemon.events], first, load.track)
    wanted = [task.text.split() for task in load.track.slots]
    errors = [edits(want, got) for want, got in zip(wanted, given, strict=True)]
    wer, low, high = rate(errors, [len(words) for words in wanted])
    with connected(daemon.place.daemon) as channel:
        counters = status(channel).counters
    figures = {
        f"delay_p{q}_ms": float(np.percentile(late, q)) if late else 0.0 for q in (50, 95, 99)
    }
    figures |= {"delay_max_ms": max(late, default=0.0), "events": float(len(late))}
    figures |= {"wer": wer, "wer_low": low, "wer_high": high, "silence_cpu_percent": silent}
    figures |= {"lost_ms": counters.dropped_samples / 16.0}
    figures |= {"utterances": float(counters.utterances), "committed": float(counters.committed)}
    return Outcome(figures, late, errors)


def delays(daemon: Recogniser) -> list[float]:
    """How long after the audio it speaks about each event came, in milliseconds."""
    found = []
    for came, event in daemon.events:
        piece = -(-event.at // PIECE) - 1
        if isinstance(event, ANSWERS) and 0 <= piece < len(daemon.sent):
            found.append(1_000 * (came - daemon.sent[piece]))
    return found


def understood(events: Sequence[Event], first: int, track: Track) -> list[list[str]]:
    """The committed words of each slot; `first` is the sample at which the first begins."""
    found: list[list[str]] = [[] for _ in track.slots]
    starts, texts = dict[int, int](), dict[int, str]()
    for event in events:
        match event:
            case SpeechStarted():
                starts[event.utterance] = event.start
            case EndPoint() | Revised():
                texts[event.utterance] = event.result.text
            case Committed():
                slot = (starts.get(event.utterance, -1) - first) // track.slot
                if 0 <= slot < len(found):
                    found[slot] += words_of(texts.get(event.utterance, ""))
            case _:
                pass
    return found


def punctuality(counts: playback_pb2.Punctuality) -> dict[str, float]:
    """Figures of the player."""
    names = ("blocks", "xruns", "longest_run", "underruns", "starved")
    found = {name: float(getattr(counts, name)) for name in names}
    found["missed_ms"] = counts.missed.ToNanoseconds() / 1e6
    for quantile in ("p50", "p99", "p999", "max"):
        lateness = getattr(counts, f"lateness_{quantile}").ToNanoseconds()
        found[f"lateness_{quantile}_ms"] = lateness / 1e6
    return found
