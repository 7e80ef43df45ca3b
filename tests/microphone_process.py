"""The real microphone in a process of its own: items as pickles on stdout, until stdin ends.

PortAudio and ALSA are one for a process, and learn from its environment where the sound is.
"""

import pickle
import sys
import threading

from earshot.devices import MicrophoneSettings
from earshot.microphone import Microphone


def main() -> None:
    """Hear the device `pulse`."""
    microphone = Microphone(MicrophoneSettings(device="PULSE", retry_ms=100))

    def close_at_end() -> None:
        sys.stdin.buffer.read()
        microphone.close()

    threading.Thread(target=close_at_end, daemon=True).start()
    for item in microphone:
        pickle.dump(item, sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
