"""When utterances are to end, as clients and owners ask for it."""

from collections.abc import Iterator
from dataclasses import replace

import grpc
import numpy as np
import pytest
from earshot.asked import LEAST_MS, MOST_MS, Ends, Preset
from earshot.bundle import open_bundle
from earshot.config import Settings, load
from earshot.endpointers import EndPointSettings
from earshot.engine import PATIENT, QUICK, Engine
from earshot.errors import LimitError, RequestError, SettingsError
from earshot.generated.v1 import events_pb2 as ev
from earshot.generated.v1 import recognition_pb2 as pb

from tests import networks
from tests.closed_sets import HOME, SHIPPED
from tests.house import S16LE, requests
from tests.processes import PATIENCE, Daemon, channel, earshot, recognition
from tests.recordings import recording

SETTINGS = EndPointSettings()


def test_what_is_not_given_stays_as_the_preset_has_it() -> None:
    assert Ends().of(SETTINGS) == SETTINGS
    asked = Ends(longest_ms=9_000, speculations=0)
    assert asked.of(SETTINGS) == replace(SETTINGS, longest_ms=9_000, speculations=0)


def test_other_rules_make_room_for_a_pause_that_is_given() -> None:
    longer = Ends(pause_ms=2_000).of(SETTINGS)
    assert (longer.pause_ms, longer.long_pause_ms) == (2_000, 2_000)
    assert longer.short_pause_ms == SETTINGS.short_pause_ms
    shorter = Ends(pause_ms=200).of(SETTINGS)
    assert (shorter.pause_ms, shorter.short_pause_ms) == (200, 200)
    assert shorter.long_pause_ms == SETTINGS.long_pause_ms
    both = Ends(pause_ms=2_000, long_pause_ms=900).of(SETTINGS)
    assert (both.pause_ms, both.long_pause_ms) == (2_000, 900)


def test_limits_are_told_with_both_numbers() -> None:
    with pytest.raises(RequestError, match=f"pause_ms is 10 ms, .* less than {LEAST_MS} ms"):
        Ends(pause_ms=10)
    with pytest.raises(LimitError, match=f"{MOST_MS + 1} milliseconds exceed .* {MOST_MS}"):
        Ends(longest_ms=MOST_MS + 1)
    with pytest.raises(LimitError, match=r"21 speculations exceed .* 20"):
        Ends(speculations=21)


def test_each_preset_is_the_bundles(tmp_path_factory: pytest.TempPathFactory) -> None:
    tuning = "[tuning.quick]\npause_ms = 333\n"
    folder = networks.phones(tmp_path_factory.mktemp("bundle"), tuning=tuning)
    engine = Engine.open(open_bundle(folder))
    found = {preset: engine.ending(Ends(preset)).tuning.endpoint for preset in Preset}
    assert found == {
        Preset.NORMAL: SETTINGS,
        Preset.QUICK: EndPointSettings(pause_ms=333),
        Preset.PATIENT: PATIENT,
    }
    assert QUICK.pause_ms < SETTINGS.pause_ms < PATIENT.pause_ms


def test_the_owner_names_a_preset(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("settings") / "earshot.toml"
    file.write_text('preset = "quick"\n', encoding="utf8")
    assert load(file) == Settings(preset="quick")
    file.write_text('preset = "hasty"\n', encoding="utf8")
    with pytest.raises(SettingsError, match="'hasty', but must be one of normal, quick, patient"):
        load(file)


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    with earshot() as running:
        yield running


def heard(daemon: Daemon, ends: pb.EndPointing, **wishes: object) -> list[ev.Event]:
    """What a client hears of a word with three seconds of silence behind it."""
    config = pb.RecognizeConfig(
        format=S16LE,
        sample_rate=16_000,
        end_pointing=ends,
        **wishes,  # type: ignore[arg-type]
    )
    samples = np.concatenate([recording("an4_go").samples(), np.zeros(48_000, np.float32)])
    audio = (samples * 32_767).astype("<i2").tobytes()
    with channel(daemon) as open_channel:
        call = recognition(open_channel).Recognize(
            iter(requests([audio], config)), timeout=2 * PATIENCE
        )
        return [answer.event for answer in call]


def committed(events: list[ev.Event]) -> int:
    """At which sample."""
    return events[-1].at.sample


@pytest.mark.skipif(not SHIPPED.exists(), reason="no bundle is shipped")
def test_a_client_asks_for_a_preset_and_for_times(daemon: Daemon) -> None:
    presets = (pb.PRESET_QUICK, pb.PRESET_UNSPECIFIED, pb.PRESET_PATIENT)
    ends = [heard(daemon, pb.EndPointing(preset=preset)) for preset in presets]
    quick, usual, patient = map(committed, ends)
    assert quick <= usual <= patient
    late = heard(daemon, pb.EndPointing(preset=pb.PRESET_PATIENT, done_ms=2_000, pause_ms=2_000))
    assert committed(late) > patient
    assert late[-1].committed.decision.rule
    assert {"silence_ms", "probability"} <= {
        number.name for number in late[-1].committed.decision.numbers
    }


@pytest.mark.skipif(not SHIPPED.exists(), reason="no bundle is shipped")
def test_without_speculations_only_final_ends_are_sent(daemon: Daemon) -> None:
    kinds = [
        event.end_point.kind
        for event in heard(daemon, pb.EndPointing(speculations=0))
        if event.HasField("end_point")
    ]
    assert kinds == [ev.END_POINT_KIND_FINAL]
    early = heard(daemon, pb.EndPointing(), commands=pb.Commands(templates=HOME))
    assert [e.end_point.kind for e in early if e.HasField("end_point")] == [
        ev.END_POINT_KIND_SPECULATIVE
    ]


@pytest.mark.skipif(not SHIPPED.exists(), reason="no bundle is shipped")
@pytest.mark.parametrize(
    ("ends", "status", "sentence"),
    [
        (pb.EndPointing(pause_ms=1), "INVALID_ARGUMENT", "pause_ms is 1 ms"),
        (pb.EndPointing(longest_ms=999_999), "RESOURCE_EXHAUSTED", "999999 milliseconds exceed"),
        (pb.EndPointing(preset=9), "INVALID_ARGUMENT", "preset 9 is none"),  # type: ignore[arg-type]
    ],
    ids=["too short", "too long", "of the future"],
)
def test_what_cannot_be_is_refused(
    daemon: Daemon, ends: pb.EndPointing, status: str, sentence: str
) -> None:
    with pytest.raises(grpc.RpcError) as error:
        heard(daemon, ends)
    assert error.value.code() is grpc.StatusCode[status]
    assert sentence in str(error.value.details())
