"""The settings of the daemon: each part's own dataclass, assembled from one TOML file.

A table of the file is a part, a key of it a field of that part's settings; what the file leaves
out keeps its default. Whatever does not fit is refused, with the key, what may stand there, and the
file.
"""

from dataclasses import dataclass, field
from pathlib import Path

from earshot.api import ApiSettings
from earshot.asked import Preset
from earshot.asking import AssistSettings
from earshot.devices import MicrophoneSettings
from earshot.echo import EchoSettings
from earshot.entries import KindWeights
from earshot.errors import SettingsError
from earshot.exposing import MetricsSettings
from earshot.feed import FeedSettings
from earshot.governor import LoadSettings
from earshot.playback.settings import PlaybackSettings
from earshot.sessions import SessionSettings
from earshot.settings import read_settings


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of the daemon."""

    source: str = "mic"
    """what to follow: mic, a file, - for raw audio on standard input, or auto for the microphone if
    there is one and else the recording that comes with earshot"""
    bundle: str = "en"
    """name or folder of the bundle that recognises"""
    preset: str = Preset.NORMAL
    """how long somebody who pauses is waited for: normal, quick or patient"""
    catalog: Path | None = None
    """file of the catalog whose names are favoured; without it, that of `earshot catalog`"""
    templates: Path | None = None
    """file of sentence templates by which utterances are understood before all else"""
    require_sandbox: bool = False
    """refuse to run where the kernel does not keep the daemon off the network"""
    weights: KindWeights = field(default_factory=KindWeights)
    """how much names are favoured, by their kind"""
    microphone: MicrophoneSettings = field(default_factory=MicrophoneSettings)
    echo: EchoSettings = field(default_factory=EchoSettings)
    feed: FeedSettings = field(default_factory=FeedSettings)
    sessions: SessionSettings = field(default_factory=SessionSettings)
    load: LoadSettings = field(default_factory=LoadSettings)
    api: ApiSettings = field(default_factory=ApiSettings)
    assist: AssistSettings = field(default_factory=AssistSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    playback: PlaybackSettings = field(default_factory=PlaybackSettings)

    def __post_init__(self) -> None:
        """Raise SettingsError for a preset that is none."""
        if self.preset not in list(Preset):
            message = f"preset is {self.preset!r}, but must be one of {', '.join(Preset)}"
            raise SettingsError(message)


def load(path: Path | None) -> Settings:
    """Read the settings of a file, or the defaults. Raises SettingsError."""
    return read_settings(Settings, path)
