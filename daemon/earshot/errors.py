"""The tree of errors. Each says what to do and knows how gRPC and the command line answer it.

EarshotError
├── RequestError      theirs: what was asked for is wrong      INVALID_ARGUMENT
│   ├── AudioError        a file or a stream that cannot be heard
│   ├── SettingsError     a setting that cannot be
│   └── LimitError        over a limit; says both numbers       RESOURCE_EXHAUSTED
├── BundleError       ours: a bundle that is damaged            FAILED_PRECONDITION
├── AuditError        ours: what cannot be written down         FAILED_PRECONDITION
└── DeviceError       the world's: no microphone, no socket     UNAVAILABLE
"""

from enum import Enum


class Status(Enum):
    """The gRPC status code by which an error is answered."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    UNAVAILABLE = "UNAVAILABLE"


class EarshotError(Exception):
    """Base of all errors that are answered with one sentence."""

    status = Status.UNAVAILABLE


class RequestError(EarshotError):
    """What was asked for is wrong."""

    status = Status.INVALID_ARGUMENT


class AudioError(RequestError):
    """Audio that cannot be heard: damaged, empty, not audio."""


class SettingsError(RequestError):
    """A setting that cannot be."""


class LimitError(RequestError):
    """A request over a limit."""

    status = Status.RESOURCE_EXHAUSTED

    def __init__(self, what: str, asked: float, limit: float, unit: str) -> None:
        super().__init__(f"{what}: {asked:g} {unit} exceed the limit of {limit:g} {unit}")


INSTALL = "install the bundle again"  # what to do about most that is wrong with one


class BundleError(EarshotError):
    """A bundle that is damaged, incomplete or of an unknown kind."""

    status = Status.FAILED_PRECONDITION


class AuditError(EarshotError):
    """What cannot be written to the audit log, and so may not leave."""

    status = Status.FAILED_PRECONDITION


class DeviceError(EarshotError):
    """The world does not answer: no microphone, no socket, no daemon."""
