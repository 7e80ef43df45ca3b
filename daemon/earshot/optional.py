"""Libraries that an install may lack: only some commands need them."""

from collections.abc import Iterator
from contextlib import contextmanager

from earshot.errors import SettingsError


@contextmanager
def needed(group: str) -> Iterator[None]:
    """Import within what a group of optional dependencies brings.

    Raises SettingsError that says how to install what is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "earshot").partition(".")[0] == "earshot":
            raise
        message = f"this needs {error.name}, which is not installed: pip install 'earshot[{group}]'"
        raise SettingsError(message) from error
