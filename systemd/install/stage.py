"""make install, install-user, uninstall, purge: puts earshot where it lives, and takes it away.

What was put there is written down in the tree, and only that is taken away again. Settings that
the owner has changed are never overwritten: the new ones come beside them, as NAME.new.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from install.environment import ROOT, InstallError, build
from install.layout import Layout

UNITS = ROOT / "systemd"
IN_UNITS = "/opt/earshot/bin/"  # the programs, as the units in the repository have them
KINDS = frozenset({".service", ".socket", ".target", ".slice", ".timer", ".path"})


class Stage:
    """An installation under a folder that stands for the root."""

    def __init__(self, layout: Layout, root: Path) -> None:
        self.layout, self._root = layout, root
        self._put: list[Path] = []

    def at(self, path: Path) -> Path:
        """Where a path of the layout lies now."""
        return self._root / path.relative_to("/")

    def install(self, python: Path) -> None:
        """Put everything there. Raises InstallError or OSError."""
        earlier = self._known_settings()
        self.remove_program()
        self._environment(python)
        self._units()
        if self.layout.groups:
            self._write(self.layout.groups, (UNITS / "earshot.sysusers").read_text("utf-8"))
        if self.layout.command:
            self._link(self.layout.command, self.layout.program)
        for path in sorted(UNITS.glob("*.toml")):
            text = path.read_text("utf-8")
            self._write(self.layout.pristine / path.name, text)
            self._settings(self.layout.settings / path.name, text, earlier.get(path.name))
        record = "".join(f"{path}\n" for path in (*self._put, self.layout.record))
        self.at(self.layout.record).write_text(record, encoding="utf-8")

    def remove_program(self) -> None:
        """Take away what was installed, but for settings and data."""
        recorded = self._recorded()
        for path in recorded:
            self.at(path).unlink(missing_ok=True)
        for folder in sorted({p for path in recorded for p in path.parents}, reverse=True):
            if folder not in self.layout.settings.parents:
                with suppress(OSError):  # something else lies there
                    self.at(folder).rmdir()

    def remove_settings(self, *, changed: bool) -> list[Path]:
        """Take away the settings as they came, and those that were `changed`; give what is left."""
        known = self._known_settings()
        for path in self._settings_there():
            self.at(path.with_name(path.name + ".new")).unlink(missing_ok=True)
            if changed or known.get(path.name) == self.at(path).read_text("utf-8"):
                self.at(path).unlink()
        left = self._settings_there()
        if not left:
            with suppress(OSError):
                self.at(self.layout.settings).rmdir()
        return left

    def units(self) -> list[str]:
        """The names of the units that are there."""
        folder = self.layout.system_units or self.layout.user_units
        return sorted(path.name for path in self.at(folder).glob("earshot*"))

    def _environment(self, python: Path) -> None:
        tree = self.at(self.layout.tree)
        build(tree, self.layout.tree, python)
        self._put += [self.layout.tree / path.relative_to(tree) for path in _files(tree)]

    def _units(self) -> None:
        """Write the units, with the paths of here."""
        pairs = [(UNITS, self.layout.system_units), (UNITS / "user", self.layout.user_units)]
        for source, folder in pairs:
            for unit in sorted(source.iterdir()):
                if folder and unit.suffix in KINDS:
                    text = unit.read_text("utf-8").replace(
                        IN_UNITS, f"{self.layout.program.parent}/"
                    )
                    self._write(folder / unit.name, text)

    def _settings(self, path: Path, text: str, earlier: str | None) -> None:
        place = self.at(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists() and place.read_text("utf-8") not in {text, earlier}:
            place = place.with_name(place.name + ".new")
            print(f"{path} was changed and stays; what is new stands in {path}.new")
        place.write_text(text, encoding="utf-8")

    def _write(self, path: Path, text: str) -> None:
        self.at(path).parent.mkdir(parents=True, exist_ok=True)
        self.at(path).write_text(text, encoding="utf-8")
        self._put.append(path)

    def _link(self, path: Path, to: Path) -> None:
        self.at(path).parent.mkdir(parents=True, exist_ok=True)
        self.at(path).unlink(missing_ok=True)
        self.at(path).symlink_to(to)
        self._put.append(path)

    def _recorded(self) -> list[Path]:
        record = self.at(self.layout.record)
        text = record.read_text("utf-8") if record.exists() else ""
        return [Path(line) for line in text.splitlines()]

    def _known_settings(self) -> dict[str, str]:
        """The settings as they came, by the name of the file."""
        return {p.name: p.read_text("utf-8") for p in self.at(self.layout.pristine).glob("*.toml")}

    def _settings_there(self) -> list[Path]:
        folder = self.layout.settings
        names = {path.name for path in UNITS.glob("*.toml")}
        return [folder / n for n in sorted(names) if self.at(folder / n).exists()]


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_dir():
            yield path


def install(stage: Stage, python: Path, *, live: bool) -> None:
    """Install, and say how to start it."""
    stage.install(python)
    user = stage.layout.system_units is None
    if live:
        if stage.layout.groups:
            _manage("systemd-sysusers", str(stage.layout.groups))
        _manage("systemctl", *(["--user"] if user else []), "daemon-reload")
    print(f"earshot is in {stage.layout.tree}, its settings in {stage.layout.settings}")
    print("on a desktop:           systemctl --user enable --now earshot")
    if not user:
        print("without one, as root:   systemctl enable --now earshot")
    print(f"what is wrong, if so:   {stage.layout.command} doctor")


def uninstall(stage: Stage, *, live: bool, purge: bool) -> None:
    """Stop it and take it away; with `purge` also the owner's settings and data."""
    user = ["--user"] if stage.layout.system_units is None else []
    if live and (units := stage.units()):
        _manage("systemctl", *user, "stop", "earshot*")
        _manage("systemctl", *user, "disable", *units)
    left = stage.remove_settings(changed=purge)
    stage.remove_program()
    data = [stage.at(Path(path)) for path in stage.layout.data]
    for path in data if purge else ():
        _remove(path)
    if live:
        _manage("systemctl", *user, "daemon-reload")
    for path in (*map(stage.at, left), *data):
        if path.exists():
            print(f"{path} stays; `make purge` removes it")


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def _manage(*command: str) -> None:
    """Ask the service manager, where one runs; what it says against it is shown."""
    if Path("/run/systemd/system").exists() and shutil.which(command[0]):
        subprocess.run(command, check=False)  # noqa: S603


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what make asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("act", choices=("install", "uninstall", "purge"))
    parser.add_argument("--destination", type=Path, default=None, help="stands for the root")
    parser.add_argument("--prefix", type=Path, default=Path("/opt/earshot"))
    parser.add_argument("--user", action="store_true", help="for this user alone")
    parser.add_argument("--python", type=Path, default=Path("/usr/bin/python3"))
    options = parser.parse_args(arguments)
    layout = Layout.user(Path.home()) if options.user else Layout.local(options.prefix)
    live = options.destination is None
    stage = Stage(layout, options.destination or Path("/"))
    try:
        if options.act == "install":
            install(stage, options.python, live=live)
        else:
            uninstall(stage, live=live, purge=options.act == "purge")
    except (InstallError, OSError) as error:
        who = "" if options.user or os.geteuid() == 0 or not live else " (as root?)"
        print(f"earshot: {error}{who}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
