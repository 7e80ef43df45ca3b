"""earshot: on-device speech recognition that keeps what it hears on the device."""

__version__ = "0.1.0"
