"""What utterances mean, on the command line and over a socket."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from earshot.__main__ import main
from earshot.bundle import MANIFEST, checksum, open_bundle
from earshot.commands.understand import said
from earshot.engine import Engine
from earshot.errors import BundleError, SettingsError
from earshot.events import EndPoint, Interpretation, Named, Slot
from earshot.generated.v1 import recognition_pb2 as pb
from earshot.lines import interpretation_lines, interpretation_object
from earshot.nlu import FILE
from earshot.sources import AudioFile
from earshot.transcriber import transcribe

from tests import small_nlu
from tests.closed_sets import HOME, SHIPPED
from tests.house import S16LE, requests
from tests.processes import PATIENCE, Daemon, channel, earshot, recognition
from tests.recordings import recording

pytestmark = pytest.mark.skipif(not SHIPPED.exists(), reason="no bundle is shipped")
INTENTS = {"Enter", "Code", "Move", "Fetch"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle that ships, with a model of random meanings, and no idea who is spoken to."""
    folder = tmp_path_factory.mktemp("bundle") / "odd"
    shutil.copytree(SHIPPED, folder)
    small_nlu.models()[0].write(folder / FILE)
    text = (folder / MANIFEST).read_text("utf-8")
    text = re.sub(rf'\[(files\."{FILE}"|tuning\.directed(\.weights)?)\][^[]*', "", text)
    facts = {"bytes": (folder / FILE).stat().st_size, "sha256": f'"{checksum(folder / FILE)}"'}
    lines = "".join(f"{key} = {value}\n" for key, value in facts.items())
    more = f'[files."{FILE}"]\n{lines}\n[tuning.directed]\nbias = 0.0\n'
    (folder / MANIFEST).write_text(f"{text}\n{more}", "utf-8")
    return folder


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    path = tmp_path / "home.toml"
    path.write_text(HOME, "utf-8")
    return path


def test_a_text_is_understood(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["understand", "--bundle", str(bundle), "call", "anna", "smith"]) == 0
    assert capsys.readouterr().out.startswith("means ")
    assert main(["understand", "--bundle", str(bundle), "--json", "Call Anna Smith!"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["intent"] in small_nlu.INTENTS
    assert found["words"] == ["call", "anna", "smith"]
    assert found["template"] is False


def test_templates_and_names_are_those_given(
    bundle: Path, templates: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = tmp_path / "names.csv"
    names.write_text("kind,name\ncontact,Thirty\n", "utf-8")
    given = ["--bundle", str(bundle), "--commands", str(templates), "--catalog", str(names)]
    assert main(["understand", *given, "enter 30"]) == 0
    assert capsys.readouterr().out == (
        "means Enter (as written), place “form”, number “30” (contact “Thirty”)\n"
    )
    assert main(["understand", *given, "--json", "enter 30"]) == 0
    slots = json.loads(capsys.readouterr().out)["slots"]
    assert slots[1] == {
        "slot": "number", "value": "30", "first": 1, "end": 2,
        "names": [{"kind": "contact", "name": "Thirty"}],
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "?!", "..."])
def test_nothing_to_understand_is_said(
    text: str, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["understand", "--bundle", str(bundle), text]) == 1
    assert capsys.readouterr().out == "nothing\n"


def test_what_cannot_be_said_or_read_is_one_line(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = str(tmp_path / "absent.toml")
    for arguments in (["привет"], ["--commands", absent, "stop"], ["--catalog", absent, "stop"]):
        assert main(["understand", "--bundle", str(bundle), *arguments]) == 1
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)


def test_a_text_is_taken_as_it_is_said() -> None:
    assert said("Wake me at 7:30 PM") == ["wake", "me", "at", "seven", "thirty", "p", "m"]
    assert len(said("1 " * 10_000)) == 10_000


def test_a_bundle_with_a_damaged_model_is_refused(bundle: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bad"
    shutil.copytree(bundle, folder)
    data = (folder / FILE).read_bytes()
    (folder / FILE).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(BundleError, match=FILE):
        open_bundle(folder)


def test_every_result_of_a_recording_has_a_meaning(bundle: Path) -> None:
    engine = Engine.open(open_bundle(bundle))
    found = transcribe(AudioFile(recording("an4_enter_thirty").path), engine.recogniser())
    ends = [event.result for event in found.events if isinstance(event, EndPoint)]
    assert ends
    for result in ends:
        assert result.interpretation == engine.parts.understanding.result(result)
        assert result.interpretation is not None


def test_the_command_line_says_what_recordings_mean(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(recording("an4_enter_thirty").path), "--bundle", str(bundle)]
    assert main(["transcribe", *files, "--interpret"]) == 0
    text, meant = capsys.readouterr().out.splitlines()
    assert text == "enter thirty"
    assert meant.startswith("  means ")
    assert meant.endswith("; 50% meant for the device")
    assert main(["transcribe", *files, "--interpret", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["interpretations"]
    assert found["intent"] in small_nlu.INTENTS
    assert found["directed"] == 0.5
    assert main(["transcribe", *files, "--json"]) == 0
    assert "interpretations" not in json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def daemon(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("settings")
    (folder / "home.toml").write_text(HOME, "utf-8")
    lines = f'bundle = "{bundle}"\ntemplates = "{folder / "home.toml"}"\n'
    (folder / "earshot.toml").write_text(lines, "utf-8")
    with earshot("--config", str(folder / "earshot.toml")) as running:
        yield running


def heard(daemon: Daemon, name: str, wish: pb.Filter, **more: object) -> pb.RecognizeResponse:
    """The end-point of a recording."""
    config = pb.RecognizeConfig(format=S16LE, sample_rate=16_000, filter=wish, **more)  # type: ignore[arg-type]
    audio = (recording(name).samples() * 32_767).astype("<i2").tobytes()
    with channel(daemon) as open_channel:
        answers = list(recognition(open_channel).Recognize(iter(requests([audio], config))))
    found: pb.RecognizeResponse = [a for a in answers if a.event.HasField("end_point")][-1]
    return found


def test_a_client_gets_interpretations_if_it_asks(daemon: Daemon) -> None:
    wish = pb.Filter(interpretations=True)
    result = heard(daemon, "an4_enter_thirty", wish).event.end_point.result
    found = result.interpretation
    assert (found.intent, found.template, list(found.words)) == ("Enter", True, ["enter", "thirty"])
    assert [(s.name, s.value, s.first, s.end) for s in found.slots] == [
        ("place", "form", 0, 0), ("number", "30", 1, 2),
    ]  # fmt: skip
    plain = heard(daemon, "an4_enter_thirty", pb.Filter()).event.end_point.result
    assert (plain.text, plain.HasField("interpretation")) == (result.text, False)
    other = heard(daemon, "librispeech_sentence2", wish).event.end_point.result.interpretation
    assert other.intent in {*small_nlu.INTENTS, *INTENTS}


def test_a_client_that_sees_where_people_look_says_so(daemon: Daemon) -> None:
    for hint, told in ((None, 0.5), (0.5, 0.5), (0.9, 0.9), (0.0, 0.02)):
        more = {} if hint is None else {"attention_hint": hint}
        result = heard(daemon, "an4_no", pb.Filter(), **more).event.end_point.result
        assert result.directed == pytest.approx(told)
    with pytest.raises(grpc.RpcError) as caught:
        heard(daemon, "an4_no", pb.Filter(), attention_hint=1.5)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "attention_hint is 1.5, but must be 0 to 1" in (caught.value.details() or "")


def test_commands_of_a_call_have_no_interpretation_beside_them(daemon: Daemon) -> None:
    wish = pb.Filter(interpretations=True)
    commands = pb.Commands(templates=HOME)
    result = heard(daemon, "an4_go", wish, commands=commands).event.end_point.result
    assert (result.command.intent, result.HasField("interpretation")) == ("Move", False)


def test_a_daemon_whose_templates_are_wrong_says_so(tmp_path: Path) -> None:
    (tmp_path / "home.toml").write_text("[", "utf-8")
    (tmp_path / "earshot.toml").write_text(f'templates = "{tmp_path / "home.toml"}"\n', "utf-8")
    # A process of its own, for by then it has closed the network to itself.
    command = [sys.executable, "-m", "earshot", "run", "--config", str(tmp_path / "earshot.toml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1
    assert "home.toml: not TOML" in done.stderr
    assert SettingsError.__name__ not in done.stderr


def test_an_interpretation_is_a_line_and_an_object() -> None:
    slots = (
        Slot("time", "seven p m", "7 PM", 2, 5),
        Slot("person", "anna", "", 5, 6, (Named("contact", "Anna Smith"),)),
    )
    found = Interpretation("alarm_set", 0.876, slots, ("wake", "me", "seven", "p", "m", "anna"))
    (line,) = interpretation_lines(found)
    assert line == (
        "  means alarm_set (88% sure), time “seven p m” (7 PM), "
        "person “anna” (contact “Anna Smith”)"
    )
    assert interpretation_lines(None) == []
    assert json.loads(json.dumps(interpretation_object(found))) == {
        "intent": "alarm_set",
        "confidence": 0.876,
        "slots": [
            {"slot": "time", "value": "seven p m", "normal": "7 PM", "first": 2, "end": 5},
            {
                "slot": "person", "value": "anna", "first": 5, "end": 6,
                "names": [{"kind": "contact", "name": "Anna Smith"}],
            },
        ],
        "words": ["wake", "me", "seven", "p", "m", "anna"],
        "template": False,
    }  # fmt: skip
