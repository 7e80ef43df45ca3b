"""Phrases of a call: favoured in it and nowhere else, beside the catalog."""

from collections.abc import Iterator

import grpc
import pytest
from earshot.entries import Entry, Kind
from earshot.generated.v1 import recognition_pb2 as pb
from earshot.store import Store

from tests.closed_sets import HOME, SHIPPED
from tests.house import S16LE, requests
from tests.processes import PATIENCE, Daemon, channel, earshot, recognition
from tests.recordings import recording

pytestmark = pytest.mark.skipif(not SHIPPED.exists(), reason="no bundle is shipped")
BEDD = pb.Phrase(text="Bedd", sounds_like="bed", boost=4.0, kind="contact")


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("catalog")
    with Store(folder / "catalog.db") as store:
        store.put([Entry.of(Kind.ROOM, "Atrium")])
    config = folder / "earshot.toml"
    config.write_text(f'catalog = "{folder / "catalog.db"}"\n', encoding="utf8")
    with earshot("--config", str(config)) as running:
        yield running


def asked(daemon: Daemon, **wishes: object) -> list[pb.RecognizeResponse]:
    """What a client hears of "bed" with these wishes."""
    config = pb.RecognizeConfig(format=S16LE, sample_rate=16_000, **wishes)  # type: ignore[arg-type]
    audio = (recording("speech_commands_bed").samples() * 32_767).astype("<i2").tobytes()
    with channel(daemon) as open_channel:
        call = recognition(open_channel).Recognize(
            iter(requests([audio], config)), timeout=2 * PATIENCE
        )
        return list(call)


def test_a_phrase_is_favoured_in_its_call_and_explained_where_that_is_asked(
    daemon: Daemon,
) -> None:
    wish = pb.Filter(explanations=True)
    result = asked(daemon, phrases=[BEDD], filter=wish)[-2].event.end_point.result
    told = [name for one in result.explanations for name in one.names]
    told += [n for one in result.explanations for rival in one.lost for n in rival.names]
    assert {(name.kind, name.name) for name in told} == {("contact", "Bedd")}
    silent = asked(daemon, phrases=[BEDD])[-2].event.end_point.result
    assert silent.text == result.text
    assert not silent.explanations
    plain = asked(daemon)[-2].event.end_point.result
    assert plain.text == "bed"


REFUSED = {
    "too many": ([pb.Phrase(text="a b")] * 1_001, "RESOURCE_EXHAUSTED", "1001 phrases exceed"),
    "too long": ([pb.Phrase(text="a" * 121)], "RESOURCE_EXHAUSTED", "121 characters exceed"),
    "empty": ([pb.Phrase(text=" ")], "INVALID_ARGUMENT", "an entry without a name"),
    "too heavy": ([pb.Phrase(text="a", boost=5)], "INVALID_ARGUMENT", "weight is 5"),
    "no number": ([pb.Phrase(text="a", boost=float("nan"))], "INVALID_ARGUMENT", "weight is nan"),
    "no kind": ([pb.Phrase(text="a", kind="cat")], "INVALID_ARGUMENT", "'cat' is no kind"),
    "not to be said": ([pb.Phrase(text="🎉")], "INVALID_ARGUMENT", "there is nothing to say"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_with_phrases_is_told_the_client(daemon: Daemon, case: str) -> None:
    phrases, code, complaint = REFUSED[case]
    with pytest.raises(grpc.RpcError) as caught:
        asked(daemon, phrases=phrases)
    assert caught.value.code().name == code
    assert complaint in (caught.value.details() or "")
    daemon.until(lambda answer: answer.counters.clients == 0)


def test_phrases_and_commands_are_one_too_many(daemon: Daemon) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        asked(daemon, phrases=[BEDD], commands=pb.Commands(templates=HOME))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "not both" in (caught.value.details() or "")
