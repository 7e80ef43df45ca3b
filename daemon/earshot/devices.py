"""What can be recorded from, and how."""

from dataclasses import dataclass
from typing import Protocol

from earshot.settings import check_above_zero


@dataclass(frozen=True, slots=True)
class MicrophoneSettings:
    """Which microphone, and when it counts as gone."""

    device: str | None = None
    """part of the device's name, in any case; without it, the system's default"""
    block_ms: int = 80
    """audio handed on at a time while somebody speaks: a quarter of what the network takes"""
    quiet_block_ms: int = 160
    """and while nobody does: silence costs half as much, and speech is noticed 40 ms later"""
    buffer_ms: int = 320
    """what the device keeps while this program is held up; delivered a quarter at a time"""
    stall_ms: int = 4_000
    """without a block for so long, the device counts as gone: not every device says that it is"""
    retry_ms: int = 1_000
    """between two tries to open it: each looks for all devices anew"""

    def __post_init__(self) -> None:
        check_above_zero(self, "block_ms", "quiet_block_ms", "buffer_ms", "stall_ms", "retry_ms")


class Recording(Protocol):
    """An open device. All of it may raise DeviceError: the device is gone."""

    name: str
    rate: int  # Hz
    channels: int

    def available(self) -> int:
        """Frames that can be taken without waiting."""

    def take(self, frames: int) -> tuple[bytes, bool]:
        """Interleaved float32 of so many frames, and whether some were lost before them."""

    def close(self) -> None:
        """Give the device back. Never raises."""


class Devices(Protocol):
    """What can be recorded from."""

    def open(self, settings: MicrophoneSettings) -> Recording:
        """Start recording from the device so named. DeviceError if it is not there."""
