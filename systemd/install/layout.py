"""Where each part of an installed earshot lies."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Layout:
    """Absolute paths on the machine where it will run."""

    tree: Path  # a virtual environment: the program, its libraries, its bundles
    command: Path | None  # a link to the program, in the PATH
    settings: Path  # folder of the settings that the owner may change
    user_units: Path
    system_units: Path | None = None  # None where there is no system to serve
    groups: Path | None = None  # for systemd-sysusers
    documents: Path | None = None
    data: tuple[str, ...] = ()  # folders of what the owner brought, which only a purge takes

    @classmethod
    def local(cls, prefix: Path) -> Self:
        """For all users of a machine, beside its package manager."""
        lib = Path("/usr/local/lib")
        return cls(
            tree=prefix,
            command=Path("/usr/local/bin/earshot"),
            settings=Path("/etc/earshot"),
            user_units=lib / "systemd" / "user",
            system_units=lib / "systemd" / "system",
            groups=lib / "sysusers.d" / "earshot.conf",
            data=SYSTEM_DATA,
        )

    @classmethod
    def package(cls) -> Self:
        """For the package manager of Debian."""
        lib = Path("/usr/lib")
        return cls(
            tree=lib / "earshot",
            command=Path("/usr/bin/earshot"),
            settings=Path("/etc/earshot"),
            user_units=lib / "systemd" / "user",
            system_units=lib / "systemd" / "system",
            groups=lib / "sysusers.d" / "earshot.conf",
            documents=Path("/usr/share/doc/earshot"),
            data=SYSTEM_DATA,
        )

    @classmethod
    def user(cls, home: Path) -> Self:
        """For one user, without privileges."""
        return cls(
            tree=home / ".local" / "lib" / "earshot",
            command=home / ".local" / "bin" / "earshot",
            settings=home / ".config" / "earshot",
            user_units=home / ".config" / "systemd" / "user",
            data=tuple(str(home / ".local" / kind / "earshot") for kind in ("share", "state")),
        )

    @property
    def program(self) -> Path:
        """What the units start."""
        return self.tree / "bin" / "earshot"

    @property
    def pristine(self) -> Path:
        """Folder of the settings as they came, by which it is known whether the owner's differ."""
        return self.tree / "share" / "earshot"

    @property
    def record(self) -> Path:
        """List of all that was installed."""
        return self.tree / "installed.txt"


# The state of a service with DynamicUser lies in the second of each; the first is a link to it.
SYSTEM_DATA = (
    "/var/lib/earshot",
    "/var/lib/private/earshot",
    "/var/lib/earshot-uplink",
    "/var/lib/private/earshot-uplink",
)
