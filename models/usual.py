"""earshot as it would be with usual defaults, to measure beside: `python -m models.usual run …`.

onnxruntime takes all cores and its threads spin while they wait, numpy's BLAS takes all cores, and
nobody asks for another niceness or scheduling class.
"""

import os
import sys

import onnxruntime
from earshot.__main__ import main


def refuse(*_: object) -> None:
    """Stand for a call that is not allowed."""
    raise PermissionError


def install() -> None:
    """Put the usual defaults in place of what earshot asks for."""
    session = onnxruntime.InferenceSession

    def usual(path: str, *_: object, **named: object) -> object:
        return session(path, providers=named.get("providers"))

    onnxruntime.InferenceSession = usual
    for call in ("sched_setscheduler", "setpriority", "nice"):
        setattr(os, call, refuse)


if __name__ == "__main__":
    install()
    sys.exit(main())
