"""How music is played."""

from dataclasses import dataclass
from enum import StrEnum

from earshot.errors import SettingsError
from earshot.playback.audio import BLOCK_MS
from earshot.settings import check_above_zero

LOUDEST, SOFTEST = 20.0, -60.0  # dB
TONE = 24.0  # dB, the most that the tone may change


class WhileSpeaking(StrEnum):
    """What music does while somebody speaks."""

    DUCK = "duck"
    PAUSE = "pause"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class PlaybackSettings:
    """Where to play, and what happens while somebody speaks."""

    device: str | None = None
    """part of the device's name, in any case; without it, the system's default"""
    buffer_ms: int = 80
    """what the device keeps: so long, less a block of 20 ms, this program may be held up"""
    ahead_ms: int = 1_000
    """what is decoded ahead of each stream"""
    while_speaking: str = WhileSpeaking.DUCK
    """duck (quieter), pause or nothing, from SpeechStarted to Committed or Cancelled"""
    duck_db: float = -15.0
    """how much quieter"""
    attack_ms: float = 50.0
    """how soon it is quieter"""
    release_ms: float = 500.0
    """how soon it is loud again"""
    fade_ms: float = 30.0
    """of the music when it begins, ends or pauses, so that nothing clicks"""
    retry_ms: int = 1_000
    """between two tries to open a device that is away, or to reach a daemon"""
    stall_ms: int = 4_000
    """a device that takes nothing for so long counts as gone"""
    idle_ms: int = 3_000
    """how long the device is kept open with nothing to play"""

    def __post_init__(self) -> None:
        """Raise SettingsError for a value that cannot be."""
        check_above_zero(
            self, "attack_ms", "release_ms", "fade_ms", "retry_ms", "stall_ms", "idle_ms"
        )
        for field, least in (("buffer_ms", 2 * BLOCK_MS), ("ahead_ms", 100)):
            if getattr(self, field) < least:
                message = f"{field} is {getattr(self, field)}, but must be {least} at least"
                raise SettingsError(message)
        if not SOFTEST <= self.duck_db <= 0:
            message = f"duck_db is {self.duck_db:g}, but must be from {SOFTEST:g} to 0"
            raise SettingsError(message)
        if self.while_speaking not in list(WhileSpeaking):
            known = ", ".join(WhileSpeaking)
            message = f"while_speaking is {self.while_speaking!r}, but must be one of {known}"
            raise SettingsError(message)


@dataclass(frozen=True, slots=True)
class Tone:
    """A small equaliser, in decibel; nought changes nothing. Raises SettingsError beyond TONE."""

    bass_db: float = 0.0
    middle_db: float = 0.0
    treble_db: float = 0.0

    def __post_init__(self) -> None:
        for field in ("bass_db", "middle_db", "treble_db"):
            if not abs(value := getattr(self, field)) <= TONE:
                message = f"{field} is {value:g}, but must be from -{TONE:g} to {TONE:g}"
                raise SettingsError(message)

    @property
    def flat(self) -> bool:
        """Whether it changes nothing."""
        return self == Tone()
