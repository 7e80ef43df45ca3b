"""The figures of `earshot bench privacy`, on lattices made by hand."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from earshot import relay, rescorer
from earshot.asking import AssistSettings, Nobody
from earshot.events import Arc, Committed, Result, Word
from earshot.parcel import ParcelSettings
from earshot.word_list import WordList

from models.privacy_bytes import figures, sent
from models.privacy_delay import TimedAssist, TimedStage, Waits, written
from models.rescored import Recording
from tests.choosy import lattice_of

WORDS = tuple(Word(text, 8_000 * i, 8_000 * (i + 1), 0.0) for i, text in enumerate("abc"))
HEARD = Recording("x.wav", "a ward c", (lattice_of(WORDS),), "a b c", 1.5)


def test_what_is_sent_is_counted_beside_the_same_speech_as_audio() -> None:
    found = sent(HEARD, WordList(("a", "b", "c", "ward")), ParcelSettings())
    assert (found.words, found.whole, found.nearest, found.seconds) == (3, 0, 0, (1.5,))
    assert found.arcs == 6
    (size,) = found.bytes
    told = figures("set", [found, found])
    assert told["set_utterances"] == 2
    assert told["set_bytes_mean"] == size
    assert told["set_opus_to_lattice"] == round(3_000 / size, 1)
    assert told["set_oracle_wer"] == told["set_oracle_wer_unpruned"] == 0.0


def test_pruning_costs_words_and_saves_bytes() -> None:
    words = WordList(("a", "b", "c", "ward"))
    whole, pruned = (sent(HEARD, words, ParcelSettings(least=x)) for x in (0.001, 0.5))
    assert pruned.arcs < whole.arcs
    assert pruned.bytes < whole.bytes
    assert (pruned.whole, pruned.nearest) == (0, 1)


@pytest.mark.parametrize("way", ["unix", "tls"])
def test_the_settings_that_are_written_are_those_of_both_processes(
    way: str, tmp_path: Path
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    address = written(tmp_path, way, "en", 7443)
    server, client = rescorer.load(tmp_path / "rescorer.toml"), relay.load(tmp_path / "uplink.toml")
    assert server.listen == client.address == address
    assert bool(server.tls.token) == bool(client.token) == (way == "tls")


def test_a_commit_that_nothing_keeps_back_waits_no_time() -> None:
    stage = TimedAssist(Nobody(), AssistSettings()).stage(lambda _: None, never)
    assert isinstance(stage, TimedStage)
    stage.put(Committed(1, 1, 1))
    (kept,) = stage.kept
    assert 0 <= kept < 1_000
    told = Waits(commits=[1.0, 3.0], answers=[10.0], asked=1).figures("unix")
    assert told["unix_commit_waited_p50_ms"] == 2.0
    assert told["unix_answer_p95_ms"] == 10.0


async def never(found: Result, best: Sequence[Arc]) -> Result:
    raise NotImplementedError(found, best)
