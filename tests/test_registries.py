"""What Home Assistant calls its rooms and devices, and what it would not let anybody speak to."""

import json
from pathlib import Path
from typing import Any

import pytest
from earshot.entries import Alias, Entry, Kind
from earshot.errors import RequestError
from earshot.importing import Item, Refusal
from earshot.registries import AREAS, DEVICES, ENTITIES, registries

Row = dict[str, Any]


def keep(folder: Path, key: str, rows: list[Row] | object) -> Path:
    """A registry as Home Assistant stores it."""
    path, name = folder / key, key.removeprefix("core.").removesuffix("_registry")
    plural = {"entity": "entities"}.get(name, name + "s")
    found = {"version": 1, "minor_version": 15, "key": key, "data": {plural: rows}}
    path.write_text(json.dumps(found), encoding="utf-8")
    return path


def entity(number: str, **rest: object) -> Row:
    usual: Row = {
        "name": None,
        "original_name": None,
        "aliases": [],
        "device_id": None,
        "disabled_by": None,
        "hidden_by": None,
        "entity_category": None,
        "has_entity_name": False,
        "options": {},
    }
    return {"entity_id": number, **usual, **rest}


def entries(items: list[Item]) -> list[Entry]:
    return [one for one in items if isinstance(one, Entry)]


def test_rooms_with_their_aliases(tmp_path: Path) -> None:
    areas = [
        {"id": "den", "name": "Den", "aliases": ["Study", "den"], "floor_id": None},
        {"id": "hall", "name": "Hall"},
        {"id": "x", "name": ""},
    ]
    found = list(registries(keep(tmp_path, AREAS, areas)))
    assert entries(found) == [
        Entry.of(Kind.ROOM, "Den", aliases=[Alias("Study")]),
        Entry.of(Kind.ROOM, "Hall"),
    ]
    refused = Refusal(f"{tmp_path / AREAS}, x", "an entry without a name; give it one")
    assert found[2] == refused


def test_entities_that_may_be_spoken_to(tmp_path: Path) -> None:
    shown = {"conversation": {"should_expose": True}}
    kept = {"conversation": {"should_expose": False}}
    rows = [
        entity("light.a", original_name="Ceiling lamp", aliases=["big light", None]),
        entity("scene.b", name="Movie night", original_name="Scene 7"),
        entity("switch.c", name="Pump", disabled_by="user"),
        entity("switch.d", name="Ghost", hidden_by="user"),
        entity("switch.e", name="Child lock", entity_category="config"),
        entity("sensor.f", name="Humidity"),
        entity("sensor.g", name="Pool temperature", options=shown),
        entity("lock.h", name="Vault", options=kept),
    ]
    assert entries(list(registries(keep(tmp_path, ENTITIES, rows)))) == [
        Entry.of(Kind.DEVICE, "Ceiling lamp", aliases=[Alias("big light")]),
        Entry.of(Kind.PHRASE, "Movie night"),
        Entry.of(Kind.DEVICE, "Pool temperature"),
    ]


def test_an_entity_is_called_after_its_device(tmp_path: Path) -> None:
    keep(tmp_path, AREAS, [{"id": "den", "name": "Den"}])
    keep(
        tmp_path,
        DEVICES,
        [
            {"id": "1", "name": "Hue 99", "name_by_user": "Desk lamp"},
            {"id": "2", "name": "Radio", "name_by_user": None},
        ],
    )
    rows = [
        entity("light.a", device_id="1", has_entity_name=True),
        entity("switch.b", device_id="2", has_entity_name=True, original_name="Night mode"),
        entity("switch.c", device_id="3", has_entity_name=True),
    ]
    path = keep(tmp_path, ENTITIES, rows)
    found = list(registries(tmp_path))
    assert entries(found) == [
        Entry.of(Kind.ROOM, "Den"),
        Entry.of(Kind.DEVICE, "Desk lamp"),
        Entry.of(Kind.DEVICE, "Radio Night mode"),
    ]
    why = f"no name of its own; import the folder that {DEVICES} is in as well"
    assert found[3] == Refusal(f"{path}, switch.c", why)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("not json", "not a registry of Home Assistant"),
        ("[1, 2]", "not a registry of Home Assistant"),
        ("[" * 100_000, "not a registry of Home Assistant"),
        ('{"key": "core.area_registry", "data": {}}', "no list of areas"),
        ('{"key": "core.area_registry", "data": {"areas": [1]}}', "no list of areas"),
        ('{"key": "auth", "data": {}}', "the registry 'auth'; "),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RequestError, match=told):
        list(registries(path))


def test_a_folder_without_registries_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="is in this folder"):
        list(registries(tmp_path))


def test_hostile_values_are_left_out(tmp_path: Path) -> None:
    rows = [
        {"entity_id": 7, "name": 8, "aliases": "abc", "options": []},
        entity(
            "light.x",
            name=["a"],
            original_name="Lamp",
            aliases={"a": 1},
            options={"conversation": 3},
        ),
    ]
    assert list(registries(keep(tmp_path, ENTITIES, rows))) == [Entry.of(Kind.DEVICE, "Lamp")]
