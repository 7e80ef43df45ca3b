import ast
import math
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from earshot.config import Settings, load
from earshot.errors import SettingsError
from earshot.settings import assemble, check_above_zero


@dataclass(frozen=True, slots=True)
class Inner:
    count: int = 1
    rate: float = 0.5
    name: str | None = None
    place: Path | None = None
    on: bool = False
    parts: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.count < 0:
            message = "count must not be negative"
            raise SettingsError(message)


@dataclass(frozen=True, slots=True)
class Outer:
    title: str = "x"
    inner: Inner = field(default_factory=Inner)


def written(folder: Path, text: str) -> Path:
    path = folder / "earshot.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_no_file_means_the_defaults() -> None:
    assert load(None) == Settings()


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    assert load(written(tmp_path, "")) == Settings()


def test_what_the_file_says_replaces_a_default_and_leaves_the_others(tmp_path: Path) -> None:
    text = (
        'source = "-"\n[api]\nsocket = "/run/x.sock"\nstream_seconds = 60\n[sessions]\nclients = 3'
    )
    settings = load(written(tmp_path, text))
    assert settings.source == "-"
    assert settings.api.socket == Path("/run/x.sock")
    assert settings.api.stream_seconds == 60.0
    assert settings.sessions.clients == 3
    assert settings.api.message_bytes == Settings().api.message_bytes


def test_every_type_of_setting_can_be_read() -> None:
    table = {"inner": {"name": "n", "place": "/p", "on": True, "parts": [1, 2], "rate": 2}}
    inner = Inner(name="n", place=Path("/p"), on=True, parts=(1, 2), rate=2.0)
    assert assemble(Outer, table, "f") == Outer(inner=inner)


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({"titel": "x"}, "f: titel is not a setting; here may stand title, inner"),
        ({"inner": {"cuont": 1}}, "f: inner.cuont is not a setting; here may stand count, rate"),
        ({"title": 1}, "f: title is 1, but must be a text"),
        ({"inner": 1}, "f: inner is 1, but must be a table"),
        ({"inner": {"count": "1"}}, "f: inner.count is '1', but must be a whole number"),
        ({"inner": {"count": True}}, "f: inner.count is True, but must be a whole number"),
        ({"inner": {"count": 1.5}}, "f: inner.count is 1.5, but must be a whole number"),
        ({"inner": {"rate": "x"}}, "f: inner.rate is 'x', but must be a number"),
        ({"inner": {"on": 1}}, "f: inner.on is 1, but must be true or false"),
        ({"inner": {"place": 1}}, "f: inner.place is 1, but must be a path in quotes"),
        ({"inner": {"parts": 1}}, "f: inner.parts is 1, but must be a list"),
        ({"inner": {"parts": ["a"]}}, "f: inner.parts is 'a', but must be a whole number"),
        ({"inner": {"count": -1}}, "f: inner.count must not be negative"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(table: dict[str, object], complaint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        assemble(Outer, table, "f")
    assert str(caught.value).startswith(complaint)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan])
def test_what_must_be_above_0_is_refused_by_name(value: float) -> None:
    check_above_zero(Inner(rate=0.1), "rate")
    with pytest.raises(SettingsError, match=rf"^rate is {value:g}, but must be above 0$"):
        check_above_zero(Inner(rate=value), "rate")


def test_a_file_that_is_missing_or_not_toml_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.toml: cannot be read"):
        load(tmp_path / "absent.toml")
    with pytest.raises(SettingsError, match=r"earshot\.toml: not TOML"):
        load(written(tmp_path, "[api"))


def settings_classes() -> list[ast.ClassDef]:
    package = Path(__file__).parent.parent / "daemon" / "earshot"
    nodes = [
        node for path in package.glob("*.py") for node in ast.parse(path.read_text("utf-8")).body
    ]
    return [n for n in nodes if isinstance(n, ast.ClassDef) and n.name.endswith("Settings")]


@pytest.mark.parametrize("kind", settings_classes(), ids=lambda kind: str(kind.name))
def test_every_setting_is_explained_below_its_line(kind: ast.ClassDef) -> None:
    for line, after in pairwise(kind.body):
        if isinstance(line, ast.AnnAssign) and "factory" not in ast.unparse(line):
            assert isinstance(after, ast.Expr), ast.unparse(line)
            assert isinstance(after.value, ast.Constant), ast.unparse(line)
