"""The daemon as it ships: a real process with the real bundle, heard through a real socket."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from earshot.generated.v1 import recognition_pb2 as pb
from earshot.generated.v1.events_pb2 import Event

from tests.house import kinds, spoken
from tests.processes import PATIENCE, Daemon, channel, earshot, following, recognition, rest
from tests.recordings import Recording, recording

EVERYTHING = pb.Filter(partials=True, lattices=True)
ENDS = {"committed", "cancelled"}


def recognised(house: Daemon, said: Recording) -> list[Event]:
    """The events of a client that sends a recording as fast as it can."""
    with channel(house) as open_channel:
        requests = iter(spoken(said.samples()))
        answers = recognition(open_channel).Recognize(requests, timeout=2 * PATIENCE)
        return [answer.event for answer in answers]


def test_a_signal_in_the_middle_of_an_utterance_ends_it_and_leaves_nothing_behind() -> None:
    said = recording("librispeech_sentence1")
    with earshot("--source", str(said.path)) as d:
        with channel(d) as open_channel:
            call = following(open_channel)
            while next(call).event.WhichOneof("event") != "partial":
                pass
            code, out, err = d.end()
            events = kinds(rest(call))
        assert code == 0
        assert len(ENDS & set(events)) == 1
        assert events[-1] in ENDS
        assert call.code() is grpc.StatusCode.UNAVAILABLE
        assert not d.path.exists()
        assert "SIGTERM: stopping" in err
        assert out.count("speech started") == 1
        assert "Traceback" not in err


def test_twenty_clients_at_once_are_all_answered_as_one_alone_is() -> None:
    with earshot() as d:
        said = recording("an4_command1")
        alone = recognised(d, said)
        with ThreadPoolExecutor(20) as clients:
            together = list(clients.map(lambda _: recognised(d, said), range(20)))
        assert all(events == alone for events in together)
        assert kinds(alone) == ["speech_started", "end_point", "committed"]
        counters = d.until(lambda answer: answer.counters.clients == 0).counters
        assert counters.clients_total == 21
        assert counters.utterances == counters.committed == 21
        assert d.end()[0] == 0


def test_a_client_that_vanishes_within_an_utterance_harms_nobody() -> None:
    with earshot() as d:
        said = recording("librispeech_sentence1")
        with channel(d) as vanishing:
            call = recognition(vanishing).Recognize(endless(said), timeout=2 * PATIENCE)
            assert next(call).event.HasField("speech_started")
        counters = d.until(lambda answer: answer.counters.clients == 0).counters
        assert (counters.utterances, counters.cancelled) == (1, 1)
        assert kinds(recognised(d, said))[-1] == "committed"
        code, _, err = d.end()
        assert (code, "Traceback" in err) == (0, False)


def endless(said: Recording) -> Iterator[pb.RecognizeRequest]:
    """A client that never closes its side."""
    yield from spoken(said.samples())
    while True:
        time.sleep(0.05)
        yield pb.RecognizeRequest(audio=b"")


def test_without_a_microphone_the_recording_that_comes_with_it_is_played(tmp_path: Path) -> None:
    config = tmp_path / "earshot.toml"
    config.write_text('[microphone]\ndevice = "one that nobody has"\n', encoding="utf-8")
    with earshot("--source", "auto", "--config", str(config)) as d:
        answer = d.until(lambda answer: answer.counters.utterances > 0)
        assert (answer.ready, answer.source) == (True, "recording recording.flac")
        assert d.process.stdout is not None
        assert b"speech started" in d.process.stdout.readline()  # as it happens
        code, _, err = d.end()
        assert code == 0
        assert "there is no microphone" in err
        assert "a recording is played instead" in err
