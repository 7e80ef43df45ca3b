"""The unit and the settings of the re-ranker, as systemd and the re-ranker read them."""

import dataclasses
import re
from pathlib import Path

from earshot.batching import BatchSettings
from earshot.credentials import ServerFiles
from earshot.rescorer import RescorerSettings, load

from tests.test_systemd import FOLDER, analyze, assert_exposes_next_to_nothing, complaints

UNIT = FOLDER / "earshot-rescorer@.service"


def an_instance(folder: Path) -> Path:
    """The unit as that of port 7443, with a program that is there."""
    instance = folder / "earshot-rescorer@7443.service"
    text = UNIT.read_text("utf-8").replace("/opt/earshot/bin/earshot-rescorer", "/bin/true")
    instance.write_text(text, "utf-8")
    return instance


@analyze
def test_systemd_has_nothing_to_say_against_its_unit(tmp_path: Path) -> None:
    assert complaints("--system", tmp_path, an_instance(tmp_path)) == (0, [])


@analyze
def test_its_unit_exposes_next_to_nothing(tmp_path: Path) -> None:
    assert_exposes_next_to_nothing(an_instance(tmp_path))


def test_its_settings_name_everything_and_its_lines_are_the_defaults(tmp_path: Path) -> None:
    text = (FOLDER / "rescorer.toml").read_text("utf-8")
    said = tmp_path / "rescorer.toml"
    said.write_text(re.sub(r"^#(\w+ = )", r"\1", text, flags=re.MULTILINE), "utf-8")
    found, plain = load(said), load(FOLDER / "rescorer.toml")
    assert dataclasses.replace(found, tls=ServerFiles()) == RescorerSettings()
    assert plain.tls == ServerFiles(Path("certificate"), Path("key"), None, Path("token"))
    assert found.tls.client_ca == Path("/etc/earshot/clients.pem")
    for part in (RescorerSettings, ServerFiles, BatchSettings):
        for setting in dataclasses.fields(part):
            if not dataclasses.is_dataclass(getattr(RescorerSettings(), setting.name, None)):
                assert re.search(rf"^#?{setting.name} = ", text, re.MULTILINE)


def test_the_credentials_of_the_unit_are_those_of_the_settings() -> None:
    unit, settings = UNIT.read_text("utf-8"), (FOLDER / "rescorer.toml").read_text("utf-8")
    handed = re.findall(r"^LoadCredential=(\w+):", unit, re.MULTILINE)
    assert handed == re.findall(r'^\w+ = "(\w+)"$', settings, re.MULTILINE)
