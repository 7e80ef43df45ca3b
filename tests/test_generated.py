import importlib.util
import re
from itertools import pairwise
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parent.parent


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "proto" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_code_is_what_the_proto_files_give() -> None:
    generate = generator()
    committed = {
        str(path.relative_to(generate.TARGET)): path.read_text(encoding="utf-8")
        for path in generate.TARGET.rglob("*.py*")
        if path.suffix in {".py", ".pyi"}
    }
    assert committed == generate.generate(), "run `make proto`"


def test_every_message_field_enum_and_rpc_has_a_comment() -> None:
    said = re.compile(
        r"\s*(message|enum|rpc|service|oneof|[\w.]+ \w+ = \d|repeated|[A-Z_0-9]+ = \d)"
    )
    for path in sorted((ROOT / "proto").rglob("*.proto")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for before, line in pairwise(lines):
            if said.match(line):
                assert before.strip().startswith("//"), f"{path.name}: {line.strip()}"


def test_every_rpc_has_a_request_and_a_response_of_its_own() -> None:
    for path in sorted((ROOT / "proto").rglob("*.proto")):
        for name, asked, answered in re.findall(
            r"rpc (\w+)\((?:stream )?(\w+)\) returns \((?:stream )?(\w+)\)", path.read_text("utf-8")
        ):
            assert (asked, answered) == (f"{name}Request", f"{name}Response")


def test_every_enum_begins_with_unspecified_and_carries_its_name() -> None:
    for path in sorted((ROOT / "proto").rglob("*.proto")):
        for name, body in re.findall(r"enum (\w+) \{(.*?)\}", path.read_text("utf-8"), re.DOTALL):
            prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()
            values = re.findall(r"(\w+) = (\d+);", body)
            assert values[0] == (f"{prefix}_UNSPECIFIED", "0")
            assert all(value.startswith(prefix + "_") for value, _ in values)
