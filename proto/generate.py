"""Generates daemon/earshot/generated from the .proto files: `make proto`."""  # noqa: INP001

import re
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

PROTO = Path(__file__).parent
TARGET = PROTO.parent / "daemon" / "earshot" / "generated"
NOTE = '"""Generated from proto/ by `make proto`; never edited."""\n'

# protoc writes imports by the path of the .proto file; the code lives inside the package instead.
_OF_PROTO = re.compile(r"^from earshot\.v1 import", re.MULTILINE)
_OF_PACKAGE = "from earshot.generated.v1 import"


def generate() -> dict[str, str]:
    """All generated files: path below the target, and text. Raises RuntimeError if protoc fails."""
    sources = sorted(str(path) for path in PROTO.glob("earshot/v1/*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        includes = [f"-I{PROTO}", f"-I{files('grpc_tools') / '_proto'}"]
        outputs = [f"--{kind}_out={folder}" for kind in ("python", "pyi", "grpc_python")]
        if protoc.main(["protoc", *includes, *outputs, *sources]) != 0:
            message = "protoc refused the .proto files; its complaint stands above"
            raise RuntimeError(message)
        written = sorted(Path(folder, "earshot", "v1").iterdir())
        found = {f"v1/{path.name}": _within_package(path) for path in written if _needed(path)}
    return {"__init__.py": NOTE, "v1/__init__.py": NOTE, **found}


def _within_package(path: Path) -> str:
    return _OF_PROTO.sub(_OF_PACKAGE, path.read_text(encoding="utf-8"))


def _needed(path: Path) -> bool:
    """Whether a file says anything: protoc writes an empty _grpc for a file without a service."""
    return not path.name.endswith("_grpc.py") or "Servicer" in path.read_text(encoding="utf-8")


def main() -> None:
    """Write the files, and remove those that no longer belong."""
    found = generate()
    for old in TARGET.rglob("*.py*"):
        if old.suffix in {".py", ".pyi"} and str(old.relative_to(TARGET)) not in found:
            old.unlink()
    for name, text in found.items():
        path = TARGET / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(found)} files in {TARGET}\n")


if __name__ == "__main__":
    main()
