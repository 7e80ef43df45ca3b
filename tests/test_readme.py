"""The README's client runs as it stands there, against a real daemon with the bundle that ships."""

import re
import subprocess
import sys
from pathlib import Path

from tests.processes import earshot
from tests.recordings import recording

README = Path(__file__).parent.parent / "README.md"


def client() -> str:
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    return str(code)


def test_the_client_of_the_readme_runs_as_written(tmp_path: Path) -> None:
    code = client()
    assert len([line for line in code.splitlines() if line.strip()]) <= 12
    (tmp_path / "client.py").write_text(code, encoding="utf-8")
    spoken = recording("librispeech_sentence2")
    with earshot() as daemon:
        done = subprocess.run(
            [sys.executable, "client.py", str(daemon.path), str(spoken.path)],
            cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    kinds = [line.split(" ")[0] for line in done.stdout.splitlines()]
    assert kinds[0] == "speech_started"
    assert kinds[-2:] == ["end_point", "committed"]
    assert done.stdout.splitlines()[-2].split()[1:], "the end-point carries words"
