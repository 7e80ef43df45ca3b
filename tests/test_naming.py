"""The catalog while the daemon runs: what is put in counts from the next utterance on."""

import asyncio
import logging
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from earshot import attention
from earshot.attention import AttendingEncoder
from earshot.bundle import open_bundle
from earshot.engine import Engine
from earshot.entries import Entry, Kind, Phrases
from earshot.events import EndPoint
from earshot.naming import MOST_ASKED, Naming
from earshot.recogniser import Recogniser
from earshot.store import Store

from tests.processes import earshot
from tests.recordings import recording

SHIPPED = Path(__file__).parents[1] / "models" / "bundles" / "en"
BEDD = Entry.of(Kind.CONTACT, "Bedd", "bed")


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The bundle that ships, with a strong favour for names."""
    if not SHIPPED.exists():
        pytest.skip("no bundle is shipped")
    found = Engine.open(open_bundle(SHIPPED))
    search = replace(found.tuning.search, name_favour=9.0)
    return found.tuned(replace(found.tuning, search=search))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.db"


def put(path: Path, *entries: Entry) -> None:
    with Store(path) as store:
        store.put(entries)


def heard(recogniser: Recogniser) -> list[str]:
    """What is understood of "bed" and the silence after it."""
    audio = np.concatenate([recording("speech_commands_bed").samples(), np.zeros(24_000)])
    events = recogniser.accept(audio.astype(np.float32))
    return [w.text for e in events if isinstance(e, EndPoint) for w in e.result.words]


def test_a_change_counts_from_the_next_utterance_on(engine: Engine, path: Path) -> None:
    naming = Naming(engine, path)
    recogniser = engine.recogniser(lambda: naming.engine)
    naming.look()
    assert heard(recogniser) == ["bed"]
    put(path, BEDD)
    naming.look()
    assert heard(recogniser) == ["bedd"]
    with Store(path) as store:
        store.remove("Bedd")
    naming.look()
    assert heard(recogniser) == ["bed"]


def test_a_catalog_that_goes_away_favours_nothing(engine: Engine, path: Path) -> None:
    naming = Naming(engine, path)
    put(path, BEDD)
    naming.look()
    index = naming.engine.parts.index
    assert index is not None
    assert index.names(["bedd"], 0)
    path.unlink()
    naming.look()
    index = naming.engine.parts.index
    assert index is not None
    assert not index.names(["bedd"], 0)


def test_a_catalog_that_cannot_be_read_is_told_and_the_one_before_stays(
    engine: Engine, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    naming = Naming(engine, path)
    put(path, BEDD)
    naming.look()
    before = naming.engine
    path.write_bytes(b"no database " * 500)
    with caplog.at_level(logging.INFO):
        naming.look()
        naming.look()
    (line,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert line.startswith(f"the catalog stays as it was: {path}: ")
    assert naming.engine is before


def test_what_did_not_change_is_not_compiled_again(engine: Engine, path: Path) -> None:
    naming = Naming(engine, path)
    put(path, BEDD)
    naming.look()
    before = naming.engine
    put(path, BEDD)  # the file is touched, its names are the same
    naming.look()
    assert naming.engine is before


def test_no_name_is_logged_above_debug(
    engine: Engine, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(path, BEDD, Entry.of(Kind.CONTACT, "דנה"))
    with caplog.at_level(logging.DEBUG):
        Naming(engine, path).look()
    (told,) = [r.getMessage() for r in caplog.records if r.levelno >= logging.INFO]
    assert told == "catalog: 2 names are favoured, 1 cannot be"


def test_a_daemon_that_stops_does_not_wait_for_thousands_of_names(
    engine: Engine, path: Path
) -> None:
    put(path, *(Entry.of(Kind.CONTACT, f"Zrb{i:05}blk".translate(LETTERS)) for i in range(5_000)))
    naming = Naming(engine, path)

    async def scene() -> float:
        task = asyncio.create_task(naming.watch())
        await asyncio.sleep(0.5)
        began = time.monotonic()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return began

    began = asyncio.run(scene())  # waits for its threads
    assert time.monotonic() - began < 10
    assert naming.engine is engine, "it was not done"


LETTERS = str.maketrans("0123456789", "abcdefghij")


@pytest.mark.slow
def test_the_running_daemon_takes_up_what_is_added(path: Path, tmp_path: Path) -> None:
    if not SHIPPED.exists():
        pytest.skip("no bundle is shipped")
    config = tmp_path / "earshot.toml"
    config.write_text(f'catalog = "{path}"\n', encoding="utf-8")
    with earshot("--config", str(config)) as d:
        put(path, BEDD)
        time.sleep(3)
        code, _, err = d.end()
    assert code == 0
    assert "catalog: 1 names are favoured, 0 cannot be" in err


def test_phrases_are_compiled_once_as_long_as_the_catalog_stays(engine: Engine, path: Path) -> None:
    naming = Naming(engine, path)
    asked = [Phrases((Entry.of(Kind.PHRASE, f"bedd {i}"),)) for i in range(MOST_ASKED + 1)]
    first = naming.with_phrases(asked[0])
    assert naming.with_phrases(Phrases(asked[0].entries)) is first
    for other in asked[1:]:
        naming.with_phrases(other)
    assert naming.with_phrases(asked[0]) is not first, "the oldest goes"
    again = naming.with_phrases(asked[0])
    put(path, BEDD)
    naming.look()
    assert naming.with_phrases(asked[0]) is not again, "it has the new catalog"


def test_of_very_many_names_only_phrases_are_attended_to(
    engine: Engine, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms = [Entry.of(Kind.ROOM, name) for name in ("kitchen", "attic", "cellar", "pantry")]
    put(path, *rooms, Entry.of(Kind.PHRASE, "loggia"))
    naming = Naming(engine, path)
    naming.look()

    def attended() -> set[str]:
        asked = Phrases((Entry.of(Kind.PHRASE, "gantry"),))
        encoder = naming.with_phrases(asked).parts.encoder
        assert isinstance(encoder, AttendingEncoder)
        return {named.name for named in encoder.rows.names}

    assert attended() == {"gantry", "loggia", *(room.name for room in rooms)}
    monkeypatch.setattr(attention, "MOST_ROWS", 3)
    naming = Naming(engine, path)
    naming.look()
    assert attended() == {"gantry", "loggia"}
    phrases = [Entry.of(Kind.PHRASE, room.name) for room in rooms]
    for many in (rooms, phrases):
        named, _ = engine.naming(many)
        assert named.parts.encoder is engine.parts.encoder, "nothing is attended to"
