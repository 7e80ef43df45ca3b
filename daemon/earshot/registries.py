"""Devices and rooms out of the registries of Home Assistant, as it keeps them in `.storage`.

What it would not let a voice assistant touch is left out: what is disabled or hidden, settings and
diagnostics, kinds of entities that it exposes to none unless told to, and what it was told to keep.
"""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from earshot.entries import Alias, Entry, Kind
from earshot.errors import RequestError
from earshot.importing import Item, attempt, full, text_of

Row = dict[str, Any]
ENTITIES, AREAS, DEVICES = "core.entity_registry", "core.area_registry", "core.device_registry"
# Entities that people turn on, open or start, by the part of their id before the dot.
_HANDLED = (
    "climate cover fan humidifier input_boolean lawn_mower light lock media_player switch todo "
    "vacuum valve water_heater"
)
DOMAINS = dict.fromkeys(_HANDLED.split(), Kind.DEVICE) | dict.fromkeys(
    ("scene", "script"), Kind.PHRASE
)


def registries(path: Path) -> Iterator[Item]:
    """Entries of a registry, or of those in a folder. Raises RequestError for anything else."""
    if path.is_dir():
        files = [path / name for name in (AREAS, ENTITIES) if (path / name).exists()]
        if not files:
            message = f"{path}: neither {AREAS} nor {ENTITIES} is in this folder"
            raise RequestError(message)
        for file in files:
            yield from registries(file)
        return
    key, data = _registry(path)
    if key == AREAS:
        for row in _rows(data, "areas", path):
            yield attempt(f"{path}, {row.get('id')}", partial(_room, row))
    elif key == ENTITIES:
        beside = path.with_name(DEVICES)
        known = _rows(_registry(beside)[1], "devices", beside) if beside.exists() else []
        devices = {str(row.get("id")): row for row in known}
        for row in _rows(data, "entities", path):
            if kind := _kind(row):
                entry = partial(_entity, row, kind, devices)
                yield attempt(f"{path}, {row.get('entity_id')}", entry)
    else:
        message = f"{path}: the registry {key!r}; {AREAS} and {ENTITIES} hold names"
        raise RequestError(message)


def _registry(path: Path) -> tuple[str, Row]:
    try:
        found = json.loads(text_of(path))
        return str(found["key"]), dict(found["data"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        message = f"{path}: not a registry of Home Assistant ({error!r})"
        raise RequestError(message) from error


def _rows(data: Row, name: str, path: Path) -> list[Row]:
    rows = data.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        message = f"{path}: not a registry of Home Assistant (no list of {name})"
        raise RequestError(message)
    return rows


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _aliases(row: Row) -> list[Alias]:
    found = row.get("aliases")
    return [Alias(one) for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _room(row: Row) -> Entry:
    return Entry.of(Kind.ROOM, _text(row.get("name")), "", _aliases(row))


def _kind(row: Row) -> Kind | None:
    """What an entity is; None for one that is not to be spoken of."""
    if any(row.get(why) for why in ("disabled_by", "hidden_by", "entity_category")):
        return None
    options = row.get("options")
    told = options.get("conversation") if isinstance(options, dict) else None
    exposed = told.get("should_expose") if isinstance(told, dict) else None
    usual = DOMAINS.get(_text(row.get("entity_id")).partition(".")[0])
    if exposed is False or (usual is None and not exposed):
        return None
    return usual or Kind.DEVICE


def _entity(row: Row, kind: Kind, devices: dict[str, Row]) -> Entry:
    """By the name that its owner gave it, else by that of its device and its own."""
    name = _text(row.get("name"))
    if not name:
        name = _text(row.get("original_name"))
        device = devices.get(_text(row.get("device_id")), {})
        if row.get("has_entity_name"):
            name = full(_text(device.get("name_by_user")) or _text(device.get("name")), name)
    if not name:
        message = f"no name of its own; import the folder that {DEVICES} is in as well"
        raise RequestError(message)
    return Entry.of(kind, name, "", _aliases(row))
