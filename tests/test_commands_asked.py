"""Commands as people give them: over a socket, and on the command line."""

import json
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from earshot.__main__ import main
from earshot.command_set import REJECT
from earshot.generated.v1 import recognition_pb2 as pb

from tests.closed_sets import HOME, SHIPPED, one
from tests.house import S16LE, kinds, requests
from tests.processes import PATIENCE, Daemon, channel, earshot, recognition
from tests.recordings import recording

pytestmark = pytest.mark.skipif(not SHIPPED.exists(), reason="no bundle is shipped")


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    with earshot() as running:
        yield running


def asked(daemon: Daemon, commands: pb.Commands, name: str) -> list[pb.RecognizeResponse]:
    """What a client hears that sends commands and a recording."""
    config = pb.RecognizeConfig(format=S16LE, sample_rate=16_000, commands=commands)
    audio = (recording(name).samples() * 32_767).astype("<i2").tobytes()
    with channel(daemon) as open_channel:
        call = recognition(open_channel).Recognize(
            iter(requests([audio], config)), timeout=2 * PATIENCE
        )
        return list(call)


def test_a_client_sends_commands_and_gets_what_they_mean(daemon: Daemon) -> None:
    answers = [answer.event for answer in asked(daemon, pb.Commands(templates=HOME), "an4_go")]
    assert kinds(answers) == ["speech_started", "end_point", "committed"]
    result = answers[-2].end_point.result
    assert (result.command.intent, result.text) == ("Move", "go")
    assert [(slot.name, slot.value) for slot in result.command.slots] == [("how", "at once")]
    other = asked(daemon, pb.Commands(templates=HOME), "librispeech_sentence2")
    result = other[-2].event.end_point.result
    assert (result.HasField("command"), result.command.intent, result.text) == (True, "", "")
    assert result.command.misfit > REJECT


def test_a_client_sets_the_threshold_and_others_go_on_dictating(daemon: Daemon) -> None:
    strict = pb.Commands(templates=HOME, reject=0.0)
    result = asked(daemon, strict, "an4_three_zero_two_one")[-2].event.end_point.result
    assert result.command.intent == ""
    config = pb.RecognizeConfig(format=S16LE, sample_rate=16_000)
    audio = (recording("an4_go").samples() * 32_767).astype("<i2").tobytes()
    with channel(daemon) as open_channel:
        plain = list(recognition(open_channel).Recognize(iter(requests([audio], config))))
    result = plain[-2].event.end_point.result
    assert (result.text, result.HasField("command")) == ("go", False)


REFUSED = {
    "nothing": ("", "INVALID_ARGUMENT", "no intent has a sentence"),
    "no TOML": ("[", "INVALID_ARGUMENT", "not TOML"),
    "a bracket": (one("turn (on"), "INVALID_ARGUMENT", "never closed (character 6)"),
    "too much": (one("{0..1999:a} {0..1999:b}"), "RESOURCE_EXHAUSTED", "exceed the limit"),
    "too long": ("#" * 70_000, "RESOURCE_EXHAUSTED", "70000 bytes exceed the limit of 65536"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_with_commands_is_told_the_client(daemon: Daemon, case: str) -> None:
    text, code, complaint = REFUSED[case]
    with pytest.raises(grpc.RpcError) as caught:
        asked(daemon, pb.Commands(templates=text), "an4_go")
    assert caught.value.code().name == code
    assert complaint in (caught.value.details() or "")
    daemon.until(lambda answer: answer.counters.clients == 0)


def transcribed(tmp_path: Path, *options: str, text: str = HOME) -> int:
    path = tmp_path / "home.toml"
    path.write_text(text, encoding="utf-8")
    names = ("an4_enter_thirty", "librispeech_sentence2")
    files = [str(recording(name).path) for name in names]
    return main(["transcribe", "--commands", str(path), *options, *files])


def test_the_command_line_says_what_was_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert transcribed(tmp_path) == 0
    lines = [line.partition(": ")[2] for line in capsys.readouterr().out.splitlines()]
    assert lines == ["Enter place=form number=30 “enter thirty”", "no command"]
    assert transcribed(tmp_path, "--json") == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (command,), (none,) = (one["commands"] for one in found)
    assert (command["intent"], command["text"]) == ("Enter", "enter thirty")
    assert command["slots"] == {"place": "form", "number": "30"}
    assert (none["intent"], none["slots"], none["text"]) == (None, {}, "")
    assert command["misfit"] < REJECT < none["misfit"]
    assert transcribed(tmp_path, "--reject", "-1") == 0
    assert capsys.readouterr().out.count("no command") == 2


@pytest.mark.parametrize(
    ("text", "options", "complaint"),
    [
        (one("turn [on"), (), "home.toml: intents.A: 'turn [on': '[' is never closed"),
        (HOME, ("--reject", "nan"), "home.toml: reject is not a number"),
    ],
)
def test_the_command_line_says_what_is_wrong_with_a_file(
    text: str,
    options: tuple[str, ...],
    complaint: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert transcribed(tmp_path, *options, text=text) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), complaint in err) == ("", 1, True)


def test_a_file_that_cannot_be_read_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_bytes(b"\xff\xfe")
    for path in (tmp_path / "absent.toml", bad):
        assert main(["transcribe", "--commands", str(path), "a.wav"]) == 1
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert f"{path}: cannot be read" in err
