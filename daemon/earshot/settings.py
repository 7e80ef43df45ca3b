"""From tables to settings: each part's own frozen dataclass, filled from a table of a TOML file.

A key of the table is a field of the dataclass; what the table leaves out keeps its default.
Whatever does not fit is refused, with the key, what may stand there, and the file.
"""

import tomllib
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from earshot.errors import SettingsError
from earshot.guarded import warn_if_others_write

S = TypeVar("S")
_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
_NAMES |= {Path: "a path in quotes"}


def read_settings(kind: type[S], path: Path | None) -> S:
    """Read a file of settings, or take the defaults. Raises SettingsError."""
    if path is None:
        return kind()
    table = _read_table(path)
    warn_if_others_write(path)
    return assemble(kind, table, str(path))


def _read_table(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{path}: cannot be read ({error.strerror})"
        raise SettingsError(message) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path}: not TOML: {error}"
        raise SettingsError(message) from error


def assemble(kind: type[S], table: Mapping[str, object], file: str, within: str = "") -> S:
    """Make settings of a dataclass from a table. Raises SettingsError for what does not fit."""
    hints = get_type_hints(kind)
    allowed = [f.name for f in fields(kind)]  # type: ignore[arg-type]
    for key in table:
        if key not in allowed:
            known = ", ".join(allowed)
            message = f"{file}: {within}{key} is not a setting; here may stand {known}"
            raise SettingsError(message)
    found = {key: _value(hints[key], value, file, within + key) for key, value in table.items()}
    try:
        return kind(**found)
    except SettingsError as error:  # of a value that the settings themselves refuse
        message = f"{file}: {within}{error}"
        raise SettingsError(message) from error


def check_above_zero(settings: object, *names: str) -> None:
    """Raise SettingsError unless these settings are above 0."""
    for name in names:
        value = getattr(settings, name)
        if not value > 0:
            message = f"{name} is {value:g}, but must be above 0"
            raise SettingsError(message)


def _value(kind: Any, value: object, file: str, key: str) -> object:  # noqa: ANN401 - any type
    """Turn a value of the file into one of the type `kind`."""
    if is_dataclass(kind) and isinstance(value, dict):
        return assemble(kind, value, file, f"{key}.")  # type: ignore[arg-type]
    if isinstance(kind, types.UnionType):  # X | None: what stands in the file is an X
        kind = next(part for part in get_args(kind) if part is not types.NoneType)
    if get_origin(kind) is tuple and isinstance(value, list):
        return tuple(_value(get_args(kind)[0], one, file, key) for one in value)
    if kind is float and type(value) is int:
        return float(value)
    if kind is Path and isinstance(value, str):
        return Path(value).expanduser()
    if type(value) is kind:
        return value
    wanted = _NAMES.get(kind, "a table" if is_dataclass(kind) else "a list")
    message = f"{file}: {key} is {value!r}, but must be {wanted}"
    raise SettingsError(message)
