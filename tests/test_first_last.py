"""First and last words are not lost: short commands with nothing before and nothing behind them."""

from pathlib import Path

import numpy as np
import pytest
from earshot.bundle import open_bundle
from earshot.effort import Effort
from earshot.endpointers import EndPointSettings
from earshot.engine import Engine
from earshot.events import EndPoint, Event, SpeechStarted
from earshot.lattice import EMPTY
from earshot.recogniser import Recogniser
from earshot.units import SAMPLE_RATE, VAD_FRAME
from earshot.vad import VadSettings

from tests.contract import Samples
from tests.recordings import Recording, recordings

SHIPPED = Path(__file__).parent.parent / "models" / "bundles" / "en"
AROUND = 0.5  # seconds of low noise before and after, to compare with
# The network is small, and hears a word a little differently at its cold start and after noise.
# With the first weights that shipped, 4 of the 18 recordings are not the same at the ends, and 54
# words are heard instead of 56.
MOST_DIFFERENT = 0.35
LEAST_WORDS = 0.9  # of those heard with noise around


class Listener:
    """In the place of an utterance: keeps all that it is given."""

    def __init__(self, start: int) -> None:
        self.start, self.last_token, self.spoken = start, start, False
        self.samples: Samples = np.zeros(0, np.float32)

    def accept(self, samples: Samples) -> bool:
        self.samples = np.concatenate([self.samples, samples])
        self.last_token = self.start + len(self.samples)  # so that only silence ends it
        return False

    def effort(self, _effort: Effort) -> None:
        """It has none to save."""

    def speaks(self, _samples: Samples) -> None:
        """Nor what comes after it."""

    def evidence(self) -> None:
        """No network tells of the end."""

    def finish(self) -> object:
        return EMPTY


def listened(audio: Samples) -> tuple[list[Listener], list[Event]]:
    """What the gate lets through of a recording, utterance by utterance."""
    listeners: list[Listener] = []

    def begin(start: int) -> Listener:
        listeners.append(Listener(start))
        return listeners[-1]

    recogniser = Recogniser(begin, VadSettings(), EndPointSettings())  # type: ignore[arg-type]
    return listeners, recogniser.accept(audio) + recogniser.finish()


def low_noise(seconds: float) -> Samples:
    white = np.random.default_rng(1).standard_normal(round(seconds * SAMPLE_RATE))
    return (white * 10 ** (-66 / 20)).astype(np.float32)


@pytest.mark.parametrize("spoken", recordings(), ids=lambda r: r.path.stem)
def test_no_sample_of_a_command_is_missing_where_nothing_is_around_it(spoken: Recording) -> None:
    audio = spoken.speech()
    listeners, events = listened(audio)
    assert isinstance(events[0], SpeechStarted)
    assert events[0].start == 0
    heard = listeners[0].samples
    assert heard[: len(audio)].tolist() == audio.tolist()
    assert len(audio) <= len(heard) < len(audio) + VAD_FRAME


@pytest.mark.parametrize("spoken", recordings(), ids=lambda r: r.path.stem)
def test_what_an_utterance_hears_is_the_audio_from_its_start_on(spoken: Recording) -> None:
    audio = np.concatenate([low_noise(2.0), spoken.samples(), low_noise(3.0), spoken.samples()])
    listeners, events = listened(audio)
    starts = [event.start for event in events if isinstance(event, SpeechStarted)]
    assert starts == [listener.start for listener in listeners]
    audio = np.pad(audio, (0, VAD_FRAME))
    for one, following in zip(listeners, [*listeners[1:], None], strict=True):
        end = one.start + len(one.samples)
        assert one.samples.tolist() == audio[one.start : end].tolist()
        assert following is None or following.start >= end


def test_half_a_word_at_the_very_end_is_still_heard() -> None:
    audio = np.concatenate([low_noise(2.0), recordings()[1].speech()[: 2 * VAD_FRAME]])
    listeners, _ = listened(audio)
    assert listeners
    assert listeners[-1].start + len(listeners[-1].samples) >= len(audio)


def words(engine: Engine, audio: Samples) -> list[str]:
    recogniser = engine.recogniser()
    events = recogniser.accept(audio) + recogniser.finish()
    points = [event for event in events if isinstance(event, EndPoint)]
    return [word.text for point in points for word in point.result.words]


def test_commands_without_lead_in_and_tail_keep_their_first_and_last_words() -> None:
    if not SHIPPED.exists():
        pytest.skip("no bundle is shipped")
    engine, around = Engine.open(open_bundle(SHIPPED)), low_noise(AROUND)
    spoken = [recording.speech() for recording in recordings()]
    bare = [words(engine, audio) for audio in spoken]
    padded = [words(engine, np.concatenate([around, audio, around])) for audio in spoken]
    different = sum(
        (one[:1], one[-1:], len(one)) != (other[:1], other[-1:], len(other))
        for one, other in zip(bare, padded, strict=True)
    )
    assert different <= MOST_DIFFERENT * len(spoken), f"{different} of {len(spoken)}"
    assert sum(map(len, bare)) >= LEAST_WORDS * sum(map(len, padded))
