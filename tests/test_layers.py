import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "daemon" / "earshot"

# From the words of the domain up to the command line: a module imports only what stands in an
# earlier row, or earlier in its own row.
ROWS = (
    ("units", "errors", "events", "guarded", "settings", "optional", "listening", "usage"),
    ("scheduling",),
    ("generated",),
    ("wording", "numerals", "spoken", "writing", "formatting"),
    ("counting", "saying", "templates", "intents", "places", "automaton"),
    ("entries", "store", "importing", "vcards", "registries", "readers"),
    ("coder", "word_list", "paths", "thinning", "parcel", "credentials"),
    ("reference", "sources", "devices", "microphone", "feed"),
    ("canceller", "delay", "drift", "tape", "echo", "echoless"),
    ("networks", "bundle", "rescoring", "neural"),
    ("frames", "vad", "looks", "features", "encoder", "transducer"),
    ("column", "ngram", "lexicon", "loop", "rewriter", "g2p", "p2g", "speller", "dictionary"),
    ("sounds", "names", "attention", "segments", "own", "grammar", "catalog", "closed"),
    ("memory", "search", "vocabulary", "posteriors", "lattice", "explain", "pictures", "lines"),
    ("witness", "command_set", "packed", "cues", "nlu", "directed", "understanding"),
    ("effort", "governor"),
    ("ending", "endpointers", "asked", "utterance", "arbiter", "attention_map"),
    ("marks", "timeline", "recogniser", "engine", "naming", "transcriber"),
    ("place", "kernel", "landlock", "seccomp", "sandbox", "dumps", "answering", "binding"),
    ("pace", "load"),
    (
        "notify",
        "signals",
        "pushed",
        "inference",
        "outbox",
        "meter",
        "tally",
        "masking",
        "ranked",
        "asking",
        "assist",
    ),
    ("session", "condition", "audit", "relay"),
    (
        "clients",
        "sessions",
        "mute",
        "link",
        "mode",
        "meanings",
        "convert",
        "asked_message",
        "assist_message",
        "client",
        "api",
        "meter_api",
        "strict",
        "uplink",
        "server",
        "playback",
    ),
    ("batching", "rescorer"),
    ("vitals", "serving_http", "metrics", "exporter", "exposing", "config"),
    ("following", "view", "screen", "terminal", "telling", "page"),
    ("life", "compose"),
    ("journal",),
    ("checks",),
    ("commands",),
    ("__main__",),
)
ORDER = [module for row in ROWS for module in row]


def modules() -> list[Path]:
    return sorted(
        path
        for path in PACKAGE.rglob("*.py")
        if path != PACKAGE / "__init__.py" and "generated" not in path.parts
    )


def part(path: Path) -> str:
    """The place of a file in the order: its module, or its folder."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The modules of ours that a file imports, by their place in the order."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names = [f"earshot.{a.name}" for a in node.names] if module == "earshot" else [module]
        else:
            continue
        found |= {n.split(".")[1] for n in names if n.startswith("earshot.")}
    return found - {"__version__"}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_comes_before_it(path: Path) -> None:
    own = part(path)
    assert own in ORDER, f"{own} has no place yet in the order of the modules"
    later = {name for name in imported(path) if ORDER.index(name) > ORDER.index(own)}
    assert not later, f"{own} imports {later}, which come after it"


def test_the_words_of_the_domain_import_nothing_of_ours() -> None:
    assert imported(PACKAGE / "events.py") == set()


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_of_the_daemon_imports_torch(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert "torch" not in names


def test_only_the_commands_and_the_main_module_import_compose() -> None:
    assert {part(path) for path in modules() if "compose" in imported(path)} <= {
        "commands",
        "__main__",
    }


LOOK = """
import os, sys, threading
before = set(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else set()
import earshot
after = set(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else set()
assert after == before, "import earshot opened something"
from earshot.__main__ import parser
parser()
assert "earshot.compose" in sys.modules
assert "torch" not in sys.modules, "the daemon imports torch"
assert threading.active_count() == 1, "an import started a thread"
"""


def test_importing_earshot_opens_nothing_and_loads_no_torch() -> None:
    subprocess.run([sys.executable, "-c", LOOK], check=True, timeout=60)


@pytest.mark.parametrize(
    "command", ["listen", "status", "mute", "unmute", "privacy", "catalog", "metrics", "web"]
)
def test_what_only_talks_to_the_daemon_loads_no_recogniser(command: str) -> None:
    look = (
        f"import sys; from earshot.__main__ import parser; parser([{command!r}]); "
        "print(*{'numpy', 'onnxruntime', 'earshot.search'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", look], check=True, timeout=60, capture_output=True, text=True
    )
    assert done.stdout.strip() == ""
