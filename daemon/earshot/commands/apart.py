"""What commands share that run as a process apart: one that has loaded nothing of what hears."""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from earshot import journal
from earshot.dumps import forbid_dumps
from earshot.errors import EarshotError


def become(module: str, options: argparse.Namespace, names: Sequence[str]) -> NoReturn:
    """Become the process of a module, with the options of these names that were given."""
    given = ((f"--{name}", getattr(options, name)) for name in names)
    arguments = [str(part) for pair in given if pair[1] for part in pair]
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 - ourselves


def work(
    parser: argparse.ArgumentParser,
    arguments: Sequence[str] | None,
    do: Callable[[argparse.Namespace], None],
) -> int:
    """Work as that process. Errors of ours are one line on standard error."""
    options = parser.parse_args(arguments)
    journal.begin(logging.INFO)
    try:
        forbid_dumps()
        do(options)
    except EarshotError as error:
        journal.complain(str(error))
        return 1
    return 0
