"""What a client asks of the recogniser for its own audio, checked as it comes."""

from dataclasses import dataclass, fields, replace
from enum import StrEnum

from earshot.command_set import Commands
from earshot.endpointers import EndPointSettings
from earshot.entries import Phrases
from earshot.errors import LimitError, RequestError

LEAST_MS, MOST_MS = 40, 120_000
MOST_SPECULATIONS = 20
_UTTERANCE = "one utterance"


class Preset(StrEnum):
    """How long somebody who pauses is waited for."""

    NORMAL = "normal"
    QUICK = "quick"
    PATIENT = "patient"


@dataclass(frozen=True, slots=True)
class Ends:
    """When an utterance ends: a preset of the bundle, and what differs from it.

    Names and meanings are those of EndPointSettings; None leaves the preset's value.
    """

    preset: Preset = Preset.NORMAL
    done_ms: int | None = None
    pause_ms: int | None = None
    long_pause_ms: int | None = None
    longest_ms: int | None = None
    nothing_ms: int | None = None
    speculations: int | None = None

    def __post_init__(self) -> None:
        """Raise RequestError for times that are too short, LimitError for what is too much."""
        for name, value in self._given().items():
            if name == "speculations":
                if value > MOST_SPECULATIONS:
                    raise LimitError(_UTTERANCE, value, MOST_SPECULATIONS, name)
            elif value > MOST_MS:
                raise LimitError(name, value, MOST_MS, "milliseconds")
            elif value < LEAST_MS:
                message = f"{name} is {value} ms, but no end is seen in less than {LEAST_MS} ms"
                raise RequestError(message)

    def _given(self) -> dict[str, int]:
        values = {one.name: getattr(self, one.name) for one in fields(self)[1:]}
        return {name: value for name, value in values.items() if value is not None}

    def of(self, settings: EndPointSettings) -> EndPointSettings:
        """The settings of the preset with what was given.

        Who gives a pause means it: rules that would end sooner wait as long.
        """
        given = self._given()
        if (pause := given.get("pause_ms")) is not None:
            longer = {"long_pause_ms": max(settings.long_pause_ms, pause)}
            shorter = {"short_pause_ms": min(settings.short_pause_ms, pause)}
            given = longer | shorter | given
        return replace(settings, **given)


@dataclass(frozen=True, slots=True)
class Asked:
    """All that a call asks for. Nothing: dictation as the daemon hears it."""

    commands: Commands | None = None
    phrases: Phrases | None = None
    ends: Ends | None = None
    attention: float | None = None
    """how likely the speaker looks at the device, 0 to 1; None for unknown"""

    def __post_init__(self) -> None:
        """Raise RequestError for a hint that is no probability."""
        if self.attention is not None and not 0 <= self.attention <= 1:
            message = f"attention_hint is {self.attention:g}, but must be 0 to 1"
            raise RequestError(message)
