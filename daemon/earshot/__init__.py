"""earshot: on-device speech recognition that keeps what it hears on the device."""

import os

# From 1.29 on, the library that runs the networks reports to its makers wherever it is imported,
# unless it is told not to before that.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.1.0"
